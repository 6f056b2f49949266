"""Nonces of a declared shape."""

from __future__ import annotations

import random
import re

from hookproof_spec.errors import HookproofError
from hookproof_spec.scheme import NonceRule

_HEX = re.compile(r"\[(?:0-9a-f|a-f0-9)\]\{(\d{1,4})\}")
_PLAIN = "[0-9a-f]{40}"


def nonce(rule: NonceRule | None, source: random.Random) -> str:
    """Return a nonce of the declared shape; 40 hexadecimal digits where none is declared.

    Raises:
        HookproofError: the pattern is one that no text can be made from.
    """
    pattern = rule.pattern if rule and rule.pattern else _PLAIN
    digits = _HEX.fullmatch(pattern)
    if digits:  # the commonest shape, a hundred times faster than the general way
        count = int(digits[1])
        return f"{source.getrandbits(4 * count):0{count}x}" if count else ""
    import rstr

    generator = rstr.Rstr(source)
    for _ in range(100):
        drawn: str = generator.xeger(pattern)
        if re.fullmatch(pattern, drawn, re.ASCII):
            return drawn
    raise HookproofError(
        f"no nonce could be made from the pattern {pattern!r}", hint="say it without look-arounds"
    )
