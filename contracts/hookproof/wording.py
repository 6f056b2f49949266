"""How findings say what came back and which requests they mean."""

from __future__ import annotations

from collections.abc import Sequence

from hookproof.targets.base import Exchange
from hookproof.verdicts import Evidence


def answer(exchange: Exchange) -> str:
    """Say what came back: `401`, `301 to /webhook/`, `no answer (timeout: …)`."""
    if exchange.status is None:
        kind = exchange.failure.value if exchange.failure else "nothing"
        return f"no answer ({kind}{': ' + exchange.detail if exchange.detail else ''})"
    location = exchange.header("Location")
    if 300 <= exchange.status < 400 and location:
        return f"{exchange.status} to {location[:100]}"
    return str(exchange.status)


def listed(evidence: Sequence[Evidence]) -> str:
    """Name the cases: the first two, and how many more."""
    notes = list(dict.fromkeys(item.note for item in evidence))
    more = f" and {len(notes) - 2} more" if len(notes) > 2 else ""
    return " and ".join(notes[:2]) if not more else f"{notes[0]}, {notes[1]}{more}"


def plural(count: int, thing: str) -> str:
    """Return `1 effect`, `2 effects`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
