"""Reading `x-webhook-signature`: what is right becomes a scheme, what is wrong is told in full."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import hookproof_spec
from hookproof.fresh import fresh_nonce
from hookproof_spec import pointers
from hookproof_spec.errors import Problem, Severity
from hookproof_spec.request import Request
from hookproof_spec.scheme import Algorithm, Encoding, KeyText, OnRetry, SignatureScheme, TimeUnit
from hookproof_spec.scheme_reader import read_scheme
from hookproof_spec.signing import Signer, Verifier
from hookproof_spec.webhook import JsonValue
from support.vocabulary import CURVE_KEY, EDWARDS_KEY, WORDS, pem, rsa_key

HOME = Path(hookproof_spec.__file__).parent
SCHEMA = jsonschema_rs.Draft202012Validator(
    json.loads((HOME / "schemas/x-webhook-signature.json").read_text(encoding="utf-8"))
)
VALID: list[JsonValue] = [
    json.loads(path.read_text(encoding="utf-8"))["extension"]
    for path in sorted((HOME / "vectors").glob("*.json"))
    if not path.name.endswith(".schema.json")
] + [words.extension for words in WORDS.values()]
AT = "/components/securitySchemes/S/x-webhook-signature"


def mobility_work(**words: JsonValue) -> dict[str, JsonValue]:
    extension: dict[str, JsonValue] = {
        "algorithm": "hmac-sha256",
        "content": "{timestamp}.{nonce}.{body}",
        "encoding": "hex",
        "carry": {"header": {"X-MW": "t={timestamp},nonce={nonce},signature={signature}"}},
        "timestamp": {"unit": "s", "tolerance": 3600},
        "nonce": {"pattern": "[0-9a-f]{40}"},
    }
    return extension | words


def carried(**headers: str) -> dict[str, JsonValue]:
    return {"header": {name.replace("_", "-"): text for name, text in headers.items()}}


def problems(extension: object) -> tuple[Problem, ...]:
    return read_scheme(extension, pointer=AT)[1]


def errors(extension: object) -> list[Problem]:
    return [p for p in problems(extension) if p.severity is Severity.ERROR]


def warnings(extension: object) -> list[Problem]:
    scheme, found = read_scheme(extension, pointer=AT)
    assert scheme is not None, found
    return list(found)


def scheme_of(extension: object) -> SignatureScheme:
    scheme, found = read_scheme(extension, pointer=AT)
    assert scheme is not None, found
    return scheme


def test_every_word_reaches_the_scheme() -> None:
    extension: dict[str, JsonValue] = {
        "algorithm": "hmac-sha512",
        "key": {"text": "base64", "without": "whsec_"},
        "content": "{nonce}.{timestamp}.{body}",
        "encoding": "base64url",
        "carry": carried(id="{nonce}", time="{timestamp}", sig="{signatures}"),
        "repeat": {"item": "v1,{signature}", "separator": " "},
        "timestamp": {"unit": "ms", "tolerance": 1.5},
        "nonce": {"pattern": "[a-z]+", "on-retry": "same"},
    }
    scheme = scheme_of(extension)
    assert (scheme.algorithm, scheme.encoding) == (Algorithm.HMAC_SHA512, Encoding.BASE64URL)
    assert (scheme.key.text, scheme.key.without) == (KeyText.BASE64, "whsec_")
    assert [header.name for header in scheme.headers] == ["id", "time", "sig"]
    assert scheme.repeat
    assert (scheme.repeat.prefix, scheme.repeat.separator) == ("v1,", " ")
    assert scheme.timestamp
    assert scheme.timestamp.unit is TimeUnit.MILLISECONDS
    assert scheme.timestamp.tolerance == 1.5
    assert scheme.nonce
    assert scheme.nonce.on_retry is OnRetry.SAME


def test_what_is_left_out_has_defaults() -> None:
    scheme = scheme_of(
        {"algorithm": "ed25519", "content": "{body}", "carry": carried(X="{signature}")}
    )
    assert (scheme.encoding, scheme.key.text, scheme.key.without) == ("hex", "utf-8", "")
    assert (scheme.timestamp, scheme.nonce, scheme.repeat) == (None, None, None)


def test_carried_values_get_default_rules() -> None:
    extension = mobility_work()
    del extension["timestamp"], extension["nonce"]
    scheme = scheme_of(extension)
    assert scheme.timestamp
    assert scheme.timestamp.tolerance is None
    assert scheme.nonce
    assert scheme.nonce.pattern is None


def test_a_good_extension_has_no_problems() -> None:
    assert problems(mobility_work()) == ()


def test_a_problem_names_place_value_and_remedy() -> None:
    assert problems(mobility_work(algorithm="hmac-sha-256")) == (
        Problem(
            f"{AT}/algorithm",
            "unknown algorithm 'hmac-sha-256'",
            "did you mean hmac-sha256?"
            " (allowed: hmac-sha1, hmac-sha256, hmac-sha384, hmac-sha512, ed25519, sha1, sha256,"
            " ecdsa-p256-sha256, rsa-sha1, rsa-sha256)",
        ),
    )


def test_all_problems_are_told_at_once() -> None:
    found = errors({"algoritm": 1, "encoding": "hexa", "nonce": {"pattern": "["}, "key": []})
    assert {problem.pointer.removeprefix(AT) for problem in found} == {
        "",
        "/algoritm",
        "/encoding",
        "/nonce/pattern",
        "/key",
    }


@pytest.mark.parametrize(
    ("words", "place", "message"),
    [
        ({"content": "{nonse}.{body}"}, "/content", "unknown placeholder '{nonse}'"),
        ({"content": "{signature}{body}"}, "/content", "{signature} has no value here"),
        ({"content": "{body|sha3}"}, "/content", "unknown filter 'sha3' in '{body|sha3}'"),
        ({"content": "{body"}, "/content", "a brace that belongs to no placeholder in '{body'"),
        ({"content": 3}, "/content", "content must be a text, not 3"),
        ({"content": "\ud800"}, "/content", "content holds half a surrogate pair"),
        ({"encoding": "Hex"}, "/encoding", "unknown encoding 'Hex'"),
        ({"key": {"text": "utf8"}}, "/key/text", "unknown key text 'utf8'"),
        ({"key": {"without": 1}}, "/key/without", "a key's prefix must be a text, not 1"),
        ({"timestamp": {"unit": "sec"}}, "/timestamp/unit", "unknown unit 'sec'"),
        ({"nonce": {"on-retry": True}}, "/nonce/on-retry", "unknown on-retry true"),
        ({"nonce": {"on_retry": "new"}}, "/nonce/on_retry", "unknown word 'on_retry'"),
        ({"carry": {}}, "/carry", "there is no place where the signature travels"),
        ({"carry": {"headers": {}}}, "/carry/headers", "unknown word 'headers'"),
        ({"repeat": {"item": "{signature}"}}, "/repeat", "'separator' is missing"),
    ],
)
def test_a_wrong_word_is_refused(words: dict[str, JsonValue], place: str, message: str) -> None:
    found = errors(mobility_work(**words))
    assert (AT + place, message) in [(problem.pointer, problem.message) for problem in found]


@pytest.mark.parametrize("tolerance", [0, -1, True, "3600", None, float("nan"), float("inf")])
def test_a_tolerance_must_be_positive(tolerance: JsonValue) -> None:
    [problem] = errors(mobility_work(timestamp={"tolerance": tolerance}))
    assert problem.pointer == f"{AT}/timestamp/tolerance"


@pytest.mark.parametrize("pattern", ["[", "(?P<a>", "a{99999999999}", "[[a]", "(" * 2000, "*"])
def test_a_pattern_must_be_a_regular_expression(pattern: str) -> None:
    [problem] = errors(mobility_work(nonce={"pattern": pattern}))
    assert "is no regular expression" in problem.message


@pytest.mark.parametrize(
    ("words", "place", "message"),
    [
        ({"key": {"digest": "sha"}}, "/key/digest", "unknown key digest 'sha'"),
        ({"key": {"normalize": "nfc"}}, "/key/normalize", "unknown Unicode form 'nfc'"),
        ({"uncovered": "head"}, "/uncovered", "unknown uncovered 'head'"),
        ({"uncovered": "body"}, "/uncovered", "the signature covers the body"),
        ({"content": "{header}{body}"}, "/content", "{header} needs an argument"),
        ({"content": "{body:1}"}, "/content", "{body} takes no argument"),
        ({"content": "{json:id}{body}"}, "/content", "wrong argument in '{json:id}'"),
        ({"content": "{header:a b}"}, "/content", "wrong argument in '{header:a b}'"),
        ({"content": "{timestamp:5}"}, "/content", "wrong argument in '{timestamp:5}'"),
        ({"content": "{timestamp:+0}"}, "/content", "wrong argument in '{timestamp:+0}'"),
        ({"carry": carried(X="{path}")}, "/carry/header/X", "{path} has no value here"),
        ({"carry": carried(X="{body}")}, "/carry/header/X", "{body} has no value here"),
        ({"carry": carried(X="{body|md5}")}, "/carry/header/X", "'{body|md5}' is no text"),
        (
            {"carry": carried(X="{nonce|hex}")},
            "/carry/header/X",
            "a filter in '{nonce|hex}' could not be undone",
        ),
        ({"carry": {"json": {"id": "{nonce}"}}}, "/carry/json/id", "'id' is no JSON pointer"),
        ({"carry": {"query": {"": "{nonce}"}}}, "/carry/query/", "a name is empty"),
        ({"carry": {"query": []}}, "/carry/query", "carry.query must be a mapping, not []"),
        ({"carry": {"field": {"a": "é{nonce}"}}}, "/carry/field/a", "printable ASCII"),
        (
            {"carry": {"json": {"/a": "{nonce}", "/a/b": "{signature}"}}},
            "/carry/json/~1a~1b",
            "it is inside of '/a'",
        ),
        (
            {"carry": carried(X="{signature}") | {"numbers": ["/a"]}},
            "/carry/numbers/0",
            "'/a' carries nothing under json",
        ),
    ],
)
def test_a_wrong_word_of_the_second_ring_is_refused(
    words: dict[str, JsonValue], place: str, message: str
) -> None:
    found = [(p.pointer.removeprefix(AT), p.message) for p in errors(mobility_work(**words))]
    assert any(at == place and message in told for at, told in found), found


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"content": "{secret}{timestamp}{nonce}{body}"}, "hmac-sha256 has a key"),
        ({"algorithm": "sha256"}, "anyone can make a plain sha256"),
        (
            {"carry": {"json": {"/s": "{signature}", "/t": "{timestamp}", "/n": "{nonce}"}}},
            "{body} is signed and carries its own signature",
        ),
        ({"content": "{header:x-mw}{body}"}, "the X-MW header is signed and carries the signature"),
        (
            {
                "content": "{fields}",
                "carry": carried(D="{body|sha1|hex}") | {"field": {"s": "{signature}"}},
            },
            "a digest of the body travels, which this would change",
        ),
        (
            {"carry": {"json": {"/a": "{signature}"}, "field": {"n": "{nonce}"}}},
            "json and field exclude each other",
        ),
        (
            {"carry": carried(X="{signature2}", T="{timestamp}", N="{nonce}")},
            "{signature2} is beside {signature}, which travels nowhere",
        ),
        (
            {
                "content": "{key-id}{body}",
                "carry": carried(A="{signature}", B="{signature2}"),
            },
            "{key-id} and {signature2} exclude each other",
        ),
    ],
)
def test_words_that_contradict_each_other_are_refused(
    words: dict[str, JsonValue], message: str
) -> None:
    extension = mobility_work(**words)
    assert any(message in problem.message for problem in errors(extension)), errors(extension)


def test_an_unknown_placeholder_has_its_nearest() -> None:
    [problem] = errors(mobility_work(content="{timestamp}.{nonce}.{fild:a}{body}"))
    assert problem.hint.startswith("did you mean {field:NAME}?")
    [problem] = errors(mobility_work(content="{timestamp}.{nonce}.{body|sha265|hex}"))
    assert problem.hint.startswith("did you mean sha256?")


@pytest.mark.parametrize(
    ("words", "near"),
    [
        ({"algorithm": "HMAC-SHA256"}, "did you mean hmac-sha256? "),
        ({"encoding": "HEX"}, "did you mean hex? "),
        ({"key": {"normalize": "nfkc"}}, "did you mean NFKC? "),
    ],
)
def test_a_word_in_other_case_has_its_nearest(words: dict[str, JsonValue], near: str) -> None:
    (problem,) = errors(mobility_work(**words))
    assert problem.hint.startswith(near)


def test_a_body_said_to_be_uncovered_is_not_warned_of() -> None:
    extension = mobility_work(content="{timestamp}.{nonce}", uncovered="body")
    assert warnings(extension) == []


@pytest.mark.parametrize(
    ("content", "shiftable"),
    [
        ("{method}{url}{body}", False),
        ("{body|sha256|hex}{header:Date}", False),
        ("{body|crc32}{header:Date}", True),
        ("{timestamp}|{body|crc32}", False),
        ("{json:/a}{json:/b}", True),
    ],
)
def test_known_and_fixed_parts_keep_their_boundaries(content: str, shiftable: bool) -> None:
    extension = mobility_work(content=content, carry=carried(X="{signature}"))
    del extension["nonce"], extension["timestamp"]
    if "{timestamp}" in content:
        extension["carry"] = carried(X="{signature}", T="{timestamp}")
    found = [problem.message for problem in warnings(extension)]
    assert any("can be shifted" in message for message in found) == shiftable


@pytest.mark.parametrize(
    "header",
    [
        "{timestamp}.{signature}",
        "t={timestamp},v1={signature};x={nonce}",
        "t={timestamp},{signature}",
        "{signature} trailing",
        "t={timestamp},t={signature}",
        "t={timestamp},v1={signatures}",
    ],
)
def test_an_unreadable_header_is_refused(header: str) -> None:
    extension = mobility_work(carry=carried(X=header))
    assert any("cannot be read back" in problem.message for problem in errors(extension))


@pytest.mark.parametrize(
    ("carry", "message"),
    [
        (carried(X="t={timestamp},n={nonce}"), "there is no place where the signature travels"),
        (carried(X="{signature}", T="{timestamp}"), "{nonce} is signed and travels nowhere"),
        (carried(X="{signature}", Y="t={timestamp},n={nonce},s={signature}"), "travels twice"),
        (carried(X="fixed"), "it carries no value"),
        (carried(X="é{signature}"), "printable ASCII"),
        (carried(X="a\r\nB: {signature}"), "printable ASCII"),
        ({"header": {"X Y": "{signature}"}}, "is no header name"),
        ({"header": {"X": "{signature}", "x": "{timestamp}"}}, "is the same header"),
    ],
)
def test_what_travels_is_checked(carry: JsonValue, message: str) -> None:
    assert any(message in problem.message for problem in errors(mobility_work(carry=carry)))


def test_a_declared_value_must_travel() -> None:
    extension = mobility_work(content="{body}", carry=carried(X="{signature}"))
    messages = [problem.message for problem in errors(extension)]
    assert messages == [
        "'timestamp' is declared and travels nowhere",
        "'nonce' is declared and travels nowhere",
    ]


def test_repeat_and_signatures_need_each_other() -> None:
    alone = mobility_work(repeat={"item": "v1={signature}", "separator": ","})
    assert [problem.message for problem in errors(alone)] == ["no header says {signatures}"]
    missing = mobility_work(
        carry=carried(X="{signatures}", T="{timestamp}", N="{nonce}"),
    )
    assert [problem.message for problem in errors(missing)] == ["{signatures} needs 'repeat'"]


@pytest.mark.parametrize(
    "words",
    [
        {"timestamp": {"unit": "http-date"}},
        {"encoding": "base64", "carry": carried(X="t={timestamp}/n={nonce}/s={signature}")},
    ],
)
def test_a_separator_inside_values_is_refused(words: dict[str, JsonValue]) -> None:
    [problem] = errors(mobility_work(**words))
    assert "separates the items and may stand in" in problem.message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"content": "{timestamp}.{nonce}"}, "the signature does not cover the body"),
        ({"content": "{nonce}.{body}"}, "does not cover {timestamp}: anyone can change it"),
        ({"content": "{timestamp}{nonce}.{body}"}, "{timestamp} and {nonce} can be shifted"),
        ({"nonce": {}}, "{nonce} and {body} can be shifted: '.' may stand in both"),
        ({"nonce": {"pattern": "[^,]+"}}, "{nonce} and {body} can be shifted"),
        ({"nonce": {"pattern": "[a-f,]+"}}, "',' separates the items and may stand in {nonce}"),
        (
            {"content": "{nonce}.{timestamp}.{body}", "nonce": {}},
            "{nonce} and {body} can be shifted",
        ),
    ],
)
def test_a_doubtful_scheme_is_warned_about(words: dict[str, JsonValue], message: str) -> None:
    found = warnings(mobility_work(**words))
    assert all(problem.severity is Severity.WARNING for problem in found)
    assert any(message in problem.message for problem in found)


def test_a_header_that_others_miss_is_warned_about() -> None:
    around = {"type": "apiKey", "in": "header", "name": "X-Other"}
    _, found = read_scheme(mobility_work(), pointer=AT, security_scheme=around)
    assert [problem.severity for problem in found] == [Severity.WARNING]
    _, found = read_scheme(mobility_work(), pointer=AT, security_scheme=around | {"name": "x-mw"})
    assert found == ()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=4,
)
TEMPLATES = st.lists(
    st.sampled_from(
        [
            *("{body}", "{timestamp}", "{nonce}", "{signature}", "{signatures}", "{x}", "{", "."),
            *(",v1=", "{url}", "{fields}", "{secret}", "{key-id}", "{signature2}", "{json:/a~2}"),
            *("{header:Date}", "{body|sha1|hex}", "{body|crc32}", "{body|md5}", "{timestamp:+1}"),
        ]
    ),
    max_size=6,
).map("".join)


@settings(deadline=None)
@given(ANYTHING)
def test_no_value_makes_the_reader_raise(value: object) -> None:
    scheme, found = read_scheme(value, pointer=AT)
    assert scheme is None
    assert found


@st.composite
def mutations(draw: st.DrawFn) -> JsonValue:
    """Draw a valid extension with a few places changed, removed or added."""
    extension = copy.deepcopy(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(pointers.places(extension))))
        kind = draw(st.sampled_from(["value", "template", "word", "remove", "add"]))
        extension = _mutated(draw, extension, place, kind)
    return extension


def _mutated(draw: st.DrawFn, extension: JsonValue, place: str, kind: str) -> JsonValue:
    words = ["hex", "base64", "utf-8", "hmac-sha1", "same", "ms", "sha256", "body", "NFC", "json"]
    if kind == "value":
        return pointers.replace(extension, place, draw(JSON))
    if kind == "template":
        return pointers.replace(extension, place, draw(TEMPLATES))
    if kind == "word":
        return pointers.replace(extension, place, draw(st.sampled_from(words)))
    parent = pointers.get(extension, place)
    if not isinstance(parent, dict):
        return extension
    changed = dict(parent)
    if kind == "remove" and changed:
        del changed[draw(st.sampled_from(sorted(changed)))]
    elif kind == "add":
        changed[draw(st.text(max_size=5) | st.sampled_from(words))] = draw(JSON)
    return pointers.replace(extension, place, changed)


@settings(deadline=None)
@given(mutations())
def test_reader_refuses_what_the_schema_refuses(extension: JsonValue) -> None:
    scheme, found = read_scheme(extension, pointer=AT)
    try:
        valid = SCHEMA.is_valid(extension)
    except ValueError:
        return  # half a surrogate pair, which the schema's validator cannot look at
    if not valid:
        assert scheme is None
        assert any(problem.severity is Severity.ERROR for problem in found)


SEMANTIC = (
    "travels nowhere",
    "travels twice",
    "exclude each other",
    "{signatures} needs 'repeat'",
    "no header says {signatures}",
    "cannot be read back",
    "may stand in",
    "that is in no item",
    "is the same header",
    "is no regular expression",
    "half a surrogate pair",
    "carries nothing under json",
    "it is inside of",
    "travels, which this would change",
    "carries its own signature",
    "is signed and carries the signature",
    "the secret is not in the content",
    "{secret} is for a plain hash",
    "{signature2} is beside",
    "{key-id} and {signature2}",
    "the signature covers the body",
    "json and field exclude each other",
)


@settings(deadline=None)
@example({**mobility_work(), "nonce": {"pattern": ""}})
@given(mutations())
def test_schema_refuses_all_but_semantic_errors(extension: JsonValue) -> None:
    found = errors(extension)
    beyond = [p for p in found if not any(words in p.message for words in SEMANTIC)]
    if beyond:
        assert not SCHEMA.is_valid(extension), beyond


@pytest.mark.parametrize("extension", VALID)
def test_vectors_extensions_satisfy_the_schema(extension: JsonValue) -> None:
    assert [error.message for error in SCHEMA.iter_errors(extension)] == []


SECRETS = {
    Algorithm.ED25519: pem(EDWARDS_KEY),
    Algorithm.ECDSA_P256_SHA256: pem(CURVE_KEY),
    Algorithm.RSA_SHA1: pem(rsa_key()),
    Algorithm.RSA_SHA256: pem(rsa_key()),
}


def secret_for(scheme: SignatureScheme) -> str:
    own = SECRETS.get(scheme.algorithm, scheme.key.without + "00ff" * 8)
    named = f"name:{own}" if scheme.has_key_id else own
    return f"{named}:{own}" if scheme.has_second_key else named


@settings(deadline=None)
@given(mutations())
def test_whatever_can_be_read_can_sign_and_verify(extension: JsonValue) -> None:
    scheme, _ = read_scheme(extension, pointer=AT)
    if scheme is None:
        return
    secret, now = secret_for(scheme), 1_660_338_149.0
    plain = Request("POST", "https://example.org/hook?a=b", (), b"{}")
    nonce = fresh_nonce(scheme.nonce)
    signed = Signer(scheme, secret).signed(plain, timestamp=now, nonce=nonce)
    verdict = Verifier(scheme, secret).verify(signed, now)
    assert verdict.accepted, (verdict, signed)
    assert scheme.describe()
