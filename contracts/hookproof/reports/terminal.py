"""The report that a person reads while the contract runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import final

from hookproof.events import Event, RuleFinished, RuleResult, RuleStarted, RunFinished, RunStarted
from hookproof.reports.console import Console, Style
from hookproof.reports.exchanges import evidence_lines, printable
from hookproof.reports.finding import finding_lines, labelled
from hookproof.reports.model import FINDINGS
from hookproof.reports.outcome import counts, exit_code, exit_words, looks_bad
from hookproof.rule import Rule
from hookproof.verdicts import Level, Policy, Verdict

TOGETHER = (Verdict.BLOCKED, Verdict.NOT_APPLICABLE)
"""The verdicts that many rules share for one reason: told together at the end."""
LISTED = 12
"""How many rules are named there; of more, the number says enough."""
TITLE_WIDTH = 60
BAR_WIDTH = 24


class Detail(IntEnum):
    """How much is told."""

    QUIET = -1
    NORMAL = 0
    VERBOSE = 1


@final
@dataclass(frozen=True, slots=True)
class Look:
    """How a verdict is shown: its mark, its mark in ASCII, its colour."""

    mark: str
    ascii: str
    style: Style | None


LOOKS = {
    Verdict.PASS: Look("✓", "+", Style.GOOD),
    Verdict.FAIL: Look("✗", "x", Style.BAD),
    Verdict.WARN: Look("!", "!", Style.ODD),
    Verdict.INFO: Look("i", "i", None),
    Verdict.ACCEPTED: Look("~", "~", Style.ODD),
    Verdict.UNPROVEN: Look("?", "?", Style.ODD),
    Verdict.BLOCKED: Look("-", "-", Style.ODD),
    Verdict.SKIPPED: Look("-", "-", Style.FAINT),
    Verdict.NOT_APPLICABLE: Look("·", ".", Style.FAINT),
}


@final
@dataclass(slots=True)
class TerminalReport:
    """Writes a run to a console as it happens, and its findings in full at the end."""

    console: Console
    detail: Detail = Detail.NORMAL
    saved: str = ""
    """The path of the run's JSON report."""
    _rules: tuple[Rule, ...] = field(default=(), init=False)
    _tried: int = field(default=0, init=False)
    _results: list[tuple[Rule, RuleResult]] = field(default_factory=list, init=False)

    def hear(self, event: Event) -> None:
        """Take an event; see `Report.hear`."""
        match event:
            case RunStarted():
                self._rules = event.rules
                if self.detail > Detail.QUIET:
                    self._write(_header(event))
            case RuleStarted(rule):
                self._tried += 1
                self.console.transient(self._progress(rule))
            case RuleFinished(rule, result):
                self._results.append((rule, result))
                if self.detail > Detail.QUIET:
                    self._write(self._rule(rule, result))
            case RunFinished():
                self.console.settle()
                self._write(self._ending(event))

    def _progress(self, rule: Rule) -> str:
        """Return the bar that stands below the rules while one is being tried."""
        number = len(self._rules)
        done = (self._tried - 1) * BAR_WIDTH // number
        full, empty = ("#", "-") if self.console.plain else ("█", "░")
        return f"{full * done}{empty * (BAR_WIDTH - done)}  {self._tried}/{number}  {rule.id}"

    def _write(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.console.line(line)

    def _mark(self, verdict: Verdict) -> str:
        look = LOOKS[verdict]
        return self.console.paint(look.ascii if self.console.plain else look.mark, look.style)

    def _rule(self, rule: Rule, result: RuleResult) -> Iterator[str]:
        id_width = max((len(r.id) for r in self._rules), default=0)
        title_width = min(max((len(r.title) for r in self._rules), default=0), TITLE_WIDTH)
        if result.verdict in TOGETHER:
            if self.detail is Detail.VERBOSE:
                yield self._not_tried(rule, result, id_width)
            return
        if result.verdict is Verdict.SKIPPED:
            yield self._not_tried(rule, result, id_width)
            return
        line = f"{self._mark(result.verdict)} {rule.id:<{id_width}}  {rule.title:<{title_width}}"
        if result.requests:
            line += f"  {_requests(result.requests):>12}  {_duration(result.seconds):>7}"
        yield line.rstrip()
        if result.verdict is not Verdict.PASS:
            yield self._faint(f"    {result.verdict.value}: {printable(result.message)}")
        elif self.detail is Detail.VERBOSE:
            yield from map(self._faint, labelled(_shown(result)))

    def _not_tried(self, rule: Rule, result: RuleResult, id_width: int) -> str:
        text = f"{rule.id:<{id_width}}  {printable(result.message)}"
        return self._faint(f"{self._mark(result.verdict)} {text}")

    def _faint(self, line: str) -> str:
        return self.console.paint(line, Style.FAINT)

    def _ending(self, finished: RunFinished) -> Iterator[str]:
        yield from self._findings()
        if self.detail > Detail.QUIET:
            yield from self._open_musts()
            yield from self._together(Verdict.BLOCKED, "Blocked")
            yield from self._together(Verdict.NOT_APPLICABLE, "Not applicable")
            yield from self._summary(finished)
        elif self._found():
            yield ""
        status = exit_code(finished)
        style = Style.BAD if looks_bad(status) else Style.GOOD if status == 0 else Style.ODD
        yield self.console.paint(f"exit {status}: {printable(exit_words(finished))}", style)

    def _found(self) -> list[tuple[Rule, RuleResult]]:
        return [
            (rule, result)
            for verdict in FINDINGS
            for rule, result in self._results
            if result.verdict is verdict
        ]

    def _findings(self) -> Iterator[str]:
        found = self._found()
        if found:
            yield from ("", self.console.paint("Findings", Style.STRONG))
        for number, (rule, result) in enumerate(found, 1):
            title, *rest = finding_lines(rule, result, self.saved)
            yield ""
            yield self.console.paint(f"{number}. {title}", LOOKS[result.verdict].style)
            yield from map(self._marked, rest)

    def _marked(self, line: str) -> str:
        """Show the line that names the difference from a genuine request."""
        return self.console.paint(line, Style.STRONG) if line.startswith("  sent") else line

    def _open_musts(self) -> Iterator[str]:
        still_open = [
            (rule, result)
            for rule, result in self._results
            if rule.level is Level.MUST and result.verdict is Verdict.UNPROVEN
        ]
        if still_open:
            yield from ("", self.console.paint("Not proven", Style.STRONG), "")
        for rule, result in still_open:
            yield f"{self._mark(result.verdict)} {rule.id}: {printable(result.message)}"
            if result.settle:
                yield f"    to settle: {printable(result.settle)}"

    def _together(self, verdict: Verdict, heading: str) -> Iterator[str]:
        """Tell the rules that ended alike together, by the reason that they share."""
        ids: dict[str, list[str]] = {}
        for rule, result in self._results:
            if result.verdict is verdict:
                ids.setdefault(result.message, []).append(rule.id)
        if ids and self.detail is Detail.NORMAL:
            yield from ("", self.console.paint(heading, Style.STRONG), "")
            for message, rules in ids.items():
                listed = ", ".join(rules) if len(rules) <= LISTED else f"{len(rules)} rules"
                yield self._faint(f"{self._mark(verdict)} {printable(message)}: {listed}")

    def _summary(self, finished: RunFinished) -> Iterator[str]:
        yield ""
        for note in finished.notes:
            yield f"note: {printable(note)}"
        words = [
            self.console.paint(text, LOOKS[verdict].style)
            for verdict, text in counts(finished.summary)
        ]
        spent = f"{_requests(finished.requests)}, {_duration(finished.seconds)}"
        yield f"{', '.join(words) or 'no rule was tried'}  ({spent})"


def _header(started: RunStarted) -> Iterator[str]:
    yield f"target   {printable(started.target)}"
    yield f"webhook  {started.webhook} of {started.spec}"
    yield f"scheme   {started.scheme}"
    yield f"policy   {policy_words(started.policy)}"
    yield f"effects  {printable(started.effects)}"
    yield f"rules    {len(started.rules)}, seed {started.seed}"
    yield ""


def policy_words(policy: Policy) -> str:
    """Say a policy in one line."""
    age = "undeclared" if policy.tolerance is None else f"{policy.tolerance:g} s"
    return f"replays: {policy.replay.value}, forgeries: {policy.forged.value}, tolerance: {age}"


def _shown(result: RuleResult) -> Iterator[tuple[str, str]]:
    if result.message:
        yield "found", printable(result.message)
    yield from evidence_lines(result.evidence)


def _requests(count: int) -> str:
    return f"{count} request" if count == 1 else f"{count} requests"


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
