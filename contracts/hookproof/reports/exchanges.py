"""Requests and answers as lines that a terminal can show, whatever bytes they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import groupby

from hookproof.targets.base import Exchange
from hookproof.verdicts import Evidence
from hookproof_spec.request import Header, Request

BODY_SHOWN = 600
"""How many characters of a body are shown; a JSON report has all that was read."""
VALUE_SHOWN = 400
EXCHANGES_SHOWN = 4


def printable(data: bytes | str, limit: int = BODY_SHOWN) -> str:
    """Return text that is safe to print on one line and at most about `limit` characters long.

    Control characters, line ends and marks that change the direction of text are escaped: what a
    receiver answers must not be able to steer the terminal.
    """
    cut = data[: 4 * limit]
    text = cut.decode("utf-8", "backslashreplace") if isinstance(cut, bytes) else cut
    if len(text) <= limit and len(cut) == len(data):
        return escaped(text)
    unit = "bytes" if isinstance(data, bytes) else "characters"
    return f"{escaped(text[:limit])}… ({len(data)} {unit})"


def escaped(text: str) -> str:
    """Return text with every character escaped that does not simply print."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def request_lines(request: Request) -> Iterator[str]:
    """Yield a request's lines: what it asks, its headers, its body."""
    yield f"{printable(request.method)} {printable(request.url)}"
    yield from _message(request.headers, request.body)


def answer_lines(exchange: Exchange) -> Iterator[str]:
    """Yield an answer's lines, or why there is none."""
    took = f"{exchange.seconds * 1000:.0f} ms"
    if exchange.status is None:
        why = exchange.failure.value if exchange.failure else "nothing came back"
        detail = f": {printable(exchange.detail)}" if exchange.detail else ""
        yield f"no answer, {why}{detail}  ({took})"
        return
    yield f"{status_words(exchange.status)}  ({took})"
    yield from _message(exchange.headers, exchange.body)
    if exchange.cut:
        yield "(the answer is longer than what was read of it)"


def status_words(status: int) -> str:
    """Return `404 Not Found`, or the bare number of a status that has no name."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _message(headers: Sequence[Header], body: bytes) -> Iterator[str]:
    for name, value in headers:
        yield f"{printable(name, VALUE_SHOWN)}: {printable(value, VALUE_SHOWN)}"
    if body:
        yield ""
        yield printable(body)


def evidence_lines(evidence: Sequence[Evidence]) -> Iterator[tuple[str, str]]:
    """Yield labels and texts of some exchanges; equal requests are shown once, answers counted."""
    groups = [list(group) for _, group in groupby(evidence, key=_sent)]
    for group in groups[:EXCHANGES_SHOWN]:
        first = group[0]
        times = f"  ({len(group)} times)" if len(group) > 1 else ""
        yield "sent", f"> {printable(first.note)}{times}"
        yield from (("", line) for line in request_lines(first.exchange.request))
        yield from _answers([item.exchange for item in group])
    if len(groups) > EXCHANGES_SHOWN:
        yield "", f"… and {len(groups) - EXCHANGES_SHOWN} more, which a JSON report holds"


def _sent(item: Evidence) -> tuple[str, Request]:
    return item.note, item.exchange.request


def _answers(exchanges: Sequence[Exchange]) -> Iterator[tuple[str, str]]:
    if len(exchanges) > 1:
        kinds = [_kind(exchange) for exchange in exchanges]
        counted = (f"{kinds.count(kind)} x {kind}" for kind in dict.fromkeys(kinds))
        yield "came back", ", ".join(counted) + "; the first:"
    label = "" if len(exchanges) > 1 else "came back"
    for line in answer_lines(exchanges[0]):
        yield label, line
        label = ""


def _kind(exchange: Exchange) -> str:
    if exchange.status is not None:
        return status_words(exchange.status)
    return exchange.failure.value if exchange.failure else "no answer"
