"""A finding in full: the same words on a terminal, in pytest and wherever else one is told."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from hookproof.events import RuleResult
from hookproof.reports.exchanges import escaped, evidence_lines
from hookproof.reports.model import RuleReport
from hookproof.rule import Rule
from hookproof.verdicts import EffectCount

LABEL_WIDTH = 13


def finding_text(rule: Rule, result: RuleResult) -> str:
    """Return a finding as text without colours."""
    return "\n".join(finding_lines(rule, result))


def finding_lines(rule: Rule, result: RuleResult, saved: str = "") -> Iterator[str]:
    """Yield a finding's lines, from the requirement to how it is seen again.

    `saved` is the path of the run's JSON report, "" without one.
    """
    yield from told_lines(RuleReport.of(rule, result), saved)


def told_lines(rule: RuleReport, saved: str = "") -> Iterator[str]:
    """Yield the lines of a finding that a report holds; see `finding_lines`."""
    yield f"{rule.id}: {rule.title} [{rule.level.value}, {rule.verdict.value}]"
    yield from labelled(_parts(rule, saved))


def labelled(parts: Iterator[tuple[str, str]]) -> Iterator[str]:
    """Yield lines in which labels stand in a column of their own."""
    for label, text in parts:
        yield f"  {label:<{LABEL_WIDTH}}{escaped(text)}".rstrip()


def _parts(rule: RuleReport, saved: str) -> Iterator[tuple[str, str]]:
    yield "requirement", rule.requirement
    yield "source", rule.source
    yield "found", rule.message
    yield from evidence_lines(rule.evidence)
    if rule.expected:
        yield "expected", rule.expected
    if rule.effects is not None:
        yield "effects", effects_words(rule.effects)
    if rule.settle:
        yield "to settle", rule.settle
    yield "remedy", rule.remedy
    for number, line in enumerate(rule.script.splitlines()):
        yield "" if number else "as a test", line
    yield "again", again_line(rule.id, saved)


def again_line(id: str, saved: str) -> str:
    """Return the command that shows a finding again, or what to do where no JSON report is."""
    if saved:
        return f"hookproof replay {shlex.quote(saved)} {id}"
    return f"the same command with --only {id}"


def effects_words(effects: EffectCount | None) -> str:
    """Say what a probe counted; "" without one."""
    if effects is None:
        return ""
    return f"{effects.before} before, {effects.after} after, {effects.expected} expected"
