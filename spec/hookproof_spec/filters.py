"""What a placeholder's filters make of a value: `{body|sha256|hex}`."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Sequence

Filter = Callable[[bytes], bytes]


def _hashed(name: str) -> Filter:
    def digest(value: bytes) -> bytes:
        return hashlib.new(name, value, usedforsecurity=False).digest()

    return digest


def _crc32(value: bytes) -> bytes:
    return zlib.crc32(value).to_bytes(4, "big")


def _crc32_decimal(value: bytes) -> bytes:
    return str(zlib.crc32(value)).encode()


def _hex(value: bytes) -> bytes:
    return value.hex().encode()


def _base64url(value: bytes) -> bytes:
    return base64.urlsafe_b64encode(value).rstrip(b"=")


_DIGESTS: dict[str, Filter] = {
    "md5": _hashed("md5"),
    "sha1": _hashed("sha1"),
    "sha256": _hashed("sha256"),
    "sha512": _hashed("sha512"),
    "crc32": _crc32,
}
_WRITERS: dict[str, Filter] = {
    "hex": _hex,
    "base64": base64.b64encode,
    "base64url": _base64url,
}
_FILTERS = _DIGESTS | _WRITERS
DIGESTS = tuple(_DIGESTS)
FILTERS = tuple(_FILTERS)


def filtered(names: Sequence[str]) -> Filter:
    """Return the filters of these names as one.

    A digest gives bytes, which `hex`, `base64` and `base64url` (without padding) write as text. A
    checksum that nothing writes is a decimal number.
    """
    steps = [
        _step(name, following) for name, following in zip(names, [*names[1:], ""], strict=True)
    ]

    def apply(value: bytes) -> bytes:
        for step in steps:
            value = step(value)
        return value

    return apply


def _step(name: str, following: str) -> Filter:
    if name == "crc32" and following not in _WRITERS:
        return _crc32_decimal
    return _FILTERS[name]


def gives_text(names: Sequence[str]) -> bool:
    """Tell whether the result is printable text, whatever the value."""
    return bool(names) and (names[-1] in _WRITERS or names[-1] == "crc32")
