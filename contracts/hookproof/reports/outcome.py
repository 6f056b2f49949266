"""What a run came to: exit status and counts, in words."""

from __future__ import annotations

from collections.abc import Mapping

from hookproof.events import ExitStatus, RunFinished
from hookproof.verdicts import Verdict

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it: what was not tried may still be broken."""

_NAMES = {
    Verdict.PASS: ("passed", "passed"),
    Verdict.FAIL: ("failed", "failed"),
    Verdict.WARN: ("warning", "warnings"),
    Verdict.INFO: ("remark", "remarks"),
    Verdict.ACCEPTED: ("accepted", "accepted"),
    Verdict.UNPROVEN: ("unproven", "unproven"),
    Verdict.BLOCKED: ("blocked", "blocked"),
    Verdict.SKIPPED: ("skipped", "skipped"),
    Verdict.NOT_APPLICABLE: ("not applicable", "not applicable"),
}


def interrupted(finished: RunFinished) -> bool:
    """Tell whether somebody stopped the run, rather than something."""
    return not finished.complete and not finished.reason


def exit_code(finished: RunFinished) -> int:
    """Return the exit status of the process for a run that ended like this."""
    return INTERRUPTED if interrupted(finished) else int(finished.exit)


def exit_words(finished: RunFinished) -> str:
    """Say the exit status in words."""
    if interrupted(finished):
        return "interrupted before every rule was tried"
    if finished.outdated:
        return f"the baseline is out of date: {'; '.join(finished.outdated)}"
    words = finished.exit.words
    return f"{words}: {finished.reason}" if finished.reason else words


def counts(summary: Mapping[Verdict, int]) -> list[tuple[Verdict, str]]:
    """Return each verdict that occurred with its count in words: `2 warnings`."""
    return [
        (verdict, f"{number} {_NAMES[verdict][number != 1]}")
        for verdict in Verdict
        if (number := summary.get(verdict, 0))
    ]


def looks_bad(status: int) -> bool:
    """Tell whether a status says that something is broken or was not run."""
    return status in (ExitStatus.BROKEN, ExitStatus.NOT_RUN, INTERRUPTED)
