"""Ids: a prefix that says of what, then 26 letters and digits that sort by time."""

from __future__ import annotations

import random

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_BITS, _RANDOM_BITS, _LENGTH = 48, 80, 26


def new_id(prefix: str, moment: float, source: random.Random) -> str:
    """Return an id such as `evt_01jd…`: 48 bits of milliseconds, then 80 that are random."""
    milliseconds = max(0, int(moment * 1000)) & (1 << _TIME_BITS) - 1
    number = milliseconds << _RANDOM_BITS | source.getrandbits(_RANDOM_BITS)
    digits = [_DIGITS[number >> 5 * place & 31] for place in range(_LENGTH - 1, -1, -1)]
    return f"{prefix}_{''.join(digits)}"
