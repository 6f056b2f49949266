"""Values that must never have been seen before: nonces and markers.

They come from the system's randomness, never from a run's seed: a receiver that remembers the
nonces of an earlier run with the same seed would rightly refuse them.
"""

from __future__ import annotations

import random
import re
import secrets

from hookproof_spec.drawing import drawn_nonce
from hookproof_spec.scheme import NonceRule

MARKER = re.compile(rb"hookproof-[0-9a-f]{16}")
_SOURCE = random.SystemRandom()


def fresh_nonce(rule: NonceRule | None) -> str:
    """Return a nonce of the declared shape; 40 hexadecimal digits where none is declared.

    Raises:
        HookproofError: the pattern is one that no text can be made from.
    """
    return drawn_nonce(rule, _SOURCE)


def fresh_marker() -> str:
    """Return a text that identifies one event to an effects probe."""
    return f"hookproof-{secrets.token_hex(8)}"


def marker_in(body: bytes) -> str | None:
    """Return the marker that a body carries."""
    found = MARKER.search(body)
    return found[0].decode() if found else None
