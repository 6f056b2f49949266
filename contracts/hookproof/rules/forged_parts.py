"""A genuine signature with something else than it signed: body, timestamp, nonce, items, lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from hookproof import header_items
from hookproof.bodies import compact, indented
from hookproof.fresh import fresh_marker, marker_in
from hookproof.judging import at, means, refused
from hookproof.lab import Case, Lab
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules.roots import AGES, VERIFIES
from hookproof.verdicts import Breach, Judgement, Level
from hookproof_spec import payloads
from hookproof_spec.signing import Delivery

TEN_DAYS = 864_000


_SEEN = ("an accepted request", "a refused stale request")
"""How the notes of cases begin whose signature the receiver has verified once."""


def _uncovered(part: str) -> Callable[[Lab, Breach], str]:
    """Say whether the signature covers a part, from what it was that was acted on."""

    def say(_: Lab, breach: Breach) -> str:
        if all(item.note.startswith(_SEEN) for item in breach.evidence):
            return f"it remembers a signature that was right once, and not with which {part}"
        return f"its signature does not cover the {part}"

    return say


@rule(
    id="forged-body-changed",
    level=Level.MUST,
    title="A genuine header over another body is refused",
    requirement="A body other than the signed one MUST be refused, also under a header that was"
    " accepted before.",
    source="vendor: the signature is computed from the payload",
    remedy="Verify over the exact bytes of this request's body, each time anew.",
    needs=(Need.BODY,),
    after=VERIFIES,
    core=True,
)
@means(_uncovered("body"))
@refused
def body_changed(lab: Lab) -> Iterator[Case]:
    """Genuine headers, fresh and captured, over a changed body and over another event's."""
    fresh = lab.genuine()
    yield Case("a genuine header over a changed body", _altered(lab, fresh).request)
    yield Case("a genuine header over another event's body", fresh.with_body(lab.body()).request)
    captured = lab.captured()
    yield Case("an accepted request with its body changed", _altered(lab, captured).request)
    other = captured.with_body(lab.body())
    yield Case("an accepted request with another event's body", other.request)


def _altered(lab: Lab, delivery: Delivery) -> Delivery:
    """Change one value of the body: the marker's, so that an effect would be a new one."""
    marker = marker_in(delivery.body)
    if marker is not None:
        new = delivery.body.replace(marker.encode(), fresh_marker().encode())
        return delivery.with_body(new)
    if payloads.is_form(lab.webhook):
        return delivery.with_body(delivery.body + b"&changed=true")
    return delivery.with_body(compact({"changed": True, "was": json.loads(delivery.body)}))


@rule(
    id="forged-body-empty",
    level=Level.MUST,
    title="A genuine header over an empty body is refused",
    requirement="An empty body under a header that signs another MUST be refused.",
    source="vendor: the signature is computed from the payload",
    remedy="Read the raw body once, first, and keep it.",
    needs=(Need.BODY,),
    after=VERIFIES,
)
@refused
def body_empty(lab: Lab) -> Iterator[Case]:
    """A genuine header, fresh and captured, with `Content-Length: 0`."""
    yield Case("a genuine header over an empty body", lab.genuine().with_body(b"").request)
    captured = lab.captured().with_body(b"")
    yield Case("an accepted request with its body emptied", captured.request)


@rule(
    id="forged-duplicate-json-key",
    level=Level.MUST,
    title="A second member smuggled before the signed one is refused",
    requirement="A body with an unsigned duplicate of a signed member MUST be refused.",
    source="RFC 8259 section 4: what a duplicate means differs from parser to parser",
    remedy="Verify the raw bytes, and refuse duplicate members afterwards.",
    needs=(Need.BODY, Need.MARKER, Need.JSON),
    after=VERIFIES,
)
@means("it verifies parsed and re-written JSON, not the bytes that it received")
@refused
def duplicate_json_key(lab: Lab) -> Iterator[Case]:
    """A genuine header; a false member stands before the one that names the event."""
    genuine = lab.genuine()
    value = json.loads(genuine.body)
    name = (lab.webhook.marker or "/").split("/")[1]
    if not isinstance(value, dict) or name not in value:
        return
    member = json.dumps(name).encode() + b":"
    before, found, rest = genuine.body.partition(member)
    smuggled = before + member + b'"EVIL",' + found + rest
    if json.loads(smuggled) != value:  # the name stands deeper down as well
        return
    note = "a genuine header over its body with a member that stands twice"
    yield Case(note, genuine.with_body(smuggled).request)


@rule(
    id="forged-timestamp-refreshed",
    level=Level.MUST,
    title="A fresh timestamp on an old signature is refused",
    requirement="A timestamp other than the signed one MUST be refused.",
    source="vendor: the signature is computed from the timestamp",
    remedy="Put the header's own timestamp text into the signed content.",
    needs=(Need.TIMESTAMP, Need.SIGNED_TIME),
    after=AGES,
)
@means(_uncovered("timestamp"))
@refused
def timestamp_refreshed(lab: Lab) -> Iterator[Case]:
    """A signature of ten days ago under the present time, unseen and seen before."""
    if lab.scheme.timestamp is None:
        return
    now = lab.clock()
    fresh = lab.scheme.timestamp.unit.write(now)
    old = lab.genuine(timestamp=now - TEN_DAYS).with_timestamp(fresh)
    yield Case("a ten days old signature under a fresh timestamp", old.request)
    seen = lab.genuine(timestamp=now - TEN_DAYS)
    yield Case("a correctly signed request of ten days ago", seen.request)
    again = seen.with_timestamp(fresh)
    yield Case("a refused stale request again, under a fresh timestamp", again.request)


@rule(
    id="forged-nonce-refreshed",
    level=Level.MUST,
    title="A new nonce on an old signature is refused",
    requirement="A nonce other than the signed one MUST be refused.",
    source="vendor: the signature is computed from the nonce",
    remedy="Trust only a replay key that the signature covers.",
    needs=(Need.NONCE, Need.SIGNED_NONCE),
    after=VERIFIES,
)
@means("its signature does not cover the nonce, or it remembers a right one without it")
@refused
def nonce_refreshed(lab: Lab) -> Iterator[Case]:
    """An accepted request with a new nonce and everything else as it was."""
    renewed = lab.captured().with_nonce(lab.nonce())
    yield Case("an accepted request with a new nonce and its old signature", renewed.request)


@rule(
    id="forged-param-missing",
    level=Level.MUST,
    title="A signature header without one of its values is refused",
    requirement="A request that lacks any signed value MUST be refused.",
    source="vendor: timestamp, nonce and signature are all needed to compute the signature",
    remedy="Require every value, or refuse.",
    after=VERIFIES,
)
@refused
def param_missing(lab: Lab) -> Iterator[Case]:
    """A genuine request without its timestamp, without its nonce, without its signature."""
    for name in ("timestamp", "nonce", "signature", "signatures"):
        genuine = lab.genuine()
        key = header_items.key_of(genuine, name)
        place = lab.scheme.place_of(name)
        if key is not None:
            items = header_items.items_of(genuine)
            kept = tuple(item for item in items if not item.startswith(f"{key}="))
            yield Case(f"a request without its {name}", header_items.with_items(genuine, kept))
        elif place is not None and lab.scheme.covers(name):
            bare = header_items.without(genuine, place)
            yield Case(f"a request without its {name}", bare)


@rule(
    id="forged-param-duplicated",
    level=Level.MUST,
    title="Fresh values beside the signed old ones are refused",
    requirement="A signature header that names a value twice MUST NOT pass as fresh.",
    source="our judgement: whichever copy is read, the signature or the age is wrong",
    remedy="Parse the header once into a map, and refuse repeated names.",
    needs=(Need.ITEMS, Need.TIMESTAMP, Need.SIGNED_TIME),
    after=AGES,
)
@means("it verifies one of two values, and uses the other")
@refused
def param_duplicated(lab: Lab) -> Iterator[Case]:
    """A ten days old header with a fresh timestamp (and nonce) before and behind its items."""
    if lab.scheme.timestamp is None:
        return
    now = lab.scheme.timestamp.unit.write(lab.clock())
    for names in (("timestamp",), ("timestamp", "nonce")):
        for place in ("before", "behind"):
            old = lab.genuine(timestamp=lab.clock() - TEN_DAYS)
            values = {"timestamp": now, "nonce": lab.nonce()}
            present = [name for name in names if header_items.key_of(old, name)]
            added = tuple(header_items.item(old, name, values[name]) for name in present)
            items = header_items.items_of(old)
            both = added + items if place == "before" else items + added
            note = f"an old header with a fresh {' and '.join(present)} {place} its items"
            yield Case(note, header_items.with_items(old, both))


@rule(
    id="forged-header-duplicated",
    level=Level.MUST,
    title="Two signature headers, an old and a fresh one, are refused",
    requirement="A request with a stale and a forged signature header MUST be refused.",
    source="RFC 9421 section 7.5.5: a repeated field is ambiguous",
    remedy="Refuse a request with more than one signature header.",
    needs=(Need.TIMESTAMP, Need.SIGNED_TIME, Need.RAW, Need.HEADER),
    after=AGES,
)
@means("it verifies one of two lines, and uses the other")
@refused
def header_duplicated(lab: Lab) -> Iterator[Case]:
    """Two lines, one ten days old and genuine, one fresh with its signature; in both orders."""
    if lab.scheme.timestamp is None:
        return
    now = lab.scheme.timestamp.unit.write(lab.clock())
    for words, old_first in (("an old before a fresh", True), ("a fresh before an old", False)):
        old = lab.genuine(timestamp=lab.clock() - TEN_DAYS)
        fresh = old.with_timestamp(now).with_nonce(lab.nonce())
        first, second = (old, fresh) if old_first else (fresh, old)
        name = header_items.header_of(old).name
        doubled = first.request.with_added_header(name, header_items.value_of(second))
        yield Case(f"a request with {words} signature header", doubled)


@rule(
    id="forged-local-origin",
    level=Level.MUST,
    title="Claiming to be local does not replace a signature",
    requirement="Headers that claim a local origin MUST NOT keep a forged request from refusal.",
    source="our judgement: anyone can send these headers",
    remedy="Never skip verification by address, host name or environment.",
    who=Who.ANYONE,
    after=VERIFIES,
)
@refused
def local_origin(lab: Lab) -> Iterator[Case]:
    """A random signature with X-Forwarded-For, X-Real-IP, Forwarded and Host saying localhost."""
    for name, value in (
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Real-IP", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1"),
        ("Host", "localhost"),
    ):
        forged = lab.genuine().with_signature(lab.random_signature()).request
        yield Case(f"a forged request with {name}: {value}", forged.with_header(name, value))


@rule(
    id="forged-large-body",
    level=Level.MUST,
    title="A large forged request is refused like a small one",
    requirement="A forged request of 100 kB MUST be refused.",
    source="our judgement: a size beyond which nothing is verified is a door",
    remedy="Verify every body, or refuse it for its size.",
    who=Who.ANYONE,
    needs=(Need.MARKER,),
    after=VERIFIES,
)
@means("bodies of that size pass unverified, as small ones do not")
@refused
def large_body(lab: Lab) -> Iterator[Case]:
    """An event with a text of 100,000 letters and a random signature."""
    body = lab.written(lab.value(texts=("x" * 100_000,)))
    forged = lab.genuine(body).with_signature(lab.random_signature())
    yield Case("a forged request of 100 kB", forged.request)


@rule(
    id="forged-reformatted",
    level=Level.SHOULD,
    title="The same JSON in other bytes is refused",
    requirement="A body re-written after signing SHOULD be refused, though its value is the same.",
    source="vendor: the signature is computed from the payload as sent",
    remedy="Compute the HMAC over the raw bytes.",
    needs=(Need.BODY, Need.JSON),
    after=VERIFIES,
)
@means("it verifies another form of the body than the bytes that it received")
@refused
def reformatted(lab: Lab) -> Iterator[Case]:
    """A genuine header over its body indented, with a space, a line's end, a value behind it."""
    for words, rewritten in (
        ("indented", lambda body: indented(json.loads(body))),
        ("with a space behind it", lambda body: body + b" "),
        ("with a line's end behind it", lambda body: body + b"\n"),
        ("with another JSON value behind it", lambda body: body + b'{"x":1}'),
    ):
        genuine = lab.genuine()
        changed = genuine.with_body(rewritten(genuine.body))
        yield Case(f"a genuine header over its body {words}", changed.request)


@rule(
    id="forged-lossy-text",
    level=Level.INFO,
    title="Bytes that vanish when text is decoded are noticed",
    requirement="A body whose bytes differ only until they are decoded is best refused.",
    source="our judgement: harmless by itself, and a sign of HMAC over decoded text",
    remedy="Verify a byte buffer.",
    needs=(Need.BODY, Need.MARKER, Need.JSON),
    after=VERIFIES,
)
def lossy_text(lab: Lab) -> Judgement:
    """A byte order mark before the signed body; a signed U+FFFD replaced by the byte FF."""
    return at(Level.INFO, _lossy(lab))


@means("it verifies decoded text, not the bytes that it received")
@refused
def _lossy(lab: Lab) -> Iterator[Case]:
    marked = lab.genuine()
    note = "a genuine header over its body behind a byte order mark"
    yield Case(note, marked.with_body(b"\xef\xbb\xbf" + marked.body).request)
    body = compact(lab.value(texts=("\ufffd",)))
    damaged = lab.genuine(body).with_body(body.replace("\ufffd".encode(), b"\xff"))
    note = "a genuine header over its body with the byte FF for a signed U+FFFD"
    yield Case(note, damaged.request)


RULES: tuple[Rule, ...] = (
    body_changed,
    body_empty,
    duplicate_json_key,
    timestamp_refreshed,
    nonce_refreshed,
    param_missing,
    param_duplicated,
    header_duplicated,
    local_origin,
    large_body,
    reformatted,
    lossy_text,
)
