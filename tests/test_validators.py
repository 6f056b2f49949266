"""Judging a request whole: the order of the checks, what is remembered, and both ways agreeing."""

from __future__ import annotations

import copy
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookproof.nonces import MemoryNonceStore, NonceStore
from hookproof.validators import DEFAULT_TOLERANCE, RequestValidator
from hookproof_spec import payloads
from hookproof_spec.documents import load
from hookproof_spec.errors import DocumentError, HookproofError, SecretError
from hookproof_spec.pointers import leaves
from hookproof_spec.pointers import replace as put
from hookproof_spec.request import Request
from hookproof_spec.scheme import TimestampRule
from hookproof_spec.signing import Delivery, Reason, Signer
from hookproof_spec.webhook import JsonValue, Webhook

SECRET = "canary-5b1d-secret"
NOW = 1_700_000_000.0
NONCE = "0123456789abcdef0123456789abcdef01234567"
JSON_TYPE = ("Content-Type", "application/json")


@cache
def spare_part() -> Webhook:
    return load("mobility-work").webhook()


def payload() -> JsonValue:
    return copy.deepcopy(payloads.example(spare_part()))


def delivery(
    *,
    body: bytes | None = None,
    timestamp: float | str = NOW,
    nonce: str = NONCE,
    headers: tuple[tuple[str, str], ...] = (JSON_TYPE,),
    secret: str = SECRET,
    webhook: Webhook | None = None,
) -> Delivery:
    content = payloads.encode(payload()) if body is None else body
    request = Request("POST", "http://localhost/webhook", headers, content)
    signer = Signer((webhook or spare_part()).scheme, secret)
    return signer.sign(request, timestamp=timestamp, nonce=nonce)


def validator(
    webhook: Webhook | None = None,
    *,
    nonces: NonceStore | None = None,
    tolerance: float | None = None,
) -> RequestValidator:
    return RequestValidator(
        webhook or spare_part(), SECRET, nonces=nonces or MemoryNonceStore(), tolerance=tolerance
    )


REFUSED = {
    Reason.MISSING_HEADER: delivery().request.without_header("X-MW-Signature"),
    Reason.MALFORMED_HEADER: delivery(timestamp="soon").request,
    Reason.MALFORMED_NONCE: delivery(nonce="short").request,
    Reason.WRONG_SIGNATURE: delivery(secret="another").request,
    Reason.STALE: delivery(timestamp=NOW - 3601).request,
    Reason.FROM_THE_FUTURE: delivery(timestamp=NOW + 61).request,
    Reason.WRONG_MEDIA_TYPE: delivery(headers=(("Content-Type", "text/plain"),)).request,
    Reason.INVALID_PAYLOAD: delivery(body=b'{"stock": 1}').request,
}


def test_a_genuine_request_is_accepted() -> None:
    verdict = validator().check(delivery().request, NOW)
    assert (verdict.accepted, verdict.nonce, verdict.age) == (True, NONCE, 0)


@pytest.mark.parametrize("reason", REFUSED)
def test_each_fault_has_its_reason(reason: Reason) -> None:
    verdict = validator().check(REFUSED[reason], NOW)
    assert verdict.reason is reason
    assert verdict.detail
    assert SECRET not in repr(verdict)


@pytest.mark.parametrize("reason", REFUSED)
def test_a_refused_request_burns_no_nonce(reason: Reason) -> None:
    nonces = MemoryNonceStore()
    judge = validator(nonces=nonces)
    judge.check(REFUSED[reason], NOW)
    assert len(nonces) == 0
    assert judge.check(delivery().request, NOW).accepted


def test_a_copy_is_replayed_however_its_header_is_written() -> None:
    judge = validator()
    genuine = delivery().request
    header = genuine.header("X-MW-Signature") or ""
    judge.check(genuine, NOW)
    t, nonce, signature = header.split(",")
    for text in (header, f"{nonce}, {signature}, {t}", f"{header},x=1", f"{header},"):
        copied = genuine.with_header("x-mw-signature", text).with_url("http://elsewhere/?x=1")
        assert judge.check(copied, NOW).reason is Reason.REPLAYED


def test_without_a_store_replays_are_left_alone() -> None:
    judge = RequestValidator(spare_part(), SECRET, nonces=None)
    assert [judge.check(delivery().request, NOW).accepted for _ in range(2)] == [True, True]


def test_judging_remembers_nothing() -> None:
    judge = validator()
    judge.judge(delivery().request, NOW)
    assert judge.check(delivery().request, NOW).accepted


def test_a_nonce_lives_as_long_as_its_message() -> None:
    judge = validator(tolerance=100)
    ahead = delivery(timestamp=NOW + 50).request
    assert judge.check(ahead, NOW).accepted
    assert judge.check(ahead, NOW + 150).reason is Reason.REPLAYED
    assert judge.check(ahead, NOW + 151).reason is Reason.STALE


def test_a_retry_signed_anew_prolongs_the_memory() -> None:
    judge = validator(tolerance=100)
    judge.check(delivery().request, NOW)
    later = delivery(timestamp=NOW + 90).request
    assert judge.check(later, NOW + 90).reason is Reason.REPLAYED
    assert judge.check(later, NOW + 190).reason is Reason.REPLAYED


def test_nonces_without_times_are_kept_for_ever() -> None:
    timeless = replace(spare_part(), scheme=replace(spare_part().scheme, timestamp=None))
    judge = validator(timeless)
    request = delivery(webhook=timeless).request
    assert judge.check(request, NOW).accepted
    assert judge.check(request, NOW * 10).reason is Reason.REPLAYED


def test_an_undeclared_tolerance_is_not_endless() -> None:
    scheme = replace(spare_part().scheme, timestamp=TimestampRule())
    judge = validator(replace(spare_part(), scheme=scheme))
    assert judge.check(delivery().request, NOW + DEFAULT_TOLERANCE + 1).reason is Reason.STALE
    assert judge.check(delivery().request, NOW + DEFAULT_TOLERANCE).accepted


@pytest.mark.parametrize("tolerance", [0, -1, float("nan"), float("inf")])
def test_a_tolerance_that_is_none_is_refused(tolerance: float) -> None:
    with pytest.raises(HookproofError, match="tolerance"):
        validator(tolerance=tolerance)


@pytest.mark.parametrize(
    "value",
    ["application/json; charset=utf-8", "Application/JSON", "application/json;foo", JSON_TYPE[1]],
)
def test_media_types_are_compared_without_parameters(value: str) -> None:
    request = delivery(headers=(("content-type", value),)).request
    assert validator().check(request, NOW).accepted


@pytest.mark.parametrize(
    "values", [[], [""], ["application/jsonx"], ["application/json", "application/json"]]
)
def test_missing_and_ambiguous_media_types_are_refused(values: list[str]) -> None:
    headers = tuple(("Content-Type", value) for value in values)
    verdict = validator().check(delivery(headers=headers).request, NOW)
    assert verdict.reason is Reason.WRONG_MEDIA_TYPE


def test_old_and_new_secret_are_both_valid_in_a_rotation() -> None:
    judge = RequestValidator(spare_part(), ["new", SECRET], nonces=None)
    assert judge.check(delivery().request, NOW).accepted
    assert judge.check(delivery(secret="new").request, NOW).accepted


@pytest.mark.parametrize("secrets", ["", [], [""], [SECRET, ""]])
def test_empty_secrets_are_refused(secrets: str | list[str]) -> None:
    with pytest.raises(SecretError):
        RequestValidator(spare_part(), secrets, nonces=None)


def test_a_letter_of_the_secret_is_no_key() -> None:
    verdict = validator().check(delivery(secret=SECRET[0]).request, NOW)
    assert verdict.reason is Reason.WRONG_SIGNATURE


def test_no_secret_at_all_must_be_meant_and_allowed() -> None:
    unsigned = delivery().request.without_header("X-MW-Signature")
    open_door = RequestValidator(spare_part(), None, nonces=MemoryNonceStore())
    assert open_door.check(unsigned, NOW).accepted
    assert open_door.check(unsigned.with_body(b"{}"), NOW).reason is Reason.INVALID_PAYLOAD
    with pytest.raises(SecretError, match="always signed"):
        RequestValidator(replace(spare_part(), unsigned_allowed=False), None, nonces=None)


def test_failed_processing_lets_the_retry_in() -> None:
    judge = validator()
    request = delivery().request
    with pytest.raises(OSError, match="disk"), judge.processing(request, NOW):
        raise OSError("disk")
    with judge.processing(request, NOW) as verdict:
        assert verdict.accepted
        assert judge.check(request, NOW).detail == "its nonce is being processed"
    assert judge.check(request, NOW).detail == "its nonce was used"


def test_a_replay_settles_nothing() -> None:
    judge = validator()
    request = delivery().request
    judge.check(request, NOW)
    with pytest.raises(OSError, match="disk"), judge.processing(request, NOW):
        raise OSError("disk")
    assert judge.check(request, NOW).reason is Reason.REPLAYED


def test_a_document_is_named_or_given_by_path(tmp_path: Path) -> None:
    for document in ("mobility-work", spare_part_path()):
        judge = RequestValidator.from_document(document, SECRET, nonces=None)
        assert judge.check(delivery().request, NOW).accepted
    with pytest.raises(DocumentError, match="no webhook 'sparePart'"):
        RequestValidator.from_document("mobility-work", SECRET, "sparePart", nonces=None)
    with pytest.raises(DocumentError):
        RequestValidator.from_document(tmp_path / "none.yaml", SECRET, nonces=None)


def spare_part_path() -> Path:
    return Path(load("mobility-work").path)


def test_explanations_name_each_place_and_no_value() -> None:
    value = payload()
    faults: dict[str, JsonValue] = {
        "/_date": "canary-date",
        "/_metadata": "canary-metadata",
        "/stock/location": {"name": "canary-name"},
        "/movement/on": None,
    }
    for pointer, new in faults.items():
        value = put(value, pointer, new)
    request = delivery(body=payloads.encode(value), headers=()).request
    told = [str(problem) for problem in validator().explain(request)]
    assert told == [
        "#: no Content-Type header",
        "#/_date: no date-time",
        "#/_metadata: string stands where array belongs",
        "#/stock/location: 'locationId' is a required property",
        "#/movement/on: null stands where string belongs",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"NaN",
        b"[]",
        b'{"a":1,"a":1}',
        b"[" * 100_000,
        b'"\\ud800"',
        b"9" * 5000,
        b"[" * 900 + b"]" * 900,
    ],
    ids=lambda body: body[:10].hex(),
)
def test_difficult_bodies_are_refused_and_explained(body: bytes) -> None:
    request = delivery(body=body).request
    assert validator().check(request, NOW).reason is Reason.INVALID_PAYLOAD
    assert validator().explain(request)


def test_nothing_is_explained_of_a_good_request() -> None:
    assert (
        validator().explain(delivery(headers=(("content-type", "application/json; a"),)).request)
        == ()
    )


def test_references_and_other_keywords_are_explained() -> None:
    schema: dict[str, JsonValue] = {
        "$defs": {"code": {"type": ["string", "null"], "minLength": 3}},
        "type": "object",
        "properties": {
            "a/b": {"items": {"$ref": "#/$defs/code"}},
            "kind": {"enum": ["x", "y"]},
            "self": {"$ref": "#"},
            "$ref": {"const": {"$ref": "#/$defs/code"}},
        },
        "additionalProperties": False,
    }
    judge = validator(replace(spare_part(), schema=schema))
    body = b'{"a/b": ["abc", null, "canary"], "kind": "x", "$ref": {"$ref": "#/$defs/code"}}'
    assert judge.explain(delivery(body=body).request) == ()
    body = b'{"a/b": ["ab", 1], "kind": "canary", "self": {"self": 1, "canary": 2}}'
    told = {str(problem) for problem in judge.explain(delivery(body=body).request)}
    assert told == {
        "#/a~1b/0: it breaks 'minLength', 3",
        "#/a~1b/1: number stands where string or null belongs",
        '#/kind: it breaks \'enum\', ["x", "y"]',
        "#/self: it breaks 'additionalProperties', false",
        "#/self/self: number stands where object belongs",
    }


def test_slow_explainers_are_imported_on_demand() -> None:
    script = (
        "import sys, hookproof.validators;"
        "print([m for m in ('openapi_core', 'jsonschema', 'werkzeug') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


headers = st.lists(
    st.tuples(
        st.sampled_from(["X-MW-Signature", "x-mw-signature", "Content-Type"]),
        st.text(st.characters(max_codepoint=255), max_size=60)
        | st.builds("t={},nonce={},signature={}".format, *[st.text("0a,=é ²", max_size=12)] * 3),
    ),
    max_size=4,
)


@given(headers.map(tuple), st.binary(max_size=60))
@settings(deadline=None)
def test_no_request_of_an_outsider_is_accepted_or_raises(
    lines: tuple[tuple[str, str], ...], body: bytes
) -> None:
    judge = validator()
    request = Request("POST", "/", lines, body)
    assert not judge.check(request, NOW).accepted
    judge.explain(request)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
dates = st.datetimes(min_value=datetime(1900, 1, 1), timezones=zones).map(datetime.isoformat)
near_dates = st.from_regex(
    r"[12][0-9]{3}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]"
    r"(\.[0-9]{0,10})?([Zz]|[+-][0-2][0-9]:?[0-6][0-9])?",
    fullmatch=True,
)
values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | dates
    | near_dates,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts | st.just("on"), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def mutated_payloads(draw: st.DrawFn) -> JsonValue:
    """The example with some of its values replaced, from within or from above."""
    value = payload()
    for _ in range(draw(st.integers(0, 3))):
        pointer = draw(st.sampled_from([pointer for pointer, _ in leaves(value)]))
        if draw(st.booleans()):
            value = put(value, pointer, draw(texts | dates | near_dates))
        else:
            above = pointer.rpartition("/")[0]
            value = put(value, draw(st.sampled_from([pointer, above])), draw(values))
    return value


def has_disputed_date(value: JsonValue) -> bool:
    """Tell whether a text is one on which the two ways are known to disagree.

    A leap second and the year 0000 are times for RFC 3339 and for jsonschema-rs, but not for
    rfc3339-validator, which on the other hand takes a line's end behind a date.
    """
    found = [leaf for _, leaf in leaves(value) if isinstance(leaf, str)]
    return any(text[:4] == "0000" or text[17:19] == "60" or text.endswith("\n") for text in found)


@given(mutated_payloads().filter(lambda value: not has_disputed_date(value)))
@settings(deadline=None, max_examples=300)
def test_the_fast_and_the_full_way_agree(value: JsonValue) -> None:
    judge = RequestValidator(spare_part(), SECRET, nonces=None)
    request = delivery(body=payloads.encode(value)).request
    verdict = judge.check(request, NOW)
    found = judge._explainer.problems(request.body)
    assert verdict.accepted == (not found), (verdict.problems, found)
    assert {p.pointer for p in verdict.problems} == {p.pointer for p in found}
