"""Values that must never have been seen before: nonces and markers.

They come from the system's randomness, never from a run's seed: a receiver that remembers the
nonces of an earlier run with the same seed would rightly refuse them.
"""

from __future__ import annotations

import random
import re
import secrets
from functools import lru_cache

import rstr

from hookproof_spec.errors import HookproofError
from hookproof_spec.scheme import NonceRule

MARKER = re.compile(rb"hookproof-[0-9a-f]{16}")
_HEX_PATTERN = re.compile(r"\[(?:0-9a-f|a-f0-9)\]\{(\d+)\}")
_GENERATOR = rstr.Rstr(random.SystemRandom())


def fresh_nonce(rule: NonceRule | None) -> str:
    """Return a nonce of the declared shape; 40 hexadecimal digits where none is declared.

    Raises:
        HookproofError: the pattern is one that no text can be made from.
    """
    pattern = rule.pattern if rule and rule.pattern else "[0-9a-f]{40}"
    count = _hex_digits(pattern)
    if count is None:
        return _drawn(pattern)
    return secrets.token_hex((count + 1) // 2)[:count]


@lru_cache(maxsize=64)
def _hex_digits(pattern: str) -> int | None:
    """Return how many hexadecimal digits a pattern asks for, where it asks for nothing else.

    It is the commonest shape, and a hundred times faster than the general way.
    """
    found = _HEX_PATTERN.fullmatch(pattern)
    return int(found[1]) if found else None


def _drawn(pattern: str) -> str:
    for _ in range(100):
        nonce = _GENERATOR.xeger(pattern)
        if re.fullmatch(pattern, nonce, re.ASCII):
            return nonce
    raise HookproofError(
        f"no nonce could be made from the pattern {pattern!r}",
        hint="say it without look-arounds",
    )


def fresh_marker() -> str:
    """Return a text that identifies one event to an effects probe."""
    return f"hookproof-{secrets.token_hex(8)}"


def marker_in(body: bytes) -> str | None:
    """Return the marker that a body carries."""
    found = MARKER.search(body)
    return found[0].decode() if found else None
