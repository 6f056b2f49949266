"""Markdown for a job summary or a comment: the counts, each finding, what is left open."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hookproof.reports.exchanges import printable
from hookproof.reports.finding import told_lines
from hookproof.reports.model import RuleReport, RunReport
from hookproof.reports.outcome import counts
from hookproof.reports.terminal import policy_words
from hookproof.verdicts import Level, Verdict

MARKS = {
    Verdict.PASS: "✅",
    Verdict.FAIL: "❌",
    Verdict.WARN: "⚠️",
    Verdict.INFO: "ℹ️",  # noqa: RUF001 (the sign that GitHub shows)
    Verdict.ACCEPTED: "🔕",
    Verdict.UNPROVEN: "❔",
    Verdict.BLOCKED: "⛔",
    Verdict.SKIPPED: "⏭️",
    Verdict.NOT_APPLICABLE: "➖",  # noqa: RUF001
}
LIMIT = 900_000
"""A job summary on GitHub takes 1 MiB; what is longer would not be shown at all."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~@&-])")


def rendered(run: RunReport) -> bytes:
    """Write a run as Markdown that GitHub and GitLab show alike."""
    data = "\n".join(_lines(run)).encode("utf-8", "backslashreplace") + b"\n"
    if len(data) <= LIMIT:
        return data
    cut = data[: data.rindex(b"\n\n### ", 0, LIMIT)]
    return cut + b"\n\nMore findings than a summary can hold: the other reports have them.\n"


def _lines(run: RunReport) -> Iterator[str]:
    mark = {0: "✅", 3: "❔"}.get(run.exit, "❌")
    yield f"## {mark} hookproof: {_text(run.exit_words)}"
    yield ""
    yield ", ".join(f"{MARKS[verdict]} {words}" for verdict, words in counts(run.summary)) or (
        "No rule was tried."
    )
    yield ""
    yield "| target | webhook | policy | effects | requests | seed |"
    yield "|---|---|---|---|---|---|"
    cells = (
        _code(run.target),
        _text(f"{run.webhook} of {run.spec}"),
        _text(policy_words(run.policy)),
        _text(run.effects),
        f"{run.requests} in {run.seconds:.1f} s",
        str(run.seed),
    )
    yield f"| {' | '.join(cells)} |"
    for note in run.notes:
        yield from ("", f"> {_text(note)}")
    for rule in run.findings:
        yield from _finding(run, rule)
    yield from _open(run)
    yield from _matrix(run)


def _finding(run: RunReport, rule: RuleReport) -> Iterator[str]:
    yield ""
    yield f"### {MARKS[rule.verdict]} {_code(rule.id)} {_text(rule.title)}"
    yield ""
    yield f"**{_text(rule.message)}** ({rule.level.value})"
    yield ""
    yield f"{_text(rule.requirement)} To mend it: {_text(rule.remedy)}"
    yield ""
    yield "<details><summary>What was sent, and what came back</summary>"
    yield ""
    yield from _fenced("\n".join(told_lines(rule, run.saved)))
    yield ""
    yield "</details>"


def _open(run: RunReport) -> Iterator[str]:
    left = [r for r in run.rules if r.level is Level.MUST and r.verdict is Verdict.UNPROVEN]
    if not left:
        return
    yield from ("", "### Not proven", "")
    for rule in left:
        settle = f" To settle: {_text(rule.settle)}" if rule.settle else ""
        yield f"- {_code(rule.id)}: {_text(rule.message)}.{settle}"


def _matrix(run: RunReport) -> Iterator[str]:
    if not run.rules:
        return
    yield from ("", f"<details><summary>All {len(run.rules)} rules</summary>", "")
    yield from ("| rule | level | verdict | what it asks |", "|---|---|---|---|")
    for rule in run.rules:
        verdict = f"{MARKS[rule.verdict]} {rule.verdict.value}"
        yield f"| {_code(rule.id)} | {rule.level.value} | {verdict} | {_text(rule.title)} |"
    yield from ("", "</details>")


def _fenced(text: str) -> Iterator[str]:
    """Yield a code block whose fence is longer than any that stands in it."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}text", text, fence)


def _code(text: str) -> str:
    shown = printable(text, 300).replace("|", "\\|")
    longest = max(map(len, re.findall("`+", shown)), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks} {shown} {ticks}" if longest else f"`{shown}`"


def _text(text: str) -> str:
    """Return text that means nothing to Markdown, in one line."""
    return _SPECIAL.sub(r"\\\1", printable(text, 500)).replace("://", ":\\//")
