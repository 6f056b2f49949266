"""A request as bytes in pieces: which are signed, which are the signature, what is not genuine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import final
from urllib.parse import urlsplit

from hookproof.reports.resigning import AHEAD, PROMPT
from hookproof_spec.request import Header, Request
from hookproof_spec.scheme import SignatureScheme

_SHORT = 20
"""A shorter value is looked for only where it stands by itself."""


class Kind(StrEnum):
    """What a piece of a request is."""

    PLAIN = "plain"
    SIGNED = "signed"
    SIGNATURE = "signature"
    CHANGED = "changed"


@final
@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes that follow each other; `why` says what is not genuine about them."""

    data: bytes
    kind: Kind = Kind.PLAIN
    why: str = ""


@final
@dataclass(frozen=True, slots=True)
class Stamp:
    """What a request's headers say of its signature, as far as they can be read."""

    timestamp: str = ""
    nonce: str = ""
    signatures: tuple[str, ...] = ()


def stamp_of(request: Request, scheme: SignatureScheme) -> Stamp:
    """Return what the headers carry."""
    values: dict[str, str] = {}
    signatures: tuple[str, ...] = ()
    for header in scheme.headers:
        line = request.header(header.name)
        fields = header.shape.read(line.strip(" \t"), scheme.repeat) if line else ""
        if not isinstance(fields, str):
            values.update(fields.values)
            signatures += fields.signatures
    signatures = (*filter(None, [values.get("signature")]), *signatures)
    return Stamp(values.get("timestamp", ""), values.get("nonce", ""), signatures)


def content_pieces(request: Request, scheme: SignatureScheme) -> tuple[Piece, ...]:
    """Return the signed content in its parts: values are marked, what joins them is not.

    It is empty where the content has other parts than time, nonce and body.
    """
    if not set(scheme.content.names) <= {"timestamp", "nonce", "body"}:
        return ()
    stamp = stamp_of(request, scheme)
    values = {
        "timestamp": _wire(stamp.timestamp),
        "nonce": _wire(stamp.nonce),
        "body": request.body,
    }
    literals, names = scheme.content.literals, scheme.content.names
    pieces = [Piece(literals[0].encode())]
    for name, literal in zip(names, literals[1:], strict=True):
        pieces += [Piece(values[name], Kind.SIGNED), Piece(literal.encode())]
    return tuple(piece for piece in pieces if piece.data)


def request_pieces(
    request: Request, scheme: SignatureScheme | None, sent: float
) -> tuple[Piece, ...]:
    """Return a request as it stands on the wire, head and body; `sent` in Unix seconds."""
    pieces = [Piece(_request_line(request))]
    seen: set[str] = set()
    for header in request.headers:
        pieces += _header_pieces(header, request, scheme, sent)
        if header[0].lower() in seen and _carries(scheme, header[0]):
            pieces[-2] = Piece(pieces[-2].data, Kind.CHANGED, "this header stands twice")
        seen.add(header[0].lower())
    pieces.append(Piece(b"\r\n"))
    if request.body:
        covered = scheme is not None and scheme.covers("body")
        pieces.append(Piece(request.body, Kind.SIGNED if covered else Kind.PLAIN))
    return tuple(_joined(pieces))


def differences(request: Request, scheme: SignatureScheme | None, sent: float) -> tuple[str, ...]:
    """Say what a request's head alone shows not to be genuine; `sent` in Unix seconds."""
    if scheme is None:
        return ()
    absent = [h.name for h in scheme.headers if not (request.header(h.name) or "").strip()]
    told = [f"{name} is absent or empty" for name in absent]
    told += [piece.why for piece in request_pieces(request, scheme, sent) if piece.why]
    return tuple(dict.fromkeys(told))


def _header_pieces(
    header: Header, request: Request, scheme: SignatureScheme | None, sent: float
) -> Iterator[Piece]:
    name, value = header
    yield Piece(_wire(f"{name}: "))
    if scheme is None or not _carries(scheme, name):
        yield Piece(_wire(value))
    else:
        yield from _carried_pieces(value, stamp_of(request, scheme), scheme, sent)
    yield Piece(b"\r\n")


def _carries(scheme: SignatureScheme | None, name: str) -> bool:
    return scheme is not None and name.lower() in {h.name.lower() for h in scheme.headers}


def _carried_pieces(
    value: str, stamp: Stamp, scheme: SignatureScheme, sent: float
) -> Iterator[Piece]:
    kinds = {text: _signature(text, scheme) for text in stamp.signatures}
    if stamp.nonce:
        kinds[stamp.nonce] = _nonce(stamp.nonce, scheme)
    if stamp.timestamp:
        kinds[stamp.timestamp] = _timestamp(stamp.timestamp, scheme, sent)
    for text in _split(value, kinds):
        known = kinds.get(text)
        yield Piece(_wire(text), *known) if known else Piece(_wire(text))


def _split(value: str, texts: Iterable[str]) -> list[str]:
    alone = r"(?<![0-9A-Za-z])%s(?![0-9A-Za-z])"
    known = [
        re.escape(text) if len(text) > _SHORT else alone % re.escape(text)
        for text in sorted(filter(None, texts), key=len, reverse=True)
    ]
    return re.split(f"({'|'.join(known)})", value) if known else [value]


def _signature(text: str, scheme: SignatureScheme) -> tuple[Kind, str]:
    raw = scheme.encoding.read(text)
    if raw is None or not scheme.algorithm.may_have_made(raw):
        return Kind.CHANGED, f"no signature of {scheme.algorithm.value} in {scheme.encoding.value}"
    return Kind.SIGNATURE, ""


def _nonce(text: str, scheme: SignatureScheme) -> tuple[Kind, str]:
    if scheme.nonce is not None and not scheme.nonce.matches(text):
        return Kind.CHANGED, "the nonce has not the declared shape"
    return (Kind.SIGNED if scheme.covers("nonce") else Kind.PLAIN), ""


def _timestamp(text: str, scheme: SignatureScheme, sent: float) -> tuple[Kind, str]:
    moment = scheme.timestamp.unit.read(text) if scheme.timestamp is not None else None
    if moment is None:
        return Kind.CHANGED, "the timestamp is no time"
    age = sent - moment
    if not -AHEAD <= age <= 2 * PROMPT:
        way = "old" if age > 0 else "ahead"
        return Kind.CHANGED, f"the timestamp is {duration(abs(age))} {way}"
    return (Kind.SIGNED if scheme.covers("timestamp") else Kind.PLAIN), ""


def duration(seconds: float) -> str:
    """Say a length of time in its largest fitting unit."""
    for size, unit in (
        (86_400 * 365.25, "years"),
        (86_400, "days"),
        (3600, "hours"),
        (60, "minutes"),
    ):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _request_line(request: Request) -> bytes:
    parts = urlsplit(request.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = "" if request.header("Host") else f"Host: {parts.netloc}\r\n"
    return _wire(f"{request.method} {path} HTTP/1.1\r\n{host}")


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Yield the pieces with plain ones that follow each other in one."""
    plain = b""
    for piece in pieces:
        if piece.kind is Kind.PLAIN:
            plain += piece.data
            continue
        yield from [Piece(plain)] if plain else []
        yield from [piece] if piece.data else []
        plain = b""
    yield from [Piece(plain)] if plain else []


def _wire(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


# --- shown --------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class Span:
    """A text of one kind."""

    text: str
    kind: Kind = Kind.PLAIN
    why: str = ""


@final
@dataclass(frozen=True, slots=True)
class HexRow:
    """Sixteen bytes: where they begin, in hexadecimal, and as ASCII."""

    offset: str
    digits: tuple[Span, ...]
    text: tuple[Span, ...]


ROW = 16


def text_spans(pieces: Iterable[Piece], limit: int) -> tuple[tuple[Span, ...], int]:
    """Return pieces as text that is safe to show, and how many bytes were left out."""
    spans: list[Span] = []
    left, total = limit, 0
    for piece in pieces:
        total += len(piece.data)
        data = piece.data[:left]
        left -= len(data)
        if data:
            spans.append(Span(visible(data), piece.kind, piece.why))
    return tuple(spans), max(total - limit, 0)


def hex_rows(pieces: Iterable[Piece], limit: int) -> tuple[tuple[HexRow, ...], int]:
    """Return pieces as rows of hexadecimal, and how many bytes were left out."""
    taken, total = bytearray(), 0
    kinds: list[Piece] = []
    for piece in pieces:
        total += len(piece.data)
        data = piece.data[: limit - len(taken)]
        taken += data
        kinds += [piece] * len(data)
    rows = [_row(bytes(taken), kinds, at) for at in range(0, len(taken), ROW)]
    return tuple(rows), total - len(taken)


def _row(data: bytes, pieces: Sequence[Piece], at: int) -> HexRow:
    digits: list[Span] = []
    text: list[Span] = []
    end = min(at + ROW, len(data))
    start = at
    while start < end:
        piece = pieces[start]
        stop = next((i for i in range(start, end) if pieces[i] is not piece), end)
        part = data[start:stop]
        digits.append(Span(part.hex(" "), piece.kind))
        text.append(Span("".join(_ascii(byte) for byte in part), piece.kind))
        start = stop
    return HexRow(f"{at:08x}", tuple(digits), tuple(text))


def _ascii(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 else "·"


def visible(data: bytes) -> str:
    """Return bytes as text of several lines; what would not simply print is escaped."""
    text = data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return "".join(c if c.isprintable() or c == "\n" else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
