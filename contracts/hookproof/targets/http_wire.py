"""A request as the bytes that travel. No sockets here: values in, bytes out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, final
from urllib.parse import quote

from hookproof.targets.base import PLAIN, Framing
from hookproof.targets.http_address import Address
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Header, Request

_LENGTHS = frozenset({"content-length", "transfer-encoding"})
_PERSONAL = _LENGTHS | {"connection", "expect", "upgrade"}
"""Whoever names one of these decides what becomes of the connection."""
_WITHOUT_CONTENT = frozenset({"GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
"""Methods that are not expected to have a body; an empty one is not announced (RFC 9110, 8.6)."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL)
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))


@final
class Wire(NamedTuple):
    """The bytes of one request, in parts between which the sender waits `pause` seconds.

    `plain` tells that the receiver cannot but see where the request ends, so that the connection
    is fit for another. `bodiless` tells that the answer has no body whatever its head says.
    """

    parts: tuple[bytes, ...]
    pause: float = 0.0
    plain: bool = True
    bodiless: bool = False

    @property
    def size(self) -> int:
        """How many bytes there are in all."""
        return sum(map(len, self.parts))

    def held_back(self) -> Wire:
        """Return the same bytes with the last one waiting for a signal."""
        data = b"".join(self.parts)
        return Wire((data[:-1], data[-1:]), math.inf, self.plain, self.bodiless)


@final
class Encoder:
    """Turns requests into bytes for one receiver, with `extra` header lines after their own.

    An extra line takes the place of a request's lines of the same name.
    """

    def __init__(self, address: Address, extra: Sequence[Header] = ()) -> None:
        self._own = address.url
        self._host = address.host_header
        self._extra = tuple(extra)
        self._replaced = {name.lower() for name, _ in extra}

    def encode(self, request: Request, framing: Framing = PLAIN) -> Wire:
        """Return a request's bytes: its lines as they are, and what it needs to be HTTP at all.

        Raises:
            HookproofError: a line holds a character that is not one byte.
        """
        headers = request.headers
        if self._extra:
            own = [line for line in headers if line[0].lower() not in self._replaced]
            headers = (*own, *self._extra)
        named = {name.lower() for name, _ in headers}
        target, authority = request_target(request.url)
        lines = [f"{request.method} {target} HTTP/1.1"]
        if "host" not in named:
            here = not authority or request.url == self._own
            lines.append(f"Host: {self._host if here else authority}")
        lines += [f"{name}: {value}" for name, value in headers]
        length = _length_line(request, framing, named)
        if length:
            lines.append(length)
        head = _encoded(lines)
        return Wire(
            _parts(head, request.body, framing),
            framing.pause,
            named.isdisjoint(_PERSONAL) and not _has_line_end("".join(lines)),
            request.method == "HEAD",
        )


def check_extra(headers: Iterable[Header]) -> tuple[Header, ...]:
    """Return header lines that a user wants in every request.

    Raises:
        HookproofError: a line is not one header, or would change where a request ends.
    """
    lines = tuple(headers)
    for name, value in lines:
        _check_extra_line(name, value)
    return lines


def _check_extra_line(name: str, value: str) -> None:
    where = f"header {name!r}"
    if _TOKEN.fullmatch(name) is None:
        raise HookproofError("not a header's name", where=where, hint="write it like 'X-Name: a'")
    if not value.isascii() or not (value.isprintable() or value.replace("\t", "").isprintable()):
        raise HookproofError("the value holds more than printable ASCII", where=where)
    if name.lower() in _LENGTHS:
        raise HookproofError(
            "every request has a length of its own", where=where, hint="leave this header out"
        )


@lru_cache(maxsize=512)
def request_target(url: str) -> tuple[str, str]:
    """Return what stands in the request line, and the host part ("" where the URL has none).

    Whatever would end the target early, such as a space, is written as %XX; the rest stays.
    """
    absolute = _ABSOLUTE.fullmatch(url)
    authority, rest = absolute.group("authority", "rest") if absolute else ("", url)
    rest = rest.partition("#")[0]
    target = quote(rest if rest.startswith("/") else f"/{rest}", safe=_VISIBLE)
    return target, quote(authority.rpartition("@")[2], safe=_VISIBLE)


def _length_line(request: Request, framing: Framing, named: set[str]) -> str:
    if framing.chunked:
        return "" if "transfer-encoding" in named else "Transfer-Encoding: chunked"
    if not named.isdisjoint(_LENGTHS):
        return ""
    if not request.body and request.method in _WITHOUT_CONTENT:
        return ""
    return f"Content-Length: {len(request.body)}"


def _encoded(lines: Sequence[str]) -> bytes:
    try:
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    except UnicodeEncodeError as error:
        character = error.object[error.start]
        line = next(line for line in lines if character in line)
        raise HookproofError(
            f"{character!r} is not one byte",
            where=f"request line or header {line.partition(':')[0]!r}",
            hint="write its bytes as Latin-1 characters",
        ) from error


def _has_line_end(text: str) -> bool:
    return "\n" in text or "\r" in text


def _parts(head: bytes, body: bytes, framing: Framing) -> tuple[bytes, ...]:
    if not framing.pauses and not framing.chunked:
        return (head + body,)
    offsets = sorted({min(max(offset, 0), len(body)) for offset in framing.pauses})
    pieces = [body[begin:end] for begin, end in pairwise([0, *offsets, len(body)])]
    if framing.chunked:
        pieces = [_chunk(piece) for piece in pieces]
        pieces[-1] += b"0\r\n\r\n"
    pieces[0] = head + pieces[0]
    return tuple(piece for piece in pieces if piece)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
