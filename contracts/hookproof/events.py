"""What a run tells its listeners, in order: started, each rule, finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import final

from hookproof.rule import Rule
from hookproof.verdicts import EffectCount, Evidence, Policy, Verdict


class ExitStatus(IntEnum):
    """The exit status of a run."""

    PROVEN = 0
    BROKEN = 1
    NOT_RUN = 2
    UNPROVEN = 3

    @property
    def words(self) -> str:
        """The status as a sentence."""
        return _WORDS[self]


_WORDS = {
    ExitStatus.PROVEN: "every applicable MUST rule passed",
    ExitStatus.BROKEN: "a rule is broken",
    ExitStatus.NOT_RUN: "the contract could not be run",
    ExitStatus.UNPROVEN: "nothing is broken, but not every MUST rule could be proven",
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """How a rule ended, with what shows it. Times are in seconds."""

    verdict: Verdict
    message: str = ""
    expected: str = ""
    settle: str = ""
    evidence: tuple[Evidence, ...] = ()
    effects: EffectCount | None = None
    script: str = ""
    """A test that shows a finding again, to be pasted."""
    requests: int = 0
    seconds: float = 0.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins. `started` is in Unix seconds; `document` is the document as it was named."""

    target: str
    spec: str
    webhook: str
    scheme: str
    policy: Policy
    effects: str
    seed: int
    rules: tuple[Rule, ...]
    started: float
    document: str = ""


@final
@dataclass(frozen=True, slots=True)
class RuleStarted:
    """A rule is about to be tried."""

    rule: Rule


@final
@dataclass(frozen=True, slots=True)
class RuleFinished:
    """A rule has ended."""

    rule: Rule
    result: RuleResult


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run has ended; `complete` is False when it was interrupted.

    `reason` says why the contract could not be run, where it could not. `notes` are remarks about
    the run as a whole: a broken probe, a clock that is off. `outdated` says what in the baseline
    no longer holds; it fails a run in which nothing else does.
    """

    exit: ExitStatus
    summary: Mapping[Verdict, int]
    requests: int
    seconds: float
    complete: bool = True
    reason: str = ""
    notes: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()


Event = RunStarted | RuleStarted | RuleFinished | RunFinished
