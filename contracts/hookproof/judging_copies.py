"""Whether copies of an accepted request, as they are or rewritten, were acted on again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps

from hookproof.controls import SHOWN, control, control_without_effect, throttled
from hookproof.effects import Effects
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Check
from hookproof.verdicts import (
    Breach,
    EffectCount,
    Evidence,
    Holds,
    Judgement,
    Level,
    Outcome,
    ReplayPolicy,
    Unproven,
)
from hookproof.wording import answer, listed, plural
from hookproof_spec.signing import Delivery

NEEDS_PROBE = "an effects probe (--effects-url)"
CopyMaker = Callable[[Lab, Delivery], Iterable[Case]]


def acted_on_once(make: CopyMaker) -> Check:
    """Return a check that copies of an accepted delivery, however rewritten, have no effect."""

    @wraps(make)
    def check(lab: Lab) -> Judgement:
        before = lab.effects()
        original = lab.captured()
        copies = [lab.send(case) for case in make(lab, original)]
        same = original.request
        lab.log.replayed.extend(copy for copy in copies if copy.exchange.request == same)
        return judge_copies(lab, copies, before)

    return check


def judge_copies(lab: Lab, copies: Sequence[Evidence], before: Effects | None) -> Judgement:
    """Judge the answers to copies of one accepted delivery that has had its effect.

    `before` is what the probe counted before the original.
    """
    if before is None:
        return _copies_by_status(lab, copies)
    trouble = control(lab)
    if trouble is not None:
        return trouble
    after = lab.watcher.wait_for(before.count + 2)
    effects = EffectCount(before=before.count, after=after.count, expected=before.count + 2)
    if effects.after > effects.expected:
        extra = effects.after - effects.expected
        return Breach(
            message=f"acts again on {listed(_accepted_first(copies))}:"
            f" {plural(1 + extra, 'effect')} of one event",
            expected="one effect, however often the event arrives",
            evidence=tuple(_accepted_first(copies)[:SHOWN]),
            effects=effects,
        )
    if effects.after < effects.expected:
        return control_without_effect(lab)
    return _declared_otherwise(lab, copies) or Holds(evidence=tuple(copies[:SHOWN]))


def _copies_by_status(lab: Lab, copies: Sequence[Evidence]) -> Judgement:
    taken = [evidence for evidence in copies if outcome(evidence) is Outcome.ACCEPTED]
    if taken and lab.refuses_replays:
        return Breach(
            message=f"accepts {listed(taken)}: {answer(taken[0].exchange)}",
            expected="a refusal, as this receiver gives to identical bytes",
            evidence=tuple(taken[:SHOWN]),
        )
    if taken:
        return Unproven(
            message=f"{listed(taken)} was answered {answer(taken[0].exchange)}: acted on again, or"
            " only acknowledged?",
            settle=f"{NEEDS_PROBE}, or --replay rejects if the receiver refuses replays",
            evidence=tuple(taken[:SHOWN]),
        )
    return throttled(copies) or control(lab) or Holds(evidence=tuple(copies[:SHOWN]))


def _declared_otherwise(lab: Lab, copies: Sequence[Evidence]) -> Breach | None:
    taken = [evidence for evidence in copies if outcome(evidence) is Outcome.ACCEPTED]
    if not taken or lab.policy.replay is not ReplayPolicy.REJECTS:
        return None
    return Breach(
        level=Level.SHOULD,
        message=f"ignores {listed(taken)} with {taken[0].exchange.status}, though it is declared"
        " to reject replays",
        expected="a refusal (4xx), or --replay either",
        evidence=tuple(taken[:SHOWN]),
    )


def _accepted_first(copies: Sequence[Evidence]) -> list[Evidence]:
    taken = [evidence for evidence in copies if outcome(evidence) is Outcome.ACCEPTED]
    return taken or list(copies)
