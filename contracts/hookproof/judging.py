"""How cases become a judgement: by effects where a probe is given, by status otherwise.

Two questions are asked here: were these accepted, each with one effect; were these refused, with
none. Each asks a genuine control event whether the receiver is still well before it concludes that
nothing happened. `judging_copies` and `judging_calm` ask the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import wraps

from hookproof.controls import SHOWN, control, control_without_effect, settled_control, throttled
from hookproof.effects import Effects
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Check
from hookproof.verdicts import (
    Breach,
    EffectCount,
    Evidence,
    ForgedPolicy,
    Holds,
    Judgement,
    Level,
    NotApplicable,
    Outcome,
    Unproven,
)
from hookproof.wording import answer, listed, plural

CaseMaker = Callable[[Lab], Iterable[Case]]
TOO_OFTEN = "acts more than once"
NO_PLACE = NotApplicable("the document's payload or scheme has no place for what the rule changes")


def at(level: Level, judgement: Judgement) -> Judgement:
    """Return the judgement with its breach at another level than the rule's own."""
    return replace(judgement, level=level) if isinstance(judgement, Breach) else judgement


def worst(*judgements: Judgement) -> Judgement:
    """Return what weighs most: a breach by its level, what is unproven, what holds."""
    return min(judgements, key=_weight)


def _weight(judgement: Judgement) -> int:
    match judgement:
        case Breach(level=None | Level.MUST):
            return 0
        case Breach(level=Level.SHOULD):
            return 1
        case Unproven():
            return 2
        case Breach():
            return 3
        case Holds():
            return 4
        case NotApplicable():
            return 5


def means(meaning: str | Callable[[Lab, Breach], str]) -> Callable[[Check], Check]:
    """Return a decorator of a check whose breach also says what it means, found out or known.

    Nothing is added to a breach of a lesser level than the rule's own, or of another kind: too many
    effects of an event that had to be accepted.
    """

    def decorate(check: Check) -> Check:
        @wraps(check)
        def explained(lab: Lab) -> Judgement:
            judgement = check(lab)
            if not isinstance(judgement, Breach) or judgement.level is not None:
                return judgement
            if judgement.message.startswith(TOO_OFTEN):
                return judgement
            said = meaning if isinstance(meaning, str) else meaning(lab, judgement)
            return replace(judgement, message=f"{judgement.message}; {said}") if said else judgement

        return explained

    return decorate


def accepted(make: CaseMaker) -> Check:
    """Return a check that every case is accepted and has exactly one effect."""

    @wraps(make)
    def check(lab: Lab) -> Judgement:
        cases = [case for case in make(lab) if lab.conforms(case.request.body)]
        return judge_accepted(lab, cases) if cases else NO_PLACE

    return check


def judge_accepted(lab: Lab, cases: Sequence[Case]) -> Judgement:
    """Send the cases and expect 2xx and one effect from each."""
    before = lab.effects()
    sent = [lab.send(case) for case in cases]
    refused = [evidence for evidence in sent if outcome(evidence) is not Outcome.ACCEPTED]
    if refused:
        return throttled(refused) or settled_control(lab) or _not_accepted(refused)
    if before is None:
        return Holds(evidence=tuple(sent[:SHOWN]))
    after = lab.watcher.wait_for(before.count + len(sent))
    effects = EffectCount(before=before.count, after=after.count, expected=before.count + len(sent))
    if effects.after == effects.expected:
        return Holds(evidence=tuple(sent[:SHOWN]))
    return Breach(
        message=_miscounted(sent, effects, lab.watcher.limit),
        expected="2xx and exactly one effect for each event",
        evidence=tuple(sent[:SHOWN]),
        effects=effects,
    )


def _not_accepted(refused: Sequence[Evidence]) -> Breach:
    first = refused[0]
    return Breach(
        message=f"refuses {first.note}: {answer(first.exchange)}",
        expected="2xx",
        evidence=tuple(refused[:SHOWN]),
    )


def _miscounted(sent: Sequence[Evidence], effects: EffectCount, limit: float) -> str:
    wanted, seen = effects.expected - effects.before, effects.after - effects.before
    if seen > wanted:
        return f"{TOO_OFTEN}: {plural(wanted, 'event')} had {plural(seen, 'effect')}"
    return (
        f"acknowledges {listed(sent)} but only {plural(seen, 'effect')} appeared within {limit:g} s"
    )


def refused(make: CaseMaker) -> Check:
    """Return a check that every case is refused and none has an effect."""

    @wraps(make)
    def check(lab: Lab) -> Judgement:
        cases = list(make(lab))
        return judge_refused(lab, cases, make) if cases else NO_PLACE

    return check


def judge_refused(lab: Lab, cases: Sequence[Case], make: CaseMaker) -> Judgement:
    """Send the cases and expect a refusal and no effect from each.

    `make` makes the cases anew, to tell them apart when one had an effect.
    """
    before = lab.effects()
    sent = [lab.send(case) for case in cases]
    if lab.logging:
        lab.log.refused.extend(sent)
    return judge_sent(lab, sent, before, make)


def judge_sent(
    lab: Lab, sent: Sequence[Evidence], before: Effects | None, make: CaseMaker
) -> Judgement:
    """Judge the answers to requests that had to be refused, and what the probe counts since.

    `before` is what it counted before them; `make` makes the cases anew.
    """
    taken = [evidence for evidence in sent if outcome(evidence) is Outcome.ACCEPTED]
    if before is None and taken:
        return _accepts(taken)
    trouble = control(lab) if before is None else judge_effectless(lab, before, make)
    if trouble is not None:
        return trouble
    if taken:
        return _ignored(lab, taken)
    return throttled(sent) or Holds(evidence=tuple(sent[:SHOWN]))


def judge_effectless(lab: Lab, before: Effects, make: CaseMaker) -> Judgement | None:
    """Return what is wrong, if since `before` there were effects besides a control's."""
    trouble = control(lab)
    if trouble is not None:
        return trouble
    moved = lab.watcher.wait_for(before.count + 1)
    effects = EffectCount(before=before.count, after=moved.count, expected=before.count + 1)
    if effects.after > effects.expected:
        return _acted(lab, make, effects)
    return control_without_effect(lab) if effects.after < effects.expected else None


def _accepts(taken: Sequence[Evidence]) -> Breach:
    return Breach(
        message=f"accepts {listed(taken)}: {answer(taken[0].exchange)}",
        expected="a refusal (4xx) and no effect",
        evidence=tuple(taken[:SHOWN]),
    )


def _acted(lab: Lab, make: CaseMaker, effects: EffectCount) -> Breach:
    guilty = [evidence for case in make(lab) if (evidence := _had_effect(lab, case)) is not None]
    what = listed(guilty) if guilty else "one of these requests"
    extra = effects.after - effects.expected
    return Breach(
        message=f"acts on {what}: {plural(extra, 'effect')} that should not be",
        expected="a refusal (4xx) and no effect",
        evidence=tuple(guilty[:SHOWN]),
        effects=effects,
    )


def _had_effect(lab: Lab, case: Case) -> Evidence | None:
    before = lab.watcher.read()
    evidence = lab.send(case)
    if control(lab) is not None:
        return None
    after = lab.watcher.wait_for(before.count + 1)
    return evidence if after.count > before.count + 1 else None


def _ignored(lab: Lab, taken: Sequence[Evidence]) -> Judgement:
    if lab.policy.forged is ForgedPolicy.IGNORES:
        return Holds(evidence=tuple(taken[:SHOWN]))
    return Breach(
        level=Level.SHOULD,
        message=f"answers {taken[0].exchange.status} to {listed(taken)}, though without effect",
        expected="a refusal (4xx); declare --forged ignores if this is meant",
        evidence=tuple(taken[:SHOWN]),
    )
