"""Findings in the words of a test: arguments of `Receiver` instead of options."""

from __future__ import annotations

import re
from dataclasses import replace

from hookproof.events import RuleResult
from hookproof.reports.finding import LABEL_WIDTH, finding_lines
from hookproof.rule import Rule

ARGUMENTS = {
    "--effects-url": "effects=…",
    "--effect-timeout": "effect_timeout=…",
    "--also-url": "also=…",
    "--restart-command": "restart=…",
    "--other-secret-env": "other_secret=…",
    "--unsigned": "unsigned=True",
    "--tolerance": "tolerance=…",
    "--rate": "rate=…",
    "--replay": "replay=…",
    "--forged": "forged=…",
}
_OPTION = re.compile(r"(--(?:replay|forged)) (rejects|ignores|either)\b|(--[a-z]+(?:-[a-z]+)*)")


def in_words_of_pytest(result: RuleResult) -> RuleResult:
    """Return a result whose advice names what a test suite can give."""
    return replace(
        result,
        message=_reworded(result.message),
        expected=_reworded(result.expected),
        settle=_reworded(result.settle),
    )


def finding(rule: Rule, result: RuleResult, nodeid: str) -> str:
    """Return a finding as the command line tells it, and how to see it again under pytest."""
    *lines, _ = finding_lines(rule, result)
    return "\n".join((*lines, f"  {'again':<{LABEL_WIDTH}}pytest '{nodeid}'"))


def _reworded(text: str) -> str:
    return _OPTION.sub(_argument, text)


def _argument(found: re.Match[str]) -> str:
    if found[1]:
        return f'{found[1].removeprefix("--")}="{found[2]}"'
    return ARGUMENTS.get(found[3], found[3])
