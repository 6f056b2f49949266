"""Documents: the shipped one is right, and whatever is wrong in another is told at its place."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookproof_spec import payloads, pointers
from hookproof_spec.documents import check, load, names
from hookproof_spec.documents.files import HOME
from hookproof_spec.documents.yaml12 import parse_json, parse_yaml
from hookproof_spec.errors import DocumentError, Problem, Severity
from hookproof_spec.webhook import JsonValue

HOOK = "sparePartOutOfStock"
POST = f"/webhooks/{HOOK}/post"
CONTENT = f"{POST}/requestBody/content/application~1json"
SCHEMAS = "/components/schemas"
NAME = f"{SCHEMAS}/Location/properties/name"
MW: JsonValue = parse_yaml((HOME / "mobility-work.yaml").read_text(encoding="utf-8"), "")

Write = Callable[[JsonValue], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(value: JsonValue) -> Path:
        path = tmp_path / "document.json"
        path.write_text(json.dumps(value), encoding="utf-8")
        return path

    return written


def put(pointer: str, value: JsonValue, document: JsonValue = MW) -> JsonValue:
    """Return a copy of a document with a member set, whether or not it was there."""
    changed = copy.deepcopy(document)
    parent = pointers.get(changed, pointer.rpartition("/")[0])
    assert isinstance(parent, dict)
    parent[pointers.split(pointer)[-1]] = value
    return changed


def drop(pointer: str, document: JsonValue = MW) -> JsonValue:
    changed = copy.deepcopy(document)
    parent = pointers.get(changed, pointer.rpartition("/")[0])
    assert isinstance(parent, dict)
    del parent[pointers.split(pointer)[-1]]
    return changed


def told(problems: tuple[Problem, ...]) -> list[str]:
    return [str(problem) for problem in problems]


def refusal(path: str | Path) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_shipped_document_has_no_problems() -> None:
    assert "mobility-work" in names()
    assert check("mobility-work") == ()


def test_the_shipped_document_says_the_webhook() -> None:
    document = load("mobility-work")
    webhook = document.webhook()
    assert (document.name, document.openapi, document.unusable) == ("mobility-work", "3.1.0", {})
    assert (webhook.name, webhook.method, webhook.media_type) == (HOOK, "POST", "application/json")
    assert (webhook.plans, webhook.responses) == (("Premium", "Ultimate"), ("200",))
    assert webhook.other_plans == ("Starter",)
    assert webhook.stock is not None
    assert webhook.stock["/sparePart/articleCode"] == "part.article-code"
    assert webhook.marker == "/sparePart/sparePartId"
    assert webhook.unsigned_allowed
    assert len(webhook.assumptions) >= 6
    assert webhook.scheme.describe() == (
        "hmac-sha256 over {timestamp}.{nonce}.{body}, hex, in X-MW-Signature:"
        " t={timestamp},nonce={nonce},signature={signature}, at most 3600 s old"
    )


def test_the_vendors_sample_is_valid() -> None:
    sample = (
        b'{"_event":"string","_date":"2024-07-29T15:51:28.071Z","_metadata":[null],"stock":'
        b'{"location":{"locationId":"string","name":"string"}},"sparePart":{"sparePartId":'
        b'"string","name":"string","articleCode":"string"},"movement":{"on":'
        b'"2024-07-29T15:51:28.071Z"}}'
    )
    assert payloads.validate(load("mobility-work").webhook(), sample) == ()


@pytest.mark.parametrize(
    "place",
    ["/_event", "/_date", "/_metadata", "/stock/location/name", "/sparePart", "/movement/on"],
)
def test_every_member_of_the_payload_is_checked(place: str) -> None:
    webhook = load("mobility-work").webhook()
    body = payloads.encode(pointers.replace(payloads.example(webhook), place, 7))
    assert [problem.pointer for problem in payloads.validate(webhook, body)] == [place]


def test_a_schema_stands_alone() -> None:
    schema = load("mobility-work").webhook().schema
    refs = [value for place, value in pointers.leaves(dict(schema)) if place.endswith("/$ref")]
    assert refs
    assert all(str(ref).startswith("#/$defs/") for ref in refs)
    jsonschema_rs.Draft202012Validator(dict(schema), offline=True)


def test_loading_imports_nothing_heavy() -> None:
    code = "import sys, hookproof_spec as h; h.load('mobility-work'); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"openapi_core", "openapi_spec_validator", "jsonschema", "referencing", "hypothesis"}
    assert heavy.isdisjoint(run.stdout.split())


# Files


def test_an_unknown_name_offers_the_nearest() -> None:
    error = refusal("mobility-wrok")
    assert error.problem == "no document is called 'mobility-wrok', and no such file exists"
    assert error.hint.startswith("did you mean mobility-work? there are: ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"openapi: \xff", "not UTF-8: byte 9 is 0xff"),
        (b"a: [1\nb: 2", "not YAML 1.2: did not find expected ',' or ']' at line 2, column 2"),
        (b"a: 1\na: 2", "the key 'a' stands twice (first in line 1) at line 2, column 1"),
        (b"a: !!python/name:os.system", "the tag 'python/name:os.system'"),
        (b"a: &x [*x]", "found unconstructable recursive node at line 1, column 4"),
        (b"a: .nan", "a number that JSON cannot hold at line 1, column 4"),
        (b"a\x00b", "not YAML: unacceptable character"),
        (b"[" * 5_000, "exceeded maximum nesting depth"),
        (b"[" * 150 + b"]" * 150, "nested too deeply"),
        (b"openapi: 3.1.0\nwebhooks: {1: {}}", "the key 1 is no text"),
        (b"just a text", "no OpenAPI document: 'just a text'"),
        (b"[]", "no OpenAPI document: []"),
        (b"a: 1", "no OpenAPI document: 'openapi' is missing"),
        (b"swagger: '2.0'", "this is Swagger 2.0, which has no webhooks"),
        (b"openapi: 3.0.3", "this is OpenAPI 3.0.3, which has no webhooks"),
        (b"openapi: 3.1", "OpenAPI 3.1 is not supported"),
        (b"openapi: 4.0.0", "OpenAPI '4.0.0' is not supported"),
        (b"openapi: 3.1.0\npaths: {}", "the document has no webhooks"),
        (b"openapi: 3.1.0\nwebhooks: {}", "the document has no webhooks"),
        (b"openapi: 3.1.0\nwebhooks: [1]", "webhooks must be a mapping, not [1]"),
    ],
)
def test_a_bad_file_has_one_clear_error(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    error = refusal(path)
    assert problem in error.problem
    assert error.where.startswith(str(path))


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.yaml"
    lines = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    path.write_text("\n".join(["a0: &a0 x", *lines]), encoding="utf-8")
    assert "once its aliases are written out" in refusal(path).problem


def test_a_directory_is_no_document(tmp_path: Path) -> None:
    assert refusal(tmp_path).problem == "this is a directory"


@pytest.mark.parametrize(
    ("place", "value", "shown"),
    [
        (f"{POST}/responses", {"2XX\ud800": {"description": "Taken."}}, r"2XX\ud800"),
        (f"{POST}/summary", "Half \udc00", r"Half \udc00"),
    ],
)
def test_half_a_character_is_refused_at_its_place(
    write: Write, place: str, value: JsonValue, shown: str
) -> None:
    error = refusal(write(put(place, value)))
    assert error.problem == f"'{shown}' holds half a surrogate pair"
    assert error.where.endswith(f"#{place}")


def test_a_pipe_that_was_read_is_told() -> None:
    assert refusal("/dev/null").hint == "a pipe is read only once: save it as a file"


def test_a_file_without_an_end_is_too_large() -> None:
    assert refusal("/dev/zero").problem == "larger than 20,000,000 bytes"


@pytest.mark.parametrize("path", ["no/such.yaml", "", "a\0b.yaml", "x" * 5_000])
def test_a_missing_file_is_told(path: str) -> None:
    assert "no such file" in refusal(path).problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1,}', "not JSON: Illegal trailing comma|not JSON: Expecting property name"),
        ('{"a": 1, "a": 2}', "not JSON: the member 'a' stands twice"),
        ('{"a": NaN}', "not JSON: NaN is no JSON value"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5_000 + "}", "not JSON: a number of 5,000 digits is too long"),
        ('{"a": -1e999}', "not JSON: the number -1e999 is too large"),
    ],
)
def test_bad_json_is_told(text: str, problem: str) -> None:
    with pytest.raises(DocumentError, match=problem):
        parse_json(text, "x.json")


def test_yaml_means_what_version_12_says() -> None:
    text = (
        "on: yes\noff: No\ntrue_: true\nday: 2024-07-29\ntime: 12:30:00\nsigned: +7\n"
        "zeros: 0123\noctal: 0o17\nhex: 0xff\nfloat: 1e3\nnull_: ~\nnothing:\nunder: 1_000\n"
    )
    assert parse_yaml(text, "") == {
        "on": "yes",
        "off": "No",
        "true_": True,
        "day": "2024-07-29",
        "time": "12:30:00",
        "signed": 7,
        "zeros": 123,
        "octal": 15,
        "hex": 255,
        "float": 1000.0,
        "null_": None,
        "nothing": None,
        "under": "1_000",
    }


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text() | st.text("{}[]:,-&*!|>'\"#%@` \n\tab01"))
def test_no_text_makes_parsing_raise(text: str) -> None:
    for parse in (parse_yaml, parse_json):
        try:
            parse(text, "x")
        except DocumentError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either outcome is right


# Webhooks


@pytest.mark.parametrize(
    ("pointer", "value", "problem"),
    [
        (NAME, {"$ref": "#/components/schemas/Nam"}, f"#{NAME}/$ref: $ref to '#/components/sch"),
        (
            NAME,
            {"$ref": "https://x.invalid/a"},
            f"#{NAME}/$ref: $ref to 'https://x.invalid/a': not",
        ),
        (NAME, {"$ref": "//x.invalid/a"}, f"#{NAME}/$ref: $ref to '//x.invalid/a': nothing is fet"),
        (NAME, {"$ref": "file:///etc/passwd"}, f"#{NAME}/$ref: $ref to 'file:///etc/passwd': noth"),
        (
            NAME,
            {"$ref": "gone.yaml"},
            f"#{NAME}/$ref: $ref to 'gone.yaml': cannot be read: No such",
        ),
        (NAME, {"$ref": "#name"}, f"#{NAME}/$ref: $ref to '#name': anchors are not supported"),
        (NAME, {"$ref": 3}, f"#{NAME}/$ref: $ref must be a text, not 3"),
        (NAME, {"$id": "urn:a"}, f"#{NAME}/$id: $id is not supported"),
        (NAME, 3, f"#{NAME}: a schema must be a mapping or a boolean, not 3"),
        (NAME, {"type": "strng"}, f"#{NAME}/type: unknown type 'strng'; did you mean string?"),
        (NAME, {"pattern": "["}, f'#{NAME}/pattern: not a JSON Schema: "[" is not a "regex"'),
        (NAME, {"minLength": -1}, f"#{NAME}/minLength: not a JSON Schema: -1 is less than"),
        (NAME, {"type": "string", "default": 3}, f"#{NAME}/default: 'default' breaks its schema"),
        (NAME, {"type": "string", "examples": ["a", 3]}, f"#{NAME}/examples/1: 'examples' breaks"),
        (
            NAME,
            {"minLength": 3, "maxLength": 1, "type": "string"},
            f"#{NAME}: no value can satisfy",
        ),
        (NAME, {"$ref": "#" + NAME}, f"#{NAME}: the schema refers back to itself"),
        (f"{SCHEMAS}/Stock/required", "x", f"#{SCHEMAS}/Stock/required: not a JSON Schema"),
        (
            f"{CONTENT}/example",
            {},
            f'#{CONTENT}/example: the example breaks its schema at its root: "_',
        ),
        (
            f"{POST}/security",
            [{"X-MW": []}],
            f"#{POST}/security/0/X-MW: unknown security scheme 'X-",
        ),
        (f"{POST}/security", [], f"#{POST}: no signature is declared"),
        (f"{POST}/security", 3, f"#{POST}/security: security must be a list, not 3"),
        (f"{POST}/requestBody", {}, f"#{POST}: no payload is described"),
        (
            f"{POST}/requestBody/content",
            {"text/xml": {}},
            f"#{POST}/requestBody/content: no payload in",
        ),
        (
            f"{POST}/requestBody/content/application~1json",
            {},
            f"#{CONTENT}: the payload has no schema",
        ),
        (f"{POST}/responses", {"20O": {}}, f"#{POST}/responses/20O: '20O' is no status"),
        (
            f"{POST}/parameters",
            [{"$ref": "#/x"}],
            f"#{POST}/parameters/0/$ref: $ref to '#/x' leads now",
        ),
        (f"{POST}/x-webhook-marker", "/sparePart/id", f"#{POST}/x-webhook-marker: nothing is at"),
        (
            f"{POST}/x-webhook-marker",
            "/_date",
            f"#{POST}/x-webhook-marker: the text at /_date is not",
        ),
        (f"{POST}/x-webhook-marker", "/_metadata", f"#{POST}/x-webhook-marker: no text is at"),
        (f"{POST}/x-webhook-plans", "Premium", f"#{POST}/x-webhook-plans: x-webhook-plans must be"),
        (
            f"{POST}/x-webhook-plans",
            {"Premium": "yes"},
            f"#{POST}/x-webhook-plans/Premium: a plan has webhooks or not: 'yes'; allowed: true,",
        ),
        (f"{POST}/x-webhook-stock", [], f"#{POST}/x-webhook-stock: x-webhook-stock must be a"),
        (
            f"{POST}/x-webhook-stock",
            {"/sparePart/name": "part.nam"},
            f"#{POST}/x-webhook-stock/~1sparePart~1name: unknown fact 'part.nam'; did you mean"
            " part.name?",
        ),
        (
            f"{POST}/x-webhook-stock",
            {"/sparePart/nam": "part.name"},
            f"#{POST}/x-webhook-stock/~1sparePart~1nam: the payload's schema describes nothing at"
            " /sparePart/nam; did you mean /sparePart/name?",
        ),
        (
            f"{POST}/x-webhook-stock",
            {"sparePart": "part.name"},
            f"#{POST}/x-webhook-stock/sparePart: 'sparePart' is no JSON pointer; begin with a",
        ),
        (f"/webhooks/{HOOK}", {"psot": {}}, f"#/webhooks/{HOOK}: the webhook has no operation"),
        (
            f"/webhooks/{HOOK}",
            {"$ref": "#/paths"},
            f"#/webhooks/{HOOK}/$ref: $ref to '#/paths' leads",
        ),
        (f"/webhooks/{HOOK}/post", None, f"#{POST}: an operation must be a mapping, not null"),
    ],
)
def test_a_wrong_place_is_told(write: Write, pointer: str, value: JsonValue, problem: str) -> None:
    path = write(put(pointer, value))
    document = load(path)
    assert dict(document.webhooks) == {}
    found = told(document.unusable[HOOK])
    assert any(line.startswith(problem) for line in found), found
    assert set(document.unusable[HOOK]) <= set(check(path))
    with pytest.raises(DocumentError, match="be used: #"):
        document.webhook()


def test_plans_can_be_listed(write: Write) -> None:
    webhook = load(write(put(f"{POST}/x-webhook-plans", ["Gold"]))).webhook()
    assert (webhook.plans, webhook.other_plans) == (("Gold",), ())


def test_stock_is_found_behind_combined_schemas(write: Write) -> None:
    combined: JsonValue = {
        "allOf": [{"type": "object", "properties": {"deep": {"type": "string"}}}]
    }
    changed = put("/components/schemas/SparePart/properties/more", combined)
    facts: JsonValue = {"/sparePart/more/deep": "part.name"}
    webhook = load(write(put(f"{POST}/x-webhook-stock", facts, changed))).webhook()
    assert webhook.stock == facts


def test_problems_of_the_extension_have_its_pointer(write: Write) -> None:
    scheme = "/components/securitySchemes/X-MW-Signature/x-webhook-signature"
    document = load(write(put(f"{scheme}/encoding", "hexa")))
    [problem] = document.unusable[HOOK]
    assert (problem.pointer, problem.message) == (f"{scheme}/encoding", "unknown encoding 'hexa'")


@pytest.mark.parametrize(
    ("pointer", "value", "problem"),
    [
        (NAME, {"type": "string", "format": "datetime"}, "did you mean date-time?"),
        (NAME, {"type": "string", "minLenght": 3}, "did you mean minLength?"),
        (NAME, {"type": "string", "nullable": True}, "is a word of OpenAPI 3.0 and is ignored"),
        (f"{POST}/x-webhook-plan", ["a"], "did you mean x-webhook-plans?"),
    ],
)
def test_a_doubtful_place_is_a_warning(
    write: Write, pointer: str, value: JsonValue, problem: str
) -> None:
    document = load(write(put(pointer, value)))
    assert list(document.webhooks) == [HOOK]
    [warning] = document.warnings
    assert warning.severity is Severity.WARNING
    assert problem in str(warning)


def test_one_bad_webhook_leaves_the_others(write: Write) -> None:
    good = pointers.get(MW, f"/webhooks/{HOOK}")
    bad = put("/post/operationId", "other", put("/post/requestBody", {}, good))
    document = load(write(put("/webhooks/other", bad)))
    assert (list(document.webhooks), list(document.unusable)) == ([HOOK], ["other"])
    assert document.webhook().name == HOOK
    with pytest.raises(DocumentError, match="did you mean sparePartOutOfStock"):
        document.webhook("sparePartOutOfStok")


def test_an_operation_id_stands_once(write: Write) -> None:
    document = load(write(put("/webhooks/other", pointers.get(MW, f"/webhooks/{HOOK}"))))
    assert {name: told(problems) for name, problems in document.unusable.items()} == {
        HOOK: [
            f"#{POST}/operationId: the operationId '{HOOK}' is also that of #/webhooks/other/post;"
            " give each its own"
        ],
        "other": [
            f"#/webhooks/other/post/operationId: the operationId '{HOOK}' is also that of #{POST};"
            " give each its own"
        ],
    }


def test_several_methods_are_several_webhooks(write: Write) -> None:
    put_method = put("/operationId", "second", pointers.get(MW, POST))
    document = load(write(put(f"/webhooks/{HOOK}/put", put_method)))
    assert {name: hook.method for name, hook in document.webhooks.items()} == {
        f"{HOOK}:put": "PUT",
        f"{HOOK}:post": "POST",
    }


def test_openapi_32_is_read_too(write: Write) -> None:
    path = write(put("/openapi", "3.2.0"))
    assert check(path) == ()
    assert list(load(path).webhooks) == [HOOK]


def test_check_holds_the_whole_document(write: Write) -> None:
    path = write(drop("/info"))
    assert list(load(path).webhooks) == [HOOK]
    assert told(check(path)) == ['#: not as OpenAPI describes it: "info" is a required property']


@pytest.mark.parametrize("ref", ["http://x.invalid/r", "ftp://x.invalid/r", "data:,{}", "#/gone"])
def test_check_follows_every_reference(write: Write, ref: str) -> None:
    paths: JsonValue = {"/a": {"get": {"responses": {"200": {"$ref": ref}}}}}
    path = write(put("/paths", paths))
    assert list(load(path).webhooks) == [HOOK]
    assert [problem.pointer for problem in check(path)] == ["/paths/~1a/get/responses/200/$ref"]


# What a library asks of its own machine when it is imported, as urllib3 does, is none of these.
REACHING = ("connect", "getaddrinfo", "gethostbyname", "sendto", "sendmsg")


def test_checking_reaches_no_network(write: Write) -> None:
    schema: JsonValue = {"anyOf": [{"$ref": "http://127.0.0.1:9/a"}, {"$schema": "http://[::1]/"}]}
    code = (
        "import sys, hookproof_spec.documents as d\n"
        "def stop(event, args):\n"
        f"    if event.removeprefix('socket.') in {REACHING}: sys.exit(event)\n"
        "sys.addaudithook(stop)\n"
        "for document in ('mobility-work', sys.argv[1]): d.check(document)"
    )
    path = write(put(NAME, schema))
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)


def test_recursion_keeps_working(write: Write) -> None:
    parent: JsonValue = {"$ref": f"#{SCHEMAS}/Location"}
    webhook = load(write(put(f"{SCHEMAS}/Location/properties/parent", parent))).webhook()
    inner: JsonValue = {"locationId": "a", "name": "b", "parent": {"locationId": "c", "name": 4}}
    body = payloads.encode(pointers.replace(payloads.example(webhook), "/stock/location", inner))
    assert [p.pointer for p in payloads.validate(webhook, body)] == ["/stock/location/parent/name"]


def test_endless_recursion_is_told(write: Write) -> None:
    location: JsonValue = {
        "type": "object",
        "required": ["in"],
        "properties": {"in": {"$ref": f"#{SCHEMAS}/Location"}},
    }
    document = load(write(put(f"{SCHEMAS}/Location", location)))
    assert any("no value can satisfy" in line for line in told(document.unusable[HOOK]))


def test_files_beside_the_document_are_read(tmp_path: Path, write: Write) -> None:
    (tmp_path / "parts.yaml").write_text(
        "Name: {type: string, minLength: 2}\nBad: {type: strng}\nBack: {$ref: 'document.json#"
        f"{SCHEMAS}/Movement'}}\n",
        encoding="utf-8",
    )
    webhook = load(write(put(NAME, {"$ref": "parts.yaml#/Name"}))).webhook()
    short = pointers.replace(payloads.example(webhook), "/stock/location/name", "x")
    assert payloads.validate(webhook, payloads.encode(short))
    document = load(write(put(NAME, {"$ref": "./parts.yaml#/Bad"})))
    assert told(document.unusable[HOOK]) == [
        f"#{NAME}/$ref: in parts.yaml#/Bad/type: unknown type 'strng'; did you mean string?"
    ]
    assert load(write(put(NAME, {"anyOf": [{"$ref": "parts.yaml#/Back"}, True]}))).webhook()


def test_a_reference_that_is_no_path_is_told(tmp_path: Path, write: Write) -> None:
    (tmp_path / "a.yaml").symlink_to("b.yaml")
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    for ref in ("a.yaml", "%00.yaml"):
        problems = check(write(put(NAME, {"$ref": ref})))
        assert told(problems)[0].startswith(f"#{NAME}/$ref: $ref to ")
        assert all(problem.pointer.endswith("$ref") for problem in problems)


def test_parts_named_alike_stay_apart(tmp_path: Path, write: Write) -> None:
    (tmp_path / "b.yaml").write_text("x: {name: {type: integer}}", encoding="utf-8")
    document = put(f"{SCHEMAS}/name", {"type": "string"})
    document = put(
        f"{SCHEMAS}/Location/properties/locationId", {"$ref": "b.yaml#/x/name"}, document
    )
    document = put(NAME, {"$ref": f"#{SCHEMAS}/name"}, document)
    document = drop(f"{CONTENT}/example", document)
    location = pointers.get(payloads.example(load(write(document)).webhook()), "/stock/location")
    assert location == {"locationId": 1, "name": "text"}


def test_a_marker_is_found_without_being_named(write: Write) -> None:
    document = drop(f"{POST}/x-webhook-marker")
    assert load(write(document)).webhook().marker == "/stock/location/locationId"
    bound: JsonValue = {"type": "string", "enum": ["part-20931", "loc-0412"]}
    document = put(f"{SCHEMAS}/Location/properties/locationId", bound, document)
    document = put(f"{SCHEMAS}/SparePart/properties/sparePartId", bound, document)
    assert load(write(document)).webhook().marker == "/_event"


def test_marker_is_no_text_that_signing_overwrites(tmp_path: Path) -> None:
    shipped = Path(load("mailgun").path).read_text("utf-8")
    path = tmp_path / "mailgun.yaml"
    path.write_text(shipped.replace("/event-data/message/headers/subject", "/signature/token"))
    (problem,) = [one for one in check(path) if one.severity is Severity.ERROR]
    assert problem.message == "the text at /signature/token carries a value of the signature"


def test_a_payload_without_texts_has_no_marker(write: Write) -> None:
    document = put(CONTENT, {"schema": {"type": "array", "items": {"type": "integer"}}})
    bare = drop(f"{POST}/x-webhook-stock", drop(f"{POST}/x-webhook-marker", document))
    webhook = load(write(bare)).webhook()
    assert (webhook.marker, payloads.example(webhook)) == (None, [1])


def test_a_signature_for_all_operations_counts(write: Write) -> None:
    document = put("/security", [{"X-MW-Signature": []}], drop(f"{POST}/security"))
    assert not load(write(document)).webhook().unsigned_allowed


def test_statuses_need_no_quotes(tmp_path: Path) -> None:
    text = (HOME / "mobility-work.yaml").read_text(encoding="utf-8").replace("'200':", "200:")
    path = tmp_path / "bare.yaml"
    path.write_text(text, encoding="utf-8")
    assert load(path).webhook().responses == ("200",)


JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["$ref", "type", "post", "a"]), inner, max_size=2)
    ),
    max_leaves=3,
)
PLACES = list(pointers.places(MW))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.sampled_from(PLACES), value=JSON)
def test_no_document_makes_loading_raise(write: Write, place: str, value: JsonValue) -> None:
    path = write(pointers.replace(MW, place, value))
    try:
        document = load(path)
    except DocumentError:
        return
    for problems in document.unusable.values():
        assert any(problem.severity is Severity.ERROR for problem in problems)
    for webhook in document.webhooks.values():
        body = payloads.encode(payloads.example(webhook))
        assert payloads.validate(webhook, body) == ()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20
)
@given(place=st.sampled_from(PLACES), value=JSON)
def test_no_document_makes_checking_raise(write: Write, place: str, value: JsonValue) -> None:
    path = write(pointers.replace(MW, place, value))
    try:
        found = check(path)
    except DocumentError:
        return
    assert all("\n" not in str(problem) for problem in found)
