"""The table of known mistakes: each is found again in what was signed with it, and told apart."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hookproof.diagnosis.hints import MOST, Refused, hints, taken_apart
from hookproof.diagnosis.making import Making, Step
from hookproof.diagnosis.mistake import Mistake
from hookproof.diagnosis.mistakes import (
    LARGEST_FOR_TWO,
    MISTAKES,
    MOST_RECOMPUTED,
    explanations,
    one_wrong,
    two_wrong,
)
from hookproof.fresh import fresh_nonce
from hookproof.keys import another_secret
from hookproof.redact import Redactor
from hookproof.validators import RequestValidator
from hookproof_spec import load, payloads
from hookproof_spec.documents import names
from hookproof_spec.request import Request
from hookproof_spec.scheme import Algorithm, Encoding, KeyRule, KeyText, TimestampRule, TimeUnit
from hookproof_spec.signing import Delivery, Reason, Signer, Verification
from hookproof_spec.templates import Template
from hookproof_spec.webhook import Webhook
from support.command_line import all_forms

NOW = 1_700_000_000.0
WEBHOOK = load("mobility-work").webhook()
# As many mistakes as possible have to make a difference to one of these.
SECRETS = (
    "whsec_c3BhcmUgcGFydHMgb2Yga2V5cw==",
    "live_5aeb1f0c5aeb1f0c",
    "5aeb1f0c5aeb1f0c",
    " aB #c$é'",
    "aB#c",
    "one,two;three|four",
    "'quoted'",
    "\ufeffmarked",
    "a%20b+c",
)
BODIES = (
    b'{"b": "\xc3\xa9/", "a": {"d": 1, "c": 2}}',
    b'{ "b": "\xc3\xa9 /<&", "a": [1.0, null, true] }',
    b'\xef\xbb\xbf{"a":"\\/x"}\r\n',
    b' {"a":"\xe9"}\n',
    b'"{\\"a\\":1}"',
    b"eyJhIjoxfQ==",
    gzip.compress(b'{"a":1}', mtime=0),
    b"%7B%22a%22%3A1%7D",
)


def makings() -> Iterator[Making]:
    in_milliseconds = replace(WEBHOOK.scheme, timestamp=TimestampRule(TimeUnit.MILLISECONDS))
    for body in BODIES:
        yield making(body=body)
    for secret in SECRETS:
        yield making(secret=secret)
        yield making(secret=secret, text=KeyText.UTF8, without="whsec_")
    yield making(webhook=replace(WEBHOOK, scheme=in_milliseconds))
    for text in ("{body}", "{timestamp}:{nonce}:{body}", "{timestamp}.{nonce}.{timestamp}.{body}"):
        content = Template.parse(text)
        yield making(webhook=replace(WEBHOOK, scheme=replace(WEBHOOK.scheme, content=content)))
    encoded = replace(WEBHOOK.scheme, encoding=Encoding.BASE64, algorithm=Algorithm.HMAC_SHA512)
    yield making(webhook=replace(WEBHOOK, scheme=encoded))


def making(
    *,
    webhook: Webhook = WEBHOOK,
    secret: str = "hookproof-secret-0001",
    body: bytes = b'{"a": 1}',
    text: KeyText = KeyText.UTF8,
    without: str = "",
) -> Making:
    scheme = replace(webhook.scheme, key=KeyRule(text, without))
    plain = Request("POST", "http://h:1/hook?a=b", (("Content-Type", "application/json"),), body)
    delivery = Signer(scheme, secret).sign(plain, timestamp=NOW, nonce="0f" * 20)
    return Making.of(delivery, secret)


ALL = tuple(makings())


def named(name: str) -> Mistake:
    return next(mistake for mistake in MISTAKES if mistake.name == name)


def signed_with(name: str, made: Making) -> str | None:
    """Return the signature that a mistake makes, where it makes another one than the right."""
    changed = named(name).make(made)
    signature = changed.signature() if changed is not None else None
    return None if signature == made.signature() else signature


def test_names_are_names() -> None:
    names = [mistake.name for mistake in MISTAKES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)


@pytest.mark.parametrize("name", [m.name for m in MISTAKES if m.step is not Step.URL])
def test_mistake_is_found_in_what_was_signed_with_it(name: str) -> None:
    tried = 0
    for made in ALL:
        signature = signed_with(name, made)
        if signature is None:
            continue
        tried += 1
        first = next(explanations(made, {signature}))
        assert len(first.mistakes) == 1
        assert first.making.signature() == signature
        assert MISTAKES.index(first.mistakes[0]) <= MISTAKES.index(named(name))
    assert tried, "no request of this test makes a difference to it"


def distinct_pairs() -> list[tuple[str, str]]:
    return [
        ("body-empty", "secret-line-end"),
        ("json-spaced", "content-body-only"),
        ("key-base64-unprefixed", "content-without-part-2"),
        ("key-empty", "hash-sha1"),
        ("content-body-only", "hash-sha512"),
        ("content-separated-3a", "written-base64"),
        ("secret-line-end", "written-upper-hex"),
        ("json-sorted", "time-milliseconds"),
    ]


@pytest.mark.parametrize(("one", "other"), distinct_pairs())
def test_two_mistakes_at_once_are_both_named(one: str, other: str) -> None:
    made = making(secret=SECRETS[0], body=BODIES[0])
    changed = named(one).make(made)
    both = named(other).make(changed) if changed is not None else None
    assert both is not None
    (found,) = explanations(made, {both.signature()})
    assert [mistake.name for mistake in found.mistakes] == [one, other]
    assert named(one).request.wrong.rstrip(",") in found.of_request
    assert named(other).request.wrong.rstrip(",") in found.of_request


@pytest.mark.parametrize("name", [m.name for m in MISTAKES if m.step is Step.URL])
def test_mistake_with_a_signed_url_is_found(name: str) -> None:
    scheme = replace(WEBHOOK.scheme, content=Template.parse("{url}.{timestamp}.{nonce}.{body}"))
    made = making(webhook=replace(WEBHOOK, scheme=scheme))
    signature = signed_with(name, made)
    assert signature is not None
    (found,) = explanations(made, {signature})
    assert [mistake.name for mistake in found.mistakes] == [name]


@pytest.mark.parametrize("document", names())
def test_scheme_of_every_shipped_document_can_be_explained(document: str) -> None:
    webhook = next(iter(load(document).webhooks.values()))
    secret = another_secret(webhook.scheme)
    plain = Request(
        webhook.method.upper(),
        "https://receiver.example/hook?a=b",
        (("Content-Type", webhook.media_type),),
        payloads.encode(payloads.example(webhook)),
    )
    nonce = fresh_nonce(webhook.scheme.nonce)
    signed = Signer(webhook.scheme, secret).sign(plain, timestamp=NOW, nonce=nonce)
    delivery = taken_apart(webhook.scheme, signed.request)
    assert delivery is not None
    made = Making.of(delivery, secret)
    assert made.made(set(delivery.signatures))
    if not webhook.scheme.algorithm.is_keyed:
        return
    dirty = named("secret-line-end").make(made)
    assert dirty is not None
    request = delivery.with_signature(dirty.signature()).request
    verdict = RequestValidator(webhook, secret, nonces=None).judge(request, NOW)
    assert verdict.reason is Reason.WRONG_SIGNATURE
    assert "that ends in a newline" in hints(Refused(request, webhook, verdict), secret)[0]


def test_search_is_bounded() -> None:
    for made in ALL[::8]:
        assert sum(1 for _ in one_wrong(made)) + sum(1 for _ in two_wrong(made)) < MOST_RECOMPUTED


def test_two_mistakes_are_not_searched_in_a_large_body() -> None:
    large = making(body=b'{"a": "' + b"x" * LARGEST_FOR_TWO + b'"}')
    body_only = named("content-body-only").make(large)
    assert body_only is not None
    both = named("hash-sha1").make(body_only)
    assert both is not None
    assert not [*explanations(large, {both.signature()})]
    assert next(explanations(large, {body_only.signature()})).mistakes[0].step is Step.CONTENT


# --- an asymmetric key ---------------------------------------------------------------------------


def test_asymmetric_signature_is_explained_by_its_content() -> None:
    scheme = replace(
        WEBHOOK.scheme, algorithm=Algorithm.ED25519, key=KeyRule(KeyText.HEX), timestamp=None
    )
    seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    scheme = replace(scheme, content=Template.parse("{nonce}.{body}"))
    plain = Request("POST", "http://h/", (), b'{"a":1}')
    body_alone = replace(scheme, content=Template.parse("{body}"))
    signed = Signer(body_alone, seed).sign(plain, timestamp="1", nonce="0f" * 20)
    delivery = taken_apart(scheme, replace(signed, scheme=scheme).request)
    assert delivery is not None
    found = next(explanations(Making.of(delivery, public), set(delivery.signatures)))
    assert "{body} instead of {nonce}.{body}" in found.of_request


# --- hints ---------------------------------------------------------------------------------------


def hinted(
    request: Request, secret: str = "hookproof-secret-0001", *, now: float = NOW
) -> tuple[str, ...]:
    verdict = RequestValidator(WEBHOOK, secret, nonces=None).judge(request, now)
    return hints(Refused(request, WEBHOOK, verdict), secret)


def delivery_of(body: bytes = b'{"a":1}') -> Delivery:
    return making(body=body).delivery


HEADER = "X-MW-Signature"


def value() -> str:
    return delivery_of().request.header(HEADER) or ""


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (lambda v: f'"{v}"', "with quotes"),
        (lambda v: v.replace(",", ";"), "with another separator"),
        (lambda v: v.replace(",", " & "), "with another separator"),
        (lambda v: v.replace("=", ":"), "with ':' for '='"),
        (lambda v: v.replace("nonce=", "Nonce="), "with its keys in other letters"),
        (lambda v: v.replace("=", "%3D").replace(",", "%2C"), "percent-encoded"),
        (lambda v: f"{HEADER}: {v}", "with more before it"),
        (lambda v: f"HMAC {v}", "with more before it"),
        (
            lambda v: "{" + ",".join(f'"{k}":"{x}"' for k, x in items(v)) + "}",
            "as JSON",
        ),
    ],
)
def test_header_that_cannot_be_read_is_read_another_way(written: object, told: str) -> None:
    assert callable(written)
    first = hinted(delivery_of().request.with_header(HEADER, written(value())))[0]
    assert first.startswith(f"the signature is right, but {HEADER} is written {told}"), first


def items(header: str) -> list[tuple[str, str]]:
    return [(key, text) for key, _, text in (item.partition("=") for item in header.split(","))]


def test_header_of_another_name_is_found() -> None:
    request = delivery_of().request.without_header(HEADER).with_header("X_MW_SIGNATURE", value())
    assert hinted(request)[0].startswith("the signature is right, and stands in X_MW_SIGNATURE")


def test_header_that_stands_twice_is_told() -> None:
    request = delivery_of().request
    for doubled in (
        request.with_added_header(HEADER, "t=1"),
        request.with_header(HEADER, f"{value()}, {value()}"),
    ):
        assert "second time" in hinted(doubled)[0]


def test_missing_header_names_the_nearest() -> None:
    request = Request("POST", "/", (("X-MW-Signatur", "t=1"), ("Host", "h")), b"{}")
    assert "X-MW-Signatur" in hinted(request)[0]
    assert "no headers at all" in hinted(request.with_headers(()))[0]


@pytest.mark.parametrize(
    ("unit", "words"), [(TimeUnit.MILLISECONDS, "milliseconds"), (TimeUnit.ISO8601, "ISO 8601")]
)
def test_timestamp_in_another_unit_is_told(unit: TimeUnit, words: str) -> None:
    scheme = replace(WEBHOOK.scheme, timestamp=TimestampRule(unit))
    signed = Signer(scheme, "hookproof-secret-0001").sign(
        Request("POST", "/", (), b"{}"), timestamp=NOW, nonce="0f" * 20
    )
    assert f"written in {words}" in hinted(signed.request)[0]


def test_nonce_of_another_shape_is_told() -> None:
    signed = Signer(WEBHOOK.scheme, "hookproof-secret-0001").sign(
        Request("POST", "/", (), b"{}"), timestamp=NOW, nonce="0F" * 20
    )
    assert "the nonce has another shape" in hinted(signed.request)[0]


@pytest.mark.parametrize(
    ("age", "told"),
    [
        (7200, "almost exactly 2 hours off"),
        (5.5 * 3600 + 40, "almost exactly 5.5 hours off"),
        (-3600, "almost exactly an hour off"),
        (3 * 86_400, "if it was captured just now, the sender's clock is behind"),
        (-4000, "the sender's clock is ahead"),
    ],
)
def test_age_is_explained(age: float, told: str) -> None:
    found = hinted(delivery_of().request, now=NOW + age)
    assert told in found[0]
    assert f"--now {NOW:.0f}" in found[-1]


def test_seconds_for_milliseconds_are_told() -> None:
    scheme = replace(WEBHOOK.scheme, timestamp=TimestampRule(TimeUnit.MILLISECONDS, 300))
    webhook = replace(WEBHOOK, scheme=scheme)
    request = making(webhook=webhook).delivery
    signed = Signer(scheme, "hookproof-secret-0001").sign(
        request.request, timestamp=str(int(NOW)), nonce="0f" * 20
    )
    validator = RequestValidator(webhook, "hookproof-secret-0001", nonces=None)
    verdict = validator.judge(signed.request, NOW)
    assert verdict.reason is Reason.STALE
    first = hints(Refused(signed.request, webhook, verdict), "hookproof-secret-0001")[0]
    assert "milliseconds instead of seconds" in first


def test_another_secret_is_named_when_nothing_else_explains_it() -> None:
    (only,) = hinted(delivery_of().request, "another secret altogether")
    assert only.startswith("none of the known mistakes explains it, one or two at a time")
    assert "another secret" in only


def test_accepted_request_has_no_hints() -> None:
    refused = Refused(delivery_of().request, WEBHOOK, Verification())
    assert hints(refused, "hookproof-secret-0001") == ()


@settings(max_examples=40, deadline=None)
@given(
    mistake=st.sampled_from(MISTAKES),
    secret=st.sampled_from(SECRETS),
    body=st.sampled_from(BODIES),
)
def test_hints_hold_neither_secret_nor_right_signature(
    mistake: Mistake, secret: str, body: bytes
) -> None:
    made = making(secret=secret, body=body)
    changed = mistake.make(made)
    assume(changed is not None)
    assert changed is not None
    request = made.delivery.with_signature(changed.signature()).request
    told = " ".join(hinted(request, secret)).encode()
    assert not any(form in told for form in all_forms(secret) if len(form) > 7)
    assert made.signature().encode() not in told
    assert Redactor([secret], WEBHOOK.scheme).bytes(told) == told


@settings(max_examples=60, deadline=None)
@given(
    header=st.text(max_size=60) | st.from_regex(r"t=[0-9]{1,14},nonce=.{0,50},signature=.{0,70}"),
    body=st.binary(max_size=60),
    now=st.floats(0, 1e11),
)
def test_any_request_has_hints_and_raises_nothing(header: str, body: bytes, now: float) -> None:
    request = Request("POST", "/", ((HEADER, header),), body)
    found = hinted(request, now=now)
    assert 1 <= len(found) <= MOST


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 900 + b"]" * 900,
        b"[" * 100_000,
        b"1" * 10_000,
        b'{"a": NaN, "b": "\\ud800", "c": 1e999}',
        b"\xff\xfe",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_body_that_is_hard_to_rewrite_is_only_not_explained(body: bytes) -> None:
    request = delivery_of(body).with_signature("0" * 64).request
    assert hinted(request)[0].startswith("none of the known mistakes explains it")


def test_signed_url_that_is_none_is_only_not_explained() -> None:
    scheme = replace(WEBHOOK.scheme, content=Template.parse("{url}.{body}"))
    made = making(webhook=replace(WEBHOOK, scheme=scheme))
    broken = replace(made, delivery=replace(made.delivery, url="http://[::1"))
    assert not [*explanations(broken, {"0" * 64})]
