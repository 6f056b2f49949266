"""Whether a text made of several values can be taken apart in one way only.

`{timestamp}.{nonce}.{body}` is one text for (t, n, body) and for (t, n + "." + head, tail): where
the nonce may hold a dot, one signature fits both.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from hookproof_spec import patterns
from hookproof_spec.filters import DIGESTS
from hookproof_spec.scheme import Encoding, NonceRule, TimestampRule, TimeUnit
from hookproof_spec.templates import Template, base_of

_TIME = {
    TimeUnit.SECONDS: string.digits,
    TimeUnit.MILLISECONDS: string.digits,
    TimeUnit.ISO8601: string.digits + "TZ:.-+",
    TimeUnit.ISO8601_UTC: string.digits + "TZ:.-+",
    TimeUnit.HTTP_DATE: string.ascii_letters + string.digits + ",: ",
}
_SIGNATURE = {
    Encoding.HEX: string.digits + "abcdef",
    Encoding.BASE64: string.ascii_letters + string.digits + "+/=",
    Encoding.BASE64URL: string.ascii_letters + string.digits + "-_",
}
_WRITTEN = {encoding.value: letters for encoding, letters in _SIGNATURE.items()}
_WRITTEN["crc32"] = string.digits
_KNOWN = ("method", "url", "path", "secret", "key-id")
"""What a receiver knows by itself, so that its end in the content is where it was."""


@final
@dataclass(frozen=True, slots=True)
class Alphabets:
    """What the values of a scheme may look like."""

    encoding: Encoding
    timestamp: TimestampRule
    nonce: NonceRule

    def may_contain(self, name: str, text: str) -> bool:
        """Tell whether the value of a placeholder may hold a text."""
        match base_of(name):
            case _ if "|" in name:
                return set(text) <= set(_WRITTEN.get(name.rpartition("|")[2], text))
            case "timestamp":
                return set(text) <= set(_TIME[self.timestamp.unit])
            case "signature" | "signatures" | "signature2":
                return set(text) <= set(_SIGNATURE[self.encoding])
            case "nonce" if self.nonce.pattern is not None:
                return patterns.may_contain(self.nonce.pattern, text)
            case _:
                return True


def shiftable(content: Template, alphabets: Alphabets) -> Iterator[tuple[str, str, str]]:
    """Yield, for each boundary that can be shifted, the value before it, its separator, and the
    value that moves with it: the next one, or one behind it, when all between them move too.

    A boundary stays where it is when its separator cannot stand in the value on one of its sides,
    and where one of these is known, or of one length.
    """
    names, between = content.names, content.literals[1:-1]
    for first, separator in enumerate(between):
        for last in range(first, len(between)):
            values = names[first : last + 2]
            if any(map(_is_fixed, values)):
                break
            opens = alphabets.may_contain(values[0], separator)
            if opens and alphabets.may_contain(values[-1], between[last]):
                yield values[0], separator, values[-1]
                break


def _is_fixed(name: str) -> bool:
    base, *filters = name.split("|")
    return base in _KNOWN or any(f in DIGESTS and f != "crc32" for f in filters)
