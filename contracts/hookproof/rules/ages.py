"""Ages and margins: how close to a boundary a rule may go while two clocks differ."""

from __future__ import annotations

from hookproof.lab import Lab
from hookproof.verdicts import Unproven

MARGIN = 15.0
"""No age is tried closer than so many seconds to a boundary."""
SMALL_SKEW = 5.0
"""Clocks that differ by less are taken for equal: a Date header has whole seconds only."""
LARGE_SKEW = 60.0
"""Clocks that differ by more make a boundary unprovable."""


def margin(lab: Lab) -> float:
    """Return how many seconds to stay away from a boundary, wider where the clocks differ."""
    skew = abs(lab.courier.skew or 0.0)
    return MARGIN + (skew if skew > SMALL_SKEW else 0.0)


def too_far_apart(lab: Lab) -> Unproven | None:
    """Return why a boundary cannot be judged, where the receiver's clock is far off."""
    skew = lab.courier.skew
    if skew is None or abs(skew) <= LARGE_SKEW:
        return None
    return Unproven(
        message=f"the receiver's clock differs from ours by {skew:+.0f} s",
        settle="clocks that agree",
    )


def allowed_age(lab: Lab) -> float:
    """Return the oldest age in seconds that this receiver may accept, as far as it is declared."""
    declared = lab.scheme.timestamp.tolerance if lab.scheme.timestamp else None
    return max(lab.policy.tolerance or 0, declared or 0)
