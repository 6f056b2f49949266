"""A run as a value: what every report format renders, whether it comes from events or from JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import final

from hookproof.events import RuleFinished, RuleResult, RunFinished, RunStarted
from hookproof.reports.outcome import exit_code, exit_words, looks_bad
from hookproof.reports.subject import UNKNOWN, Subject
from hookproof.rule import Rule
from hookproof.verdicts import EffectCount, Evidence, Level, Policy, Verdict

FINDINGS = (Verdict.FAIL, Verdict.WARN, Verdict.INFO)
"""The verdicts that are told in full, worst first."""
BROKEN = (*FINDINGS, Verdict.ACCEPTED)
"""The verdicts on rules that are broken, whether or not that is accepted."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReport:
    """A rule, how it ended and what shows it. `seconds` is how long it took."""

    id: str
    category: str
    level: Level
    verdict: Verdict
    title: str
    requirement: str
    source: str
    sends: str
    message: str
    expected: str
    settle: str
    script: str
    remedy: str
    requests: int
    seconds: float
    evidence: tuple[Evidence, ...]
    effects: EffectCount | None

    @classmethod
    def of(cls, rule: Rule, result: RuleResult) -> RuleReport:
        """Return what a run told of a rule."""
        return cls(
            id=rule.id,
            category=rule.category.value,
            level=rule.level,
            verdict=result.verdict,
            title=rule.title,
            requirement=rule.requirement,
            source=rule.source,
            sends=rule.sends,
            message=result.message,
            expected=result.expected,
            settle=result.settle,
            script=result.script,
            remedy=rule.remedy,
            requests=result.requests,
            seconds=result.seconds,
            evidence=result.evidence,
            effects=result.effects,
        )

    @property
    def found(self) -> bool:
        """Tell whether there is something to mend, or to know."""
        return self.verdict in BROKEN


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """A whole run. Times are in Unix seconds, and in seconds.

    `saved` is the path of its JSON report, "" where there is none.
    """

    version: str
    target: str
    spec: str
    webhook: str
    scheme: str
    effects: str
    seed: int
    policy: Policy
    started: float
    seconds: float
    requests: int
    complete: bool
    exit: int
    exit_words: str
    notes: tuple[str, ...]
    summary: Mapping[Verdict, int]
    rules: tuple[RuleReport, ...]
    subject: Subject = UNKNOWN
    saved: str = ""

    @classmethod
    def of(
        cls,
        started: RunStarted,
        rules: Sequence[RuleFinished],
        finished: RunFinished,
        *,
        subject: Subject = UNKNOWN,
        saved: str = "",
    ) -> RunReport:
        """Return what the events of a run told."""
        return cls(
            version=version("hookproof"),
            target=started.target,
            spec=started.spec,
            webhook=started.webhook,
            scheme=started.scheme,
            effects=started.effects,
            seed=started.seed,
            policy=started.policy,
            started=started.started,
            seconds=finished.seconds,
            requests=finished.requests,
            complete=finished.complete,
            exit=exit_code(finished),
            exit_words=exit_words(finished),
            notes=finished.notes,
            summary={verdict: finished.summary.get(verdict, 0) for verdict in Verdict},
            rules=tuple(RuleReport.of(event.rule, event.result) for event in rules),
            subject=subject,
            saved=saved,
        )

    @property
    def findings(self) -> tuple[RuleReport, ...]:
        """The findings, worst first."""
        return tuple(rule for verdict in FINDINGS for rule in self.rules if rule.verdict is verdict)

    @property
    def unexplained(self) -> bool:
        """Tell whether the run went wrong in a way that no rule's verdict shows."""
        failed = any(rule.verdict is Verdict.FAIL for rule in self.rules)
        return not self.complete or (looks_bad(self.exit) and not failed)
