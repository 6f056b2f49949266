"""How cases become a judgement: by effects where a probe is given, by status otherwise.

Three questions cover nearly every rule: were these accepted, each with one effect; were these
refused, with none; did copies of an accepted request act again. Each asks a genuine control event
whether the receiver is still well before it concludes that nothing happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import wraps

from hookproof.effects import Effects
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Check
from hookproof.targets.base import Exchange, Failure
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
    ReplayPolicy,
    Unproven,
)
from hookproof_spec.signing import Delivery

CaseMaker = Callable[[Lab], Iterable[Case]]
SHOWN = 4
"""How many exchanges a finding shows at most."""
NEEDS_PROBE = "an effects probe (--effects-url)"
NO_PLACE = NotApplicable("the document's payload or scheme has no place for what the rule changes")


# --- judgements put together ------------------------------------------------------------------


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


# --- accepted, each with one effect -----------------------------------------------------------


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
        return _not_accepted(lab, refused)
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


def _not_accepted(lab: Lab, refused: Sequence[Evidence]) -> Judgement:
    first = refused[0]
    lab.settle()
    return (
        throttled(refused)
        or settled_control(lab)
        or Breach(
            message=f"refuses {first.note}: {answer(first.exchange)}",
            expected="2xx",
            evidence=tuple(refused[:SHOWN]),
        )
    )


def _miscounted(sent: Sequence[Evidence], effects: EffectCount, limit: float) -> str:
    wanted, seen = effects.expected - effects.before, effects.after - effects.before
    if seen > wanted:
        return f"acts more than once: {plural(wanted, 'event')} had {plural(seen, 'effect')}"
    what = sent[0].note if wanted == 1 else plural(wanted, "event")
    return f"acknowledges {what} but only {plural(seen, 'effect')} appeared within {limit:g} s"


# --- refused, with no effect ------------------------------------------------------------------


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
    return _control_without_effect(lab) if effects.after < effects.expected else None


def control(lab: Lab) -> Unproven | None:
    """Send a genuine event; return why nothing can be concluded when it is not accepted."""
    _, exchange = lab.send_genuine("a genuine event afterwards")
    if Outcome.of(exchange) is Outcome.ACCEPTED:
        return None
    return Unproven(
        message=f"a genuine event sent afterwards was not accepted: {answer(exchange)}",
        settle="a receiver that neither bans nor limits the one who tests it",
        evidence=(Evidence("a genuine event afterwards", exchange),),
    )


def settled_control(lab: Lab) -> Unproven | None:
    """Send a control, and leave nothing of it pending for the next rule."""
    before = lab.effects()
    trouble = control(lab)
    if before is not None and trouble is None:
        lab.watcher.wait_for(before.count + 1)
    return trouble


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


def throttled(sent: Sequence[Evidence]) -> Unproven | None:
    """Return why nothing can be concluded where the receiver asked for patience."""
    patience = [evidence for evidence in sent if outcome(evidence) is Outcome.THROTTLED]
    if not patience:
        return None
    return Unproven(
        message=f"{patience[0].note} was answered {answer(patience[0].exchange)}",
        settle="a receiver that does not limit the rate, or --rate",
        evidence=tuple(patience[:SHOWN]),
    )


def _control_without_effect(lab: Lab) -> Unproven:
    return Unproven(
        message=f"a genuine event sent afterwards had no effect within {lab.watcher.limit:g} s",
        settle="a receiver that acts on every genuine event, or a longer --effect-timeout",
    )


# --- copies of an accepted request ------------------------------------------------------------

CopyMaker = Callable[[Lab, Delivery], Iterable[Case]]


def acted_on_once(make: CopyMaker) -> Check:
    """Return a check that copies of an accepted delivery, however rewritten, have no effect."""

    @wraps(make)
    def check(lab: Lab) -> Judgement:
        before = lab.effects()
        original = lab.captured()
        copies = [lab.send(case) for case in make(lab, original)]
        lab.log.replayed.extend(copies)
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
        return _control_without_effect(lab)
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


# --- answered, whatever the answer ------------------------------------------------------------


def calmly_refused(make: CaseMaker) -> Check:
    """Return a check that every case is refused with 4xx: no effect, no crash, no silence."""

    @wraps(make)
    def check(lab: Lab) -> Judgement:
        cases = list(make(lab))
        if not cases:
            return NO_PLACE
        before = lab.effects()
        sent = [lab.send(case) for case in cases]
        return not_calm(lab, sent, "an answer of 4xx") or judge_sent(lab, sent, before, make)

    return check


def survived(make: CaseMaker) -> Check:
    """Return a check that every case is answered with 2xx to 4xx, whichever it is."""

    @wraps(make)
    def check(lab: Lab) -> Judgement:
        cases = list(make(lab))
        return judge_survived(lab, [lab.send(case) for case in cases]) if cases else NO_PLACE

    return check


def judge_survived(lab: Lab, sent: Sequence[Evidence]) -> Judgement:
    """Judge the answers to requests of which nothing is asked but an answer."""
    lab.settle()
    trouble = not_calm(lab, sent, "2xx or 4xx") or throttled(sent) or settled_control(lab)
    return trouble or _survivors(sent)


def not_calm(lab: Lab, sent: Sequence[Evidence], expected: str) -> Breach | Unproven | None:
    """Return what is wrong, if an answer is a crash or there is none.

    Silence is believed only while a genuine event gets an answer. Where no connection was made at
    all, the request is not to blame: the receiver is gone, or it bans whoever tests it.
    """
    crashed = [e for e in sent if outcome(e) is Outcome.CRASHED]
    if crashed:
        return _hurt(f"crashes on {listed(crashed)}", crashed, expected)
    silent = [e for e in sent if outcome(e) is Outcome.DROPPED]
    if not silent:
        return None
    met = [e for e in silent if e.exchange.failure is not Failure.UNREACHABLE]
    trouble = settled_control(lab)
    if trouble is None and met:
        return _hurt(f"gives no answer to {listed(met)}", met, expected)
    return Unproven(
        message=f"no answer to {listed(silent)} ({answer(silent[0].exchange)})"
        f"{', nor to a genuine event afterwards' if trouble else ''}: it died, or it bans",
        settle="the receiver's log, and a receiver that does not ban the one who tests it",
        evidence=(*silent[:SHOWN], *(trouble.evidence if trouble else ())),
    )


def _hurt(what: str, hurt: Sequence[Evidence], expected: str) -> Breach:
    return Breach(
        message=f"{what}: {answer(hurt[0].exchange)}",
        expected=expected,
        evidence=tuple(hurt[:SHOWN]),
    )


def _survivors(sent: Sequence[Evidence]) -> Holds:
    taken = [evidence for evidence in sent if outcome(evidence) is Outcome.ACCEPTED]
    message = f"accepts {listed(taken)}" if taken else "refuses all of them"
    return Holds(message=message, evidence=tuple(sent[:SHOWN]))


# --- words ------------------------------------------------------------------------------------


def answer(exchange: Exchange) -> str:
    """Say what came back: `401`, `301 to /webhook/`, `no answer (timeout: …)`."""
    if exchange.status is None:
        kind = exchange.failure.value if exchange.failure else "nothing"
        return f"no answer ({kind}{': ' + exchange.detail if exchange.detail else ''})"
    location = exchange.header("Location")
    if 300 <= exchange.status < 400 and location:
        return f"{exchange.status} to {location[:100]}"
    return str(exchange.status)


def listed(evidence: Sequence[Evidence]) -> str:
    """Name the cases: the first two, and how many more."""
    notes = list(dict.fromkeys(item.note for item in evidence))
    more = f" and {len(notes) - 2} more" if len(notes) > 2 else ""
    return " and ".join(notes[:2]) if not more else f"{notes[0]}, {notes[1]}{more}"


def plural(count: int, thing: str) -> str:
    """Return `1 effect`, `2 effects`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
