"""The head of an HTTP/1 answer: bytes in, one value out. References are to RFC 9112."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import final

from hookproof_spec.request import Header

_FOLD = re.compile(r"\r?\n[ \t]+")  # lines that go on, see 5.2
_STATUS_LINE = re.compile(r"HTTP/1\.(?P<minor>[0-9]) +(?P<status>[1-9][0-9]{2})(?: .*)?\r?")
_LENGTH = re.compile(r"[0-9]{1,15}")
_GREETING = b"HTTP/"
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")
_WITHOUT_BODY = frozenset({101, 204, 304})
_HOP_FIELDS = frozenset({"content-length", "transfer-encoding", "connection"})


class GarbledError(Exception):
    """What came is not HTTP; the text says what is wrong with it."""


class Ending(StrEnum):
    """How one sees where a body ends."""

    NO_BODY = "there is none"
    SIZED = "it has a length"
    CHUNKED = "its last chunk is empty"
    CLOSE = "the connection is closed"


@final
@dataclass(frozen=True, slots=True)
class AnswerHead:
    """A status line and headers, and what they say about the body and the connection."""

    status: int
    headers: tuple[Header, ...]
    ending: Ending
    length: int
    stays: bool
    """Whether the connection is kept open (9.3)."""

    @property
    def interim(self) -> bool:
        """Tell whether the answer proper is still to come; after 101 comes another protocol."""
        return self.status < 200 and self.status != 101


@lru_cache(maxsize=64)
def parse_head(data: bytes) -> AnswerHead:
    """Read a head, given without the empty line that ends it.

    The last ones are remembered: the answers of one receiver have few heads.

    Raises:
        GarbledError: it is not the head of an HTTP/1 answer.
    """
    text = _FOLD.sub(" ", data.decode("latin-1"))
    first, *lines = text.split("\n")
    line = _STATUS_LINE.fullmatch(first)
    if line is None:
        raise GarbledError(f"not a status line: {first[:80]!r}")
    status = int(line["status"])
    headers, hop = _fields(lines)
    ending, length = _find_ending(status, hop)
    stays = status != 101 and ending is not Ending.CLOSE and _stays(line["minor"], hop)
    return AnswerHead(status, headers, ending, length, stays)


def _find_ending(status: int, hop: dict[str, str]) -> tuple[Ending, int]:
    """Find where the body ends, in the order of section 6.3."""
    if status in _WITHOUT_BODY:
        return Ending.NO_BODY, 0
    if "transfer-encoding" in hop:
        chunked = _items(hop["transfer-encoding"])[-1] == "chunked"
        return (Ending.CHUNKED if chunked else Ending.CLOSE), 0
    if "content-length" not in hop:
        return Ending.CLOSE, 0
    length = _length(hop["content-length"])
    return (Ending.SIZED if length else Ending.NO_BODY), length


def refuse_other_protocols(buffer: bytearray) -> None:
    """Say at once what will never become HTTP, such as the greeting of a mail server."""
    begin = bytes(buffer[:5])
    if _GREETING.startswith(begin[: len(_GREETING)]):
        return
    if begin.startswith(_TLS_RECORDS):
        raise GarbledError("the receiver speaks TLS here; its URL begins with https://")
    if len(begin) > 1 or begin[0] not in (0x15, 0x16):
        raise GarbledError(f"not an HTTP answer: {bytes(buffer[:80])!r}")


def _fields(lines: Sequence[str]) -> tuple[tuple[Header, ...], dict[str, str]]:
    """Return all header lines, and by name in lower case what is about this connection alone."""
    headers: list[Header] = []
    hop: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.rstrip(" \t"), value.strip(" \t\r")
        if not colon or not name:
            raise GarbledError(f"not a header: {line[:80]!r}")
        headers.append((name, value))
        lowered = name.lower()
        if lowered in _HOP_FIELDS:
            hop[lowered] = f"{hop[lowered]},{value}" if lowered in hop else value
    return tuple(headers), hop


def _items(value: str) -> list[str]:
    return [item.strip().lower() for item in value.split(",")]


def _length(value: str) -> int:
    """Read a Content-Length; one that is repeated is forgiven (6.3, point 5)."""
    first, *others = _items(value)
    if _LENGTH.fullmatch(first) is None or any(other != first for other in others):
        raise GarbledError(f"the Content-Length is {value[:80]!r}")
    return int(first)


def _stays(minor: str, hop: dict[str, str]) -> bool:
    options = _items(hop["connection"]) if "connection" in hop else []
    return "keep-alive" in options if minor == "0" else "close" not in options
