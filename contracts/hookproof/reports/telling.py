"""What sending a finding again can tell: seen again, not seen again, or neither.

A report's scripts hold this file whole, as they do `resigning`. It rather says that it cannot tell
than call a receiver mended that is not: what a rule asks is often more than its requests show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NOT_SEEN, SEEN, CANNOT_TELL = 0, 1, 3
NO_ANSWER = 0
"""Stands for the status of a genuine request that was not answered."""
REFUSED_EACH = ("forged", "stale")
"""The categories in which every request by itself has to be refused."""


@dataclass(frozen=True)
class Told:
    """What it came to: an exit status, and words."""

    status: int
    words: str


@dataclass(frozen=True)
class Facts:
    """What is known after a finding was sent again.

    `then` and `now` are the answers' statuses, None where there was no answer. `alone` says that
    the rule asks nothing beyond what these requests show. `kept` says that a signature could not
    be made as it was, `mixed` that genuine requests are among forged ones. `effects` are those that
    appeared and those that should have, None where nobody counted or nobody can tell; `counted`
    says that the finding stood on effects. `first` is the answer to the genuine request before a
    copy, None where no such request was sent.
    """

    category: str
    then: Sequence[int | None]
    now: Sequence[int | None]
    alone: bool
    kept: bool = False
    mixed: bool = False
    counted: bool = False
    effects: tuple[int, int] | None = None
    first: int | None = None
    verbatim: bool = False


def told(facts: Facts, advice: str) -> Told:
    """Conclude; `advice` says what would settle what cannot be told."""
    why_not = _why_not(facts)
    if why_not:
        return Told(CANNOT_TELL, f"cannot tell: {why_not}; {advice}")
    if facts.effects is not None and facts.counted:
        return _by_effects(*facts.effects, facts, advice)
    if facts.counted and facts.category not in REFUSED_EACH:
        return Told(CANNOT_TELL, f"cannot tell: only effects show it; {advice}")
    return _by_status(facts, advice)


def _why_not(facts: Facts) -> str:
    if facts.mixed:
        return "some of these requests are genuine, and the rule judges them together"
    if facts.first is not None and not 200 <= facts.first < 300:
        return "the genuine request was not accepted"
    return ""


def _by_effects(seen: int, wanted: int, facts: Facts, advice: str) -> Told:
    words = f"{seen} effects where {wanted} should be"
    if seen > wanted or (seen < wanted and facts.category == "valid"):
        return Told(SEEN, f"seen again: {words}")
    return _well(f"{words}", facts, advice)


def _by_status(facts: Facts, advice: str) -> Told:
    wrong = [at for at, status in enumerate(facts.then) if bad(facts.category, status)]
    if not wrong:
        return Told(CANNOT_TELL, f"cannot tell: it is not the status that was wrong; {advice}")
    silent = sum(facts.now[at] is None and facts.then[at] is not None for at in wrong)
    again = sum(bad(facts.category, facts.now[at]) for at in wrong) - silent
    if again:
        return Told(SEEN, f"seen again: {again} of {len(wrong)} wrong answers are wrong now")
    if silent:
        return Told(
            CANNOT_TELL, f"cannot tell: {silent} of {len(wrong)} got no answer now; {advice}"
        )
    if None in facts.then:
        return Told(CANNOT_TELL, f"cannot tell: every request is answered this time; {advice}")
    return _well("every answer is as it should be", facts, advice)


def _well(words: str, facts: Facts, advice: str) -> Told:
    """Conclude from requests that were answered well, which proves less than a bad answer."""
    if facts.verbatim:
        why = "these bytes are old and were seen before, so they may be refused for that"
    elif facts.kept:
        why = "not every request could be made as it was"
    elif not facts.alone:
        why = "the rule asks more than these requests show"
    else:
        return Told(NOT_SEEN, f"not seen again: {words}")
    return Told(CANNOT_TELL, f"cannot tell: {words}, but {why}; {advice}")


def bad(category: str, status: int | None) -> bool:
    """Tell whether a status is wrong in itself, for a request of this category's rules."""
    if status is None or (status >= 500 and status != 503):
        return True
    if category == "valid":
        return not 200 <= status < 300
    return category in REFUSED_EACH and 200 <= status < 300
