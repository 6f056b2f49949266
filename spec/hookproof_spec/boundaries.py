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
from hookproof_spec.scheme import Encoding, NonceRule, TimestampRule, TimeUnit
from hookproof_spec.templates import Template

_TIME = {
    TimeUnit.SECONDS: string.digits,
    TimeUnit.MILLISECONDS: string.digits,
    TimeUnit.ISO8601: string.digits + "TZ:.-+",
    TimeUnit.HTTP_DATE: string.ascii_letters + string.digits + ",: ",
}
_SIGNATURE = {
    Encoding.HEX: string.digits + "abcdef",
    Encoding.BASE64: string.ascii_letters + string.digits + "+/=",
    Encoding.BASE64URL: string.ascii_letters + string.digits + "-_",
}


@final
@dataclass(frozen=True, slots=True)
class Alphabets:
    """What the values of a scheme may look like."""

    encoding: Encoding
    timestamp: TimestampRule
    nonce: NonceRule

    def may_contain(self, name: str, text: str) -> bool:
        """Tell whether the value of a placeholder may hold a text."""
        match name:
            case "timestamp":
                return set(text) <= set(_TIME[self.timestamp.unit])
            case "signature" | "signatures":
                return set(text) <= set(_SIGNATURE[self.encoding])
            case "nonce" if self.nonce.pattern is not None:
                return patterns.may_contain(self.nonce.pattern, text)
            case _:
                return True


def shiftable(content: Template, alphabets: Alphabets) -> Iterator[tuple[str, str, str]]:
    """Yield left name, separator and right name of each boundary that can be shifted.

    A boundary stays where it is when its separator cannot stand in the value on one of its sides.
    """
    names = content.names
    for left, separator, right in zip(names, content.literals[1:], names[1:], strict=False):
        if not separator or (
            alphabets.may_contain(left, separator) and alphabets.may_contain(right, separator)
        ):
            yield left, separator, right
