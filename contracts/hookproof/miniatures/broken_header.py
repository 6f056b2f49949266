"""Receivers that cannot cope with a malformed signature header, with one bug each."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import ClassVar

from hookproof.miniatures.base import Miniature, RefusedError, Stamp


class PeeksAtFirstItem(Miniature):
    """Takes what stands before the first comma for the time, and fails where there is no comma."""

    exposed_by: ClassVar = ("header-garbage",)

    def parse(self, header: str) -> Stamp:
        _time, _rest = header.split(",", 1)
        return super().parse(header)


class ComparesText(Miniature):
    """Compares text in constant time, which raises an error on letters beyond ASCII."""

    exposed_by: ClassVar = ("header-non-ascii",)

    def check_shape(self, stamp: Stamp) -> None:
        if len(stamp.signature) != 64:
            raise RefusedError(self.refusal)
        super().check_shape(Stamp(stamp.timestamp, stamp.nonce, "0" * 64))

    def same(self, expected: str, given: str) -> bool:
        if not given.isascii():
            raise TypeError("comparing strings with non-ASCII characters is not supported")
        return super().same(expected, given)


class ThrowsOnOtherLength(Miniature):
    """Compares as Node's timingSafeEqual does, which throws on buffers of unequal length."""

    exposed_by: ClassVar = ("header-signature-shape",)

    def check_shape(self, stamp: Stamp) -> None:
        super().check_shape(Stamp(stamp.timestamp, stamp.nonce, "0" * 64))

    def same(self, expected: str, given: str) -> bool:
        if len(expected) != len(given):
            raise ValueError("input buffers must have the same byte length")
        return super().same(expected, given)


class StopsDecoding(Miniature):
    """Decodes hexadecimal digits as Node does: up to the first letter that is none."""

    exposed_by: ClassVar = ("header-signature-shape",)

    def check_shape(self, stamp: Stamp) -> None:
        stamp.signature = re.split(r"[^0-9a-f]", stamp.signature)[0]
        super().check_shape(stamp)


class ParsesTimeFirst(Miniature):
    """Converts the timestamp before it verifies: whatever says it is a digit, of any length."""

    exposed_by: ClassVar = ("header-timestamp-shape",)

    def check_shape(self, stamp: Stamp) -> None:
        if not stamp.timestamp.isdigit():
            raise RefusedError(self.refusal)
        super().check_shape(Stamp("0", stamp.nonce, stamp.signature))
        self.check_age(stamp)


class AsksCacheFirst(Miniature):
    """Looks every nonce up in a cache whose keys have at most 250 characters, and verifies then."""

    exposed_by: ClassVar = ("header-oversized",)

    def check_shape(self, stamp: Stamp) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{8,}", stamp.nonce):
            raise RefusedError(self.refusal)
        super().check_shape(Stamp(stamp.timestamp, "0" * 40, stamp.signature))
        if len(stamp.nonce) > 250:
            raise ValueError("the key is too long")


class PacksNonces(Miniature):
    """Keeps nonces as the bytes that their hexadecimal digits stand for."""

    exposed_by: ClassVar = ("header-layout",)

    def key(self, stamp: Stamp, body: bytes) -> str:
        return bytes.fromhex(stamp.nonce).hex()


class BuildsNonceQuery(Miniature):
    """Writes the nonce into the text of a query."""

    exposed_by: ClassVar = ("header-nonce-metacharacters",)

    def check_shape(self, stamp: Stamp) -> None:
        if not re.fullmatch(r"[^.,=\x80-\xff]{8,128}", stamp.nonce):
            raise RefusedError(self.refusal)
        super().check_shape(Stamp(stamp.timestamp, "0" * 40, stamp.signature))

    def claim(self, stamp: Stamp, body: bytes) -> bool:
        with closing(sqlite3.connect(":memory:")) as database:
            database.execute(f"SELECT '{stamp.nonce}'")
        return super().claim(stamp, body)
