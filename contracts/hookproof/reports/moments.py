"""About when each request of a rule was sent: a report says how long things took, not when."""

from __future__ import annotations

from itertools import accumulate

from hookproof.reports.model import RuleReport, RunReport
from hookproof.reports.wire import stamp_of
from hookproof_spec.request import Request

MARGIN = 1.0
"""Seconds by which a timestamp may lie outside that time; it is written in whole seconds."""


def sent_times(run: RunReport, rule: RuleReport) -> tuple[float, ...]:
    """Return Unix seconds for each piece of a rule's evidence.

    A timestamp that lies within the time in which the rule was tried is taken for the time of
    sending; for others that is told by how long everything before took. What had to be stale is
    rather taken for older than it was, and what had to be fresh for younger.
    """
    ids = [tried.id for tried in run.rules]
    begun = run.started + sum(tried.seconds for tried in run.rules[: ids.index(rule.id)])
    ends = accumulate(item.exchange.seconds for item in rule.evidence)
    ended = begun + rule.seconds
    guesses = [round(ended if "stale" in rule.id else begun + end, 3) for end in ends]
    return tuple(
        _sent(run, item.exchange.request, guess, (begun, ended))
        for item, guess in zip(rule.evidence, guesses, strict=True)
    )


def _sent(run: RunReport, request: Request, guess: float, tried: tuple[float, float]) -> float:
    scheme = run.subject.scheme
    if scheme is None or scheme.timestamp is None:
        return guess
    claimed = scheme.timestamp.unit.read(stamp_of(request, scheme).timestamp)
    begun, ended = tried
    if claimed is not None and begun - MARGIN <= claimed <= ended:
        return claimed
    return guess
