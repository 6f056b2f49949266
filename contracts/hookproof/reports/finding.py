"""A finding in full: the same words on a terminal, in pytest and wherever else one is told."""

from __future__ import annotations

from collections.abc import Iterator

from hookproof.events import RuleResult
from hookproof.reports.exchanges import escaped, evidence_lines
from hookproof.rule import Rule

LABEL_WIDTH = 13


def finding_text(rule: Rule, result: RuleResult) -> str:
    """Return a finding as text without colours."""
    return "\n".join(finding_lines(rule, result))


def finding_lines(rule: Rule, result: RuleResult) -> Iterator[str]:
    """Yield a finding's lines, from the requirement to the remedy."""
    yield f"{rule.id}: {rule.title} [{rule.level.value}, {result.verdict.value}]"
    yield from labelled(_parts(rule, result))


def labelled(parts: Iterator[tuple[str, str]]) -> Iterator[str]:
    """Yield lines in which labels stand in a column of their own."""
    for label, text in parts:
        yield f"  {label:<{LABEL_WIDTH}}{escaped(text)}".rstrip()


def _parts(rule: Rule, result: RuleResult) -> Iterator[tuple[str, str]]:
    yield "requirement", rule.requirement
    yield "source", rule.source
    yield "found", result.message
    yield from evidence_lines(result.evidence)
    if result.expected:
        yield "expected", result.expected
    if result.effects is not None:
        counts = result.effects
        yield "effects", f"{counts.before} before, {counts.after} after, {counts.expected} expected"
    if result.settle:
        yield "to settle", result.settle
    yield "remedy", rule.remedy
    for number, line in enumerate(result.script.splitlines()):
        yield "" if number else "as a test", line
    yield "again", f"the same command with --only {rule.id}"
