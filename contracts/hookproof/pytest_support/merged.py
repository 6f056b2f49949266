"""One contract on one receiver, as it would have been run by the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import final

from hookproof.catalogue import RULES
from hookproof.events import RuleFinished, RuleResult, RunFinished, RunStarted
from hookproof.pytest_support.parcels import Parcel, unpacked
from hookproof.reports.formats import Output, open_reports
from hookproof.reports.outcome import counts, exit_words
from hookproof.reports.subject import Subject
from hookproof.rule import Rule
from hookproof.run import exit_status
from hookproof.verdicts import Verdict


@final
@dataclass(slots=True)
class MergedRun:
    """What all tests of a contract found out, whichever process they ran in."""

    started: RunStarted
    results: dict[str, RuleResult] = field(default_factory=dict)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that were tried, in the order of the catalogue."""
        return tuple(rule for rule in RULES if rule.id in self.results)

    def words(self, *, complete: bool) -> str:
        """Say what it came to, in one line."""
        finished = self.finished(complete=complete)
        return f"{', '.join(text for _, text in counts(finished.summary))}; {exit_words(finished)}"

    def take(self, parcel: Parcel) -> None:
        """Add what a test found out; of a rule tried by several workers the worst counts."""
        self.started = min(self.started, parcel.started, key=lambda event: event.started)
        for event in parcel.finished:
            known = self.results.get(event.rule.id)
            if known is None or _weight(event.result) < _weight(known):
                self.results[event.rule.id] = event.result

    def finished(self, *, complete: bool) -> RunFinished:
        """Return how the run ended."""
        summary = Counter(result.verdict for result in self.results.values())
        return RunFinished(
            exit=exit_status(self.rules, self.results),
            summary={verdict: summary[verdict] for verdict in Verdict},
            requests=sum(result.requests for result in self.results.values()),
            seconds=sum(result.seconds for result in self.results.values()),
            complete=complete,
        )


_WORST_FIRST = (
    Verdict.FAIL,
    Verdict.WARN,
    Verdict.INFO,
    Verdict.ACCEPTED,
    Verdict.UNPROVEN,
    Verdict.BLOCKED,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
    Verdict.SKIPPED,
)


def _weight(result: RuleResult) -> int:
    return _WORST_FIRST.index(result.verdict)


def add(runs: dict[str, MergedRun], text: str) -> None:
    """Add a parcel to the run that it belongs to."""
    parcel = unpacked(text)
    runs.setdefault(parcel.run, MergedRun(parcel.started)).take(parcel)


def write(
    run: MergedRun, wanted: Sequence[str], *, complete: bool, stream: Output | None = None
) -> None:
    """Tell reports the whole run; `stream` is where one goes that is printed.

    Raises:
        HookproofError: one cannot be written.
    """
    started = replace(run.started, rules=run.rules)
    subject = Subject.named(started.document or started.spec, started.webhook, started.scheme)
    for report in open_reports(wanted, subject, stream=stream):
        report.hear(started)
        for rule in run.rules:
            report.hear(RuleFinished(rule, run.results[rule.id]))
        report.hear(run.finished(complete=complete))
