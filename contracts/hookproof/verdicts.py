"""The words in which a receiver is judged: levels, outcomes, judgements, verdicts, policy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import final

from hookproof.targets.base import Exchange


class Level(StrEnum):
    """How severe a breach is."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    INFO = "INFO"


class Verdict(StrEnum):
    """How a rule ended."""

    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    INFO = "info"
    ACCEPTED = "accepted"
    """It is broken, and a baseline accepts that for a time, with a reason."""
    UNPROVEN = "unproven"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    NOT_APPLICABLE = "not-applicable"


class Outcome(StrEnum):
    """What a receiver did with one request, as far as its status tells."""

    ACCEPTED = "accepted"
    """2xx. Whether it had an effect, or was ignored, only a probe can tell."""
    REJECTED = "rejected"
    """3xx or 4xx."""
    THROTTLED = "throttled"
    """429 or 503: the receiver asks for patience, which says nothing about the request."""
    CRASHED = "crashed"
    """Any other 5xx."""
    DROPPED = "dropped"
    """No usable answer."""

    @classmethod
    def of(cls, exchange: Exchange) -> Outcome:
        """Return the outcome that an exchange's status tells."""
        status = exchange.status
        if status is None:
            return cls.DROPPED
        if status in (429, 503):
            return cls.THROTTLED
        if status >= 500:
            return cls.CRASHED
        return cls.ACCEPTED if 200 <= status < 300 else cls.REJECTED


class ReplayPolicy(StrEnum):
    """What the receiver's team says it does with a replay."""

    REJECTS = "rejects"
    IGNORES = "ignores"
    EITHER = "either"


class ForgedPolicy(StrEnum):
    """What the receiver's team says it does with a forged request."""

    REJECTS = "rejects"
    IGNORES = "ignores"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a team declares of its receiver; `tolerance` in seconds, None when undeclared."""

    replay: ReplayPolicy = ReplayPolicy.EITHER
    forged: ForgedPolicy = ForgedPolicy.REJECTS
    tolerance: float | None = None


DECLARED_NOTHING = Policy()


@final
@dataclass(frozen=True, slots=True)
class Evidence:
    """One exchange, and in words how its request differs from a genuine one."""

    note: str
    exchange: Exchange


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectCount:
    """What the probe counted before and after, and what it should have counted."""

    before: int
    after: int
    expected: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """The receiver did what the rule asks."""

    message: str = ""
    evidence: tuple[Evidence, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """The receiver broke the rule. `level` is the rule's own unless this breach is a lesser one.

    `script` is a test that shows the breach again, to be pasted; "" where there is none.
    """

    message: str
    expected: str
    evidence: tuple[Evidence, ...] = ()
    effects: EffectCount | None = None
    level: Level | None = None
    script: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Unproven:
    """The rule ran and cannot tell. `settle` says what would let it."""

    message: str
    settle: str = ""
    evidence: tuple[Evidence, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The scheme, the secret or the document lacks what the rule needs."""

    message: str


Judgement = Holds | Breach | Unproven | NotApplicable
