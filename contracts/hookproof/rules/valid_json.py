"""One event in every lawful spelling of JSON: the signature covers bytes, not values."""

from __future__ import annotations

from collections.abc import Iterator

from hookproof.bodies import as_php_writes, compact, indented, reversed_keys
from hookproof.diagnosis.asking import other_bytes
from hookproof.judging import accepted, at, means, worst
from hookproof.lab import Case, Lab
from hookproof.rule import Need, Rule, Who, rule
from hookproof.verdicts import Judgement, Level
from hookproof_spec import payloads, pointers

PHP_TEXTS = ("Atelier A/B", "Joint étanche \U0001f600", "REF/42")
UTF8_TEXTS = ("Lagerstück é \U0001f600 \u2028 漢字",)
RAW_BYTES = "Compute the HMAC over the bytes as they arrived; never over parsed, re-written JSON."


@rule(
    id="valid-php-escapes",
    level=Level.MUST,
    title="JSON as PHP's json_encode writes it verifies",
    requirement="A body in which / and letters beyond ASCII are escaped MUST verify as it is.",
    source="RFC 8259 section 7; the vendor's own sample is PHP, which escapes by default",
    remedy=RAW_BYTES,
    who=Who.SENDER,
    needs=(Need.MARKER, Need.JSON),
    core=True,
)
@means(other_bytes)
@accepted
def php_escapes(lab: Lab) -> Iterator[Case]:
    r"""An event with \/, \u00e9 and a surrogate pair as escape sequences."""
    body = as_php_writes(lab.value(texts=PHP_TEXTS))
    yield Case(r"an event with JSON escapes (\/ and \u00e9)", lab.genuine(body).request)


@rule(
    id="valid-utf8",
    level=Level.MUST,
    title="Raw UTF-8 verifies",
    requirement="A body with raw UTF-8 from any plane MUST verify byte for byte.",
    source="RFC 8259 section 8.1: JSON between systems is UTF-8",
    remedy="Verify the byte buffer; decode it as UTF-8 only afterwards.",
    who=Who.SENDER,
    needs=(Need.MARKER, Need.JSON),
)
@means(other_bytes)
@accepted
def utf8(lab: Lab) -> Iterator[Case]:
    """An event with accents, an emoji, U+2028 and Chinese characters as raw UTF-8."""
    body = compact(lab.value(texts=UTF8_TEXTS))
    yield Case("an event with raw UTF-8 (accents, emoji, U+2028, CJK)", lab.genuine(body).request)


@rule(
    id="valid-whitespace",
    level=Level.MUST,
    title="Indented JSON verifies",
    requirement="White space between JSON tokens MUST NOT keep a body from verifying; a line's end"
    " behind the body SHOULD NOT either.",
    source="RFC 8259 section 2: white space is free in JSON, and the signature covers it",
    remedy="Do not trim, minify or reformat the body before verifying.",
    who=Who.SENDER,
    needs=(Need.JSON,),
)
def whitespace(lab: Lab) -> Judgement:
    """An event indented by four spaces; then compact JSON with a line's end behind it."""
    return worst(_indented(lab), at(Level.SHOULD, _final_newline(lab)))


@means(other_bytes)
@accepted
def _indented(lab: Lab) -> Iterator[Case]:
    yield Case("an event in indented JSON", lab.genuine(indented(lab.value())).request)


@means(other_bytes)
@accepted
def _final_newline(lab: Lab) -> Iterator[Case]:
    yield Case("an event with a line's end behind it", lab.genuine(lab.body() + b"\n").request)


@rule(
    id="valid-key-order",
    level=Level.MUST,
    title="Members in another order verify",
    requirement="The order of an object's members MUST NOT keep a body from verifying.",
    source="RFC 8259 section 4: objects are unordered",
    remedy="Compute the HMAC over the raw bytes; never sort or canonicalise.",
    who=Who.SENDER,
)
@means(other_bytes)
@accepted
def key_order(lab: Lab) -> Iterator[Case]:
    """An event whose members stand in reverse order at every level."""
    body = lab.written(reversed_keys(lab.value()))
    yield Case("an event with its members in reverse order", lab.genuine(body).request)


@rule(
    id="valid-body-64k",
    level=Level.SHOULD,
    title="A 64 KiB event is accepted",
    requirement="An event of 64 KiB SHOULD be accepted.",
    source="our judgement: real events are far smaller, and limits are legitimate",
    remedy="Set the limit for bodies well above the largest real event, and answer 413 above it.",
    who=Who.SENDER,
    needs=(Need.MARKER,),
)
@means("it takes no body of that size")
@accepted
def body_64k(lab: Lab) -> Iterator[Case]:
    """An event with a text of 65,000 letters."""
    body = lab.written(lab.value(texts=("x" * 65_000,)))
    yield Case("an event of 64 KiB", lab.genuine(body).request)


@rule(
    id="valid-unknown-field",
    level=Level.SHOULD,
    title="An added field does not break the receiver",
    requirement="An event with a member that the document does not name SHOULD be accepted, and so"
    " should one whose arrays are empty, where the document allows it.",
    source="our judgement: senders add members; some teams forbid them on purpose",
    remedy="Ignore members you do not know.",
    who=Who.SENDER,
    needs=(Need.JSON,),
)
@accepted
def unknown_field(lab: Lab) -> Iterator[Case]:
    """An event with one member more; and one with each array of the example emptied."""
    value = lab.value()
    if not isinstance(value, dict):
        return
    more = compact({**value, "newField": {"a": 1}})
    yield Case("an event with a member nobody knows", lab.genuine(more).request)
    for pointer in pointers.places(value):
        if isinstance(pointers.get(value, pointer), list):
            emptied = compact(pointers.replace(lab.value(), pointer, []))
            yield Case(f"an event whose {pointer} is empty", lab.genuine(emptied).request)


@rule(
    id="valid-same-subject",
    level=Level.MUST,
    title="Two events about the same thing are two events",
    requirement="Two events with the same identifiers, other dates and other nonces MUST both be"
    " processed.",
    source="vendor: the nonce identifies the request; a part can run out twice",
    remedy="De-duplicate by the nonce, not by an identifier in the payload.",
    who=Who.SENDER,
    needs=(Need.DATES, Need.NONCE),
)
@means("it tells events apart by what they are about, and drops the second")
@accepted
def same_subject(lab: Lab) -> Iterator[Case]:
    """Two events that differ in their dates and nonces alone."""
    first = lab.value()
    second = first
    for pointer, form in payloads.dates(lab.webhook):
        later = lab.bodies.date(lab.clock() + 1, form)
        second = pointers.replace(second, pointer, later)
    yield Case("an event", lab.genuine(lab.written(first)).request)
    note = "a later event with the identifiers of an earlier one"
    yield Case(note, lab.genuine(lab.written(second)).request)


RULES: tuple[Rule, ...] = (
    php_escapes,
    utf8,
    whitespace,
    key_order,
    body_64k,
    unknown_field,
    same_subject,
)
