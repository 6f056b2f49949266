"""Payloads: examples are valid, what is wrong is told at its place, and nothing raises."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
import threading

import jsonschema_rs
import pytest
from hypothesis import example as case
from hypothesis import given, settings
from hypothesis import strategies as st

from hookproof_spec import building, payloads, pointers
from hookproof_spec.documents import load
from hookproof_spec.errors import DocumentError, Problem
from hookproof_spec.webhook import JsonValue, Webhook

MW = load("mobility-work").webhook()
EXAMPLE = payloads.example(MW)
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def webhook(schema: dict[str, JsonValue], example: JsonValue = None) -> Webhook:
    return dataclasses.replace(MW, schema=schema, example=example)


def messages(body: bytes, judged: Webhook = MW) -> list[tuple[str, str]]:
    return [(p.pointer, p.message) for p in payloads.validate(judged, body)]


def test_the_documents_example_is_valid() -> None:
    assert payloads.validate(MW, payloads.encode(EXAMPLE)) == ()


def test_each_breach_is_told_at_its_place() -> None:
    broken = pointers.replace(EXAMPLE, "/movement/on", "yesterday")
    broken = pointers.replace(broken, "/sparePart", {"sparePartId": 7, "name": "x"})
    assert sorted(messages(payloads.encode(broken))) == [
        ("/movement/on", '"yesterday" is not a "date-time"'),
        ("/sparePart", '"articleCode" is a required property'),
        ("/sparePart/sparePartId", '7 is not of type "string"'),
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON: Expecting value at line 1, column 1"),
        (b'{"a":1;}', "not JSON: Expecting ',' delimiter at line 1, column 7"),
        (b"{}\n{}", "not JSON: Extra data at line 2, column 1"),
        (b"\xef\xbb\xbf{}", "not JSON: a byte order mark stands before it"),
        (b'{"a":"\xff"}', "not UTF-8: byte 6 is 0xff"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8: byte 0 is 0xff"),
        (b'{"a":1,"b":{"c":1,"c":2}}', "not JSON: the member 'c' stands twice in one object"),
        (b"[NaN]", "not JSON: NaN is no JSON value"),
        (b"[-Infinity]", "not JSON: -Infinity is no JSON value"),
        (b"[1e999]", "not JSON: a number is too large for what reads it"),
        (b"[" + b"9" * 5000 + b"]", "not readable: a number has too many digits"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (rb'{"_event":"\ud800"}', "a text holds half a surrogate pair"),
    ],
)
def test_what_is_no_json_has_one_problem(body: bytes, message: str) -> None:
    [(pointer, told)] = messages(body)
    assert (pointer, told[: len(message)]) == ("", message)


@settings(deadline=None)
@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
@case(b'"\\ud800"')
@case(b"null")
def test_any_bytes_have_a_verdict(body: bytes) -> None:
    assert payloads.validate(MW, body)


TOKENS = [
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"a":1',
        b'"a":',
        b'"b":',
        b'"", ',
        b'"\\ud800"',
        b'"\\u0061":2',
    ),
    *(
        b"1",
        b"-0",
        b"1.0",
        b"1e5",
        b"1e999",
        b"NaN",
        b"-Infinity",
        b"null",
        b"9" * 30,
        b"9" * 5_000,
    ),
    *(b" ", b"\n", b"\x0b", b"\xff", b"\xef\xbb\xbf", b"\xc2\xa0", "é".encode(), b"[" * 5_000),
]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(TOKENS), max_size=12).map(b"".join)
    | JSON.map(lambda value: json.dumps(value).encode())
)
@case(b'{"a":1,"a":1}')
@case(b'{"a":{"b":1,"\\u0062":1}}')
def test_space_around_a_body_changes_no_value(body: bytes) -> None:
    """A text that begins with a bracket and ends with its value takes a quick way."""
    plain, spaced = payloads.decode(body), payloads.decode(b" " + body + b"\n")
    assert isinstance(plain, Problem) == isinstance(spaced, Problem)
    assert isinstance(plain, Problem) or repr(plain) == repr(spaced)


@pytest.mark.parametrize("depth", [100, 300, 900, 5_000])
def test_deep_payloads_have_a_verdict(depth: int) -> None:
    tree = webhook({"items": {"$ref": "#"}, "type": "array"})
    assert payloads.validate(tree, b"[" * depth + b"1" + b"]" * depth)


def test_long_values_are_cut_in_messages() -> None:
    [problem] = payloads.validate(webhook({"type": "object"}), b'"' + b"x" * 10_000 + b'"')
    assert len(problem.message) <= 240


def test_validation_works_in_many_threads() -> None:
    results: list[bool] = []
    body = payloads.encode(EXAMPLE)

    def judge() -> None:
        results.extend(payloads.validate(MW, body) == () for _ in range(100))

    threads = [threading.Thread(target=judge) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 800


def test_a_remote_reference_is_never_fetched() -> None:
    with pytest.raises((ValueError, jsonschema_rs.ReferencingError)):
        payloads.compiled({"$ref": "http://127.0.0.1:9/schema.json"})


@settings(deadline=None)
@given(JSON)
def test_what_is_encoded_decodes_the_same(value: JsonValue) -> None:
    try:
        written = payloads.encode(value)
    except UnicodeEncodeError:
        return  # half a surrogate pair
    assert payloads.decode(written) == value


def test_encoding_is_compact_and_keeps_letters() -> None:
    assert payloads.encode({"b": [1, None], "a": "é/😀"}) == '{"b":[1,null],"a":"é/😀"}'.encode()


@pytest.mark.parametrize("value", [math.nan, math.inf, "\ud800"])
def test_encoding_refuses_what_json_lacks(value: JsonValue) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the standard library's own words
        payloads.encode([value])


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"const": 3}, 3),
        ({"enum": ["b", "a"]}, "b"),
        ({"type": "string", "default": "d"}, "d"),
        ({"type": "string", "examples": ["e"]}, "e"),
        ({"type": "integer", "minimum": 7}, 7),
        ({"type": "integer", "exclusiveMinimum": 7}, 8),
        ({"type": "integer", "maximum": -5}, -5),
        ({"type": "integer", "multipleOf": 4, "minimum": 9}, 12),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, 0.5),
        ({"type": "number", "minimum": 0.5}, 0.5),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "string"]}, "text"),
        ({"type": "string", "minLength": 8}, "textxxxx"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 2]),
        (
            {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True, "minItems": 2},
            ["a", "b"],
        ),
        ({"type": "array", "prefixItems": [{"const": 1}], "items": False}, [1]),
        ({"type": "array", "maxItems": 0, "items": {}}, []),
        ({"properties": {"a": {"type": "null"}}, "required": ["b"]}, {"a": None, "b": "text"}),
        ({"type": "object", "minProperties": 1}, {"member1": "text"}),
        ({"allOf": [{"required": ["a"]}, {"properties": {"a": {"const": 1}}}]}, {"a": 1}),
        ({"oneOf": [{"const": 1}, {"const": 2}]}, 1),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, 1),
    ],
)
def test_a_schema_builds_its_simplest_value(
    schema: dict[str, JsonValue], expected: JsonValue
) -> None:
    assert payloads.example(webhook(schema)) == expected


@pytest.mark.parametrize("kind", sorted(building.FORMATS))
def test_every_format_builds_a_valid_text(kind: str) -> None:
    schema: dict[str, JsonValue] = {"type": "string", "format": kind}
    built = payloads.encode(payloads.example(webhook(schema)))
    assert payloads.validate(webhook(schema), built) == ()


@pytest.mark.parametrize(
    "pattern", ["^[0-9a-f]{40}$", r"^\d{4}-\d\d$", "^(a|b)+$", "^SP-[A-Z]{3}$"]
)
def test_a_pattern_builds_the_same_text(pattern: str) -> None:
    schema: dict[str, JsonValue] = {"type": "string", "pattern": pattern}
    assert payloads.example(webhook(schema)) == payloads.example(webhook(dict(schema)))


def test_recursion_ends_where_it_may() -> None:
    tree: dict[str, JsonValue] = {
        "type": "object",
        "required": ["name", "children"],
        "properties": {
            "name": {"type": "string"},
            "parent": {"$ref": "#/$defs/tree"},
            "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
        },
    }
    built = payloads.example(webhook({"$ref": "#/$defs/tree", "$defs": {"tree": tree}}))
    assert built == {"name": "text", "children": []}


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"required": ["a"], "properties": {"a": False}, "type": "object"}, "#/properties/a"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/a"}, "minItems": 1}}},
            "#/$defs/a/items",
        ),
        ({"type": "string", "not": {"const": "text"}}, "#"),
        ({"type": "string", "pattern": "^a$", "minLength": 9}, "#"),
    ],
)
def test_what_cannot_be_built_is_told(schema: dict[str, JsonValue], pointer: str) -> None:
    with pytest.raises(DocumentError, match=r"no example of .* can be built") as caught:
        payloads.example(webhook(schema))
    assert caught.value.where == pointer


def test_free_texts_are_those_without_form() -> None:
    schema: dict[str, JsonValue] = {
        "properties": {
            "any": {"type": "string"},
            "short": {"type": "string", "maxLength": 10},
            "long": {"type": "string", "maxLength": 100},
            "day": {"type": "string", "format": "date"},
            "kind": {"type": "string", "enum": ["a"]},
            "list": {"type": "array", "items": {"$ref": "#/$defs/name"}},
        },
        "$defs": {"name": {"allOf": [{"type": "string"}]}},
    }
    found = payloads.free_texts(webhook(schema))
    assert found == ("/any", "/long", "/list/0")
    assert payloads.dates(webhook(schema)) == (("/day", "date"),)


def test_dates_are_found_with_their_format() -> None:
    assert payloads.dates(MW) == (("/_date", "date-time"), ("/movement/on", "date-time"))


def test_replacing_copies_only_the_way() -> None:
    changed = pointers.replace(EXAMPLE, "/sparePart/name", "other")
    assert pointers.get(changed, "/sparePart/name") == "other"
    assert pointers.get(EXAMPLE, "/sparePart/name") != "other"
    assert pointers.get(changed, "/stock") is pointers.get(EXAMPLE, "/stock")


@settings(deadline=None)
@given(JSON)
def test_every_leaf_can_be_replaced(value: JsonValue) -> None:
    for pointer, leaf in pointers.leaves(value):
        assert pointers.get(value, pointer) == leaf
        changed = pointers.replace(value, pointer, "new")
        assert pointers.get(changed, pointer) == "new"


@pytest.mark.parametrize(
    ("pointer", "hint"),
    [
        ("/sparePart/sparepartId", "the nearest place is '/sparePart/sparePartId'"),
        ("/_metadata/1", "the nearest place is '/_metadata/0'"),
        ("/_metadata/00", "the nearest place is '/_metadata/0'"),
        ("sparePart", "begin with a slash: /sparePart"),
        ("/a~b", "write ~ as ~0 and / as ~1"),
    ],
)
def test_a_wrong_pointer_names_the_nearest(pointer: str, hint: str) -> None:
    for use in (pointers.get, lambda value, place: pointers.replace(value, place, 1)):
        with pytest.raises(pointers.PointerError) as caught:
            use(EXAMPLE, pointer)
        assert caught.value.hint == hint


def test_pointers_escape_what_they_reserve() -> None:
    value: JsonValue = {"a/b": {"m~n": [1], "": 2}}
    assert [pointer for pointer, _ in pointers.leaves(value)] == ["/a~1b/m~0n/0", "/a~1b/"]


def test_importing_payloads_stays_light() -> None:
    code = "import sys, hookproof_spec.payloads; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"openapi_core", "openapi_spec_validator", "jsonschema", "yaml", "rstr", "hypothesis"}
    assert heavy.isdisjoint(run.stdout.split())
