"""GitHub's workflow commands: annotations, as lines that its runner finds in standard output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hookproof.reports.exchanges import printable
from hookproof.reports.model import RuleReport, RunReport
from hookproof.verdicts import Level, Verdict

COMMANDS: Mapping[Verdict, str] = {
    Verdict.FAIL: "error",
    Verdict.WARN: "warning",
    Verdict.INFO: "notice",
}


def rendered(run: RunReport) -> bytes:
    """Write an annotation for each finding, each open MUST, and a run that was not whole."""
    return "".join(f"{line}\n" for line in _lines(run)).encode("utf-8", "backslashreplace")


def _lines(run: RunReport) -> Iterator[str]:
    for rule in run.findings:
        yield _annotation(run, COMMANDS[rule.verdict], _title(rule), _message(run, rule))
    for rule in run.rules:
        if rule.verdict is Verdict.UNPROVEN and rule.level is Level.MUST:
            settle = f"\nTo settle: {rule.settle}" if rule.settle else ""
            yield _annotation(run, "warning", _title(rule), f"not proven: {rule.message}{settle}")
    if run.unexplained:
        yield _annotation(run, "error", "hookproof", run.exit_words)


def _title(rule: RuleReport) -> str:
    return f"{rule.id}: {rule.title}"


def _message(run: RunReport, rule: RuleReport) -> str:
    lines = (rule.message, f"Expected: {rule.expected}" if rule.expected else "", rule.remedy)
    return "\n".join(printable(line) for line in (*lines, f"Target: {run.target}") if line)


def _annotation(run: RunReport, command: str, title: str, message: str) -> str:
    place = run.subject.place
    where = {"file": place.file, "line": str(place.line)} if place and not place.shipped else {}
    properties = ",".join(
        f"{name}={_escaped(value, ':,')}" for name, value in (where | {"title": title}).items()
    )
    return f"::{command} {properties}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    """Escape what ends a command, and in a property what separates properties."""
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text
