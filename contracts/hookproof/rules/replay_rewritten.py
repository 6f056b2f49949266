"""Replays of one event in other clothes: anyone can re-type what is not signed."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

from hookproof import header_items
from hookproof.judging_copies import acted_on_once
from hookproof.lab import Case, Lab
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules.roots import REWRITES
from hookproof.targets.base import Framing
from hookproof.verdicts import Level
from hookproof_spec.request import Request
from hookproof_spec.scheme import Encoding, OnRetry, TimeUnit
from hookproof_spec.signing import Delivery

BY_NONCE = "Key the store by the parsed nonce, and by nothing else."


@rule(
    id="replay-signature-case",
    level=Level.MUST,
    title="A replay with the signature in capitals has no effect",
    requirement="A replay whose signature is spelt otherwise MUST NOT be acted on.",
    source="our judgement: it is the same signature and the same nonce",
    remedy="Key the store by the nonce, not by the signature's text.",
    needs=(Need.NONCE,),
    after=REWRITES,
)
@acted_on_once
def signature_case(lab: Lab, original: Delivery) -> Iterator[Case]:
    """An accepted request with its hexadecimal signature in capitals."""
    if lab.scheme.encoding is Encoding.HEX:
        shouted = original.with_signature(original.signatures[0].upper())
        yield Case("a replay with its signature in capitals", shouted.request)


@rule(
    id="replay-header-rewritten",
    level=Level.MUST,
    title="A replay with another header layout has no effect",
    requirement="A replay whose signature header is laid out otherwise MUST NOT be acted on.",
    source="our judgement: anyone can re-type a header",
    remedy=BY_NONCE,
    needs=(Need.NONCE, Need.ITEMS),
    after=REWRITES,
)
@acted_on_once
def header_rewritten(lab: Lab, original: Delivery) -> Iterator[Case]:
    """An accepted request with spaces between the items, the items in reverse, an empty and an
    unknown item, a doubled one, and the header's name in capitals."""
    items = header_items.items_of(original)
    separator = header_items.separator_of(original)
    header = header_items.header_of(original).name
    spaced = header_items.with_value(original, f"{separator} ".join(items))
    yield Case("a replay with spaces between the header's items", spaced)
    for words, layout in (
        ("the header's items in reverse", items[::-1]),
        ("an empty item at the header's end", (*items, "")),
        ("an unknown item", (*items, "x=1")),
        ("its first item doubled", (items[0], *items)),
    ):
        yield Case(f"a replay with {words}", header_items.with_items(original, layout))
    shouted = original.request.without_header(header).with_added_header(
        header.upper(), header_items.value_of(original)
    )
    yield Case("a replay with the header's name in capitals", shouted)


@rule(
    id="replay-timestamp-rewritten",
    level=Level.MUST,
    title="A replay with another spelling of the timestamp has no effect",
    requirement="A replay whose timestamp is spelt otherwise MUST NOT be acted on.",
    source="our judgement: several libraries verify a re-formatted number",
    remedy="Use the literal timestamp everywhere, or the parsed one everywhere.",
    needs=(Need.NONCE, Need.TIMESTAMP),
    after=(*REWRITES, "forged-timestamp-refreshed"),
)
@acted_on_once
def timestamp_rewritten(lab: Lab, original: Delivery) -> Iterator[Case]:
    """An accepted request with `+`, `0` or a space before its timestamp, `.0` or a space behind."""
    if lab.scheme.timestamp is None or lab.scheme.timestamp.unit is TimeUnit.HTTP_DATE:
        return
    t = original.timestamp
    for text in (f"+{t}", f"0{t}", f"{t}.0", f" {t}", f"{t} "):
        spelt = original.with_timestamp(text)
        yield Case(f"a replay with the timestamp written {text!r}", spelt.request)


@rule(
    id="replay-nonce-rewritten",
    level=Level.MUST,
    title="A replay with another spelling of the nonce has no effect",
    requirement="A replay whose nonce is spelt otherwise MUST NOT be acted on.",
    source="our judgement: header parsers that decode or trim exist",
    remedy="Do not decode or trim the nonce; refuse odd characters.",
    needs=(Need.NONCE, Need.SIGNED_NONCE),
    after=(*REWRITES, "forged-nonce-refreshed"),
)
@acted_on_once
def nonce_rewritten(lab: Lab, original: Delivery) -> Iterator[Case]:
    """An accepted request with its nonce percent-encoded, with a tab, in quotes, in capitals."""
    nonce = original.nonce
    for words, text in (
        ("percent-encoded", f"%{ord(nonce[0]):02x}{nonce[1:]}"),
        ("with a tab behind it", f"{nonce}\t"),
        ("in quotes", f'"{nonce}"'),
        ("in capitals", nonce.upper()),
    ):
        if text != nonce:
            yield Case(f"a replay with its nonce {words}", original.with_nonce(text).request)


@rule(
    id="replay-request-rewritten",
    level=Level.MUST,
    title="A replay with other unsigned parts has no effect",
    requirement="A replay with another query, media type, framing, path or more headers MUST NOT be"
    " acted on.",
    source="our judgement: none of these is signed",
    remedy="Derive the replay key from signed data alone.",
    needs=(Need.NONCE,),
    after=REWRITES,
)
@acted_on_once
def request_rewritten(lab: Lab, original: Delivery) -> Iterator[Case]:
    """An accepted request with `?x=1`, another Content-Type, chunks, a slash behind its path, and
    with X-Request-Id, Idempotency-Key and X-Delivery of its own."""
    request = original.request
    yield Case("a replay with a query", _with_query(request, "x=1"))
    typed = request.with_header("Content-Type", "text/plain")
    yield Case("a replay with another media type", typed)
    yield Case("a replay in chunks", request, Framing(fresh=True, chunked=True))
    yield Case("a replay with a slash behind its path", _with_slash(request))
    for name in ("X-Request-Id", "Idempotency-Key", "X-Delivery"):
        added = request.with_added_header(name, lab.nonce())
        yield Case(f"a replay with a new {name}", added)


def _with_query(request: Request, query: str) -> Request:
    parts = urlsplit(request.url)
    joined = f"{parts.query}&{query}" if parts.query else query
    return request.with_url(urlunsplit(parts._replace(query=joined)))


def _with_slash(request: Request) -> Request:
    parts = urlsplit(request.url)
    return request.with_url(urlunsplit(parts._replace(path=f"{parts.path}/")))


@rule(
    id="replay-nonce-new-timestamp",
    level=Level.SHOULD,
    title="A nonce signed again with another time or body has no effect",
    requirement="A nonce that was processed SHOULD NOT be acted on again, whatever else is signed.",
    source="vendor: the nonce identifies the request; pairs of time and nonce are a known reading",
    remedy="Key the store by the nonce alone.",
    who=Who.SECRET,
    needs=(Need.NONCE,),
    after=REWRITES,
)
@acted_on_once
def nonce_new_timestamp(lab: Lab, original: Delivery) -> Iterator[Case]:
    """The nonce of an accepted request, signed anew a second earlier, and with another body."""
    nonce = lab.scheme.nonce
    if nonce is not None and nonce.on_retry is OnRetry.SAME:
        return  # such a sender's retry looks like this: see retry-same-nonce
    if lab.scheme.timestamp is not None:
        earlier = lab.genuine(original.body, nonce=original.nonce, timestamp=lab.clock() - 1)
        yield Case("an accepted nonce signed again with another time", earlier.request)
    other = lab.genuine(lab.written(lab.value()), nonce=original.nonce)
    yield Case("an accepted nonce signed again with another body", other.request)


RULES: tuple[Rule, ...] = (
    signature_case,
    header_rewritten,
    timestamp_rewritten,
    nonce_rewritten,
    request_rewritten,
    nonce_new_timestamp,
)
