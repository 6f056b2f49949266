"""Several requests at once, and many: asked for by name only, never against a stranger's host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from hookproof.controls import SHOWN, control
from hookproof.effects import Effects
from hookproof.fresh import marker_in
from hookproof.judging import NO_PLACE, at, worst
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules.roots import VERIFIES
from hookproof.verdicts import (
    Breach,
    EffectCount,
    Evidence,
    Holds,
    Judgement,
    Level,
    Outcome,
    Unproven,
)
from hookproof.wording import answer, listed, plural
from hookproof_spec.signing import Delivery

ROUNDS, PAIRS = 10, 5
"""So many bursts of so many genuine and as many forged requests: ten connections at a time."""
SAMPLES, FLOOD = 20, 500
SLOWER, NOTICED_SECONDS = 5.0, 0.02
"""A median is slower that is so many times the first, and by as many seconds at least."""


@dataclass(frozen=True, slots=True)
class _Mixture:
    """What was sent at once, and what came back."""

    genuine: list[Delivery]
    forged: list[Delivery]
    answers: list[Evidence]
    refusals: list[Evidence]


@rule(
    id="load-interleaved",
    level=Level.MUST,
    title="Genuine and forged events at once are told apart",
    requirement="Of genuine and forged events at the same moment, none that is forged MUST have an"
    " effect, and each genuine one SHOULD be accepted with one.",
    source="our judgement: state of one request in a global is seen by another",
    remedy="Keep all state of a request local to it.",
    who=Who.ANYONE,
    needs=(Need.EFFECTS, Need.TOGETHER),
    after=VERIFIES,
    opt_in=True,
    repeats=3,
)
def interleaved(lab: Lab) -> Judgement:
    """50 genuine and 50 forged events on ten connections, in bursts."""
    before = lab.effects()
    if before is None:
        return NO_PLACE
    mixture = _mixed(lab)
    taken = [e for e in mixture.answers if outcome(e) is Outcome.ACCEPTED]
    lab.watcher.wait_for(before.count + len(taken))
    trouble = control(lab)
    if trouble is not None:
        return trouble
    after = lab.watcher.wait_for(before.count + len(taken) + 1)
    effects = EffectCount(
        before=before.count, after=after.count, expected=before.count + len(taken) + 1
    )
    forged = _forged_effects(mixture, before, after)
    return worst(
        _acted_on_forged(mixture, forged, effects), at(Level.SHOULD, _each_once(mixture, effects))
    )


def _mixed(lab: Lab) -> _Mixture:
    mixture = _Mixture([], [], [], [])
    for _ in range(ROUNDS):
        genuine = [lab.genuine() for _ in range(PAIRS)]
        forged = [lab.genuine().with_signature(lab.random_signature()) for _ in range(PAIRS)]
        pairs = zip(genuine, forged, strict=True)
        sent = lab.burst("", [delivery.request for pair in pairs for delivery in pair])
        mixture.genuine.extend(genuine)
        mixture.forged.extend(forged)
        mixture.answers.extend(Evidence("a genuine event", e.exchange) for e in sent[::2])
        mixture.refusals.extend(Evidence("a forged request", e.exchange) for e in sent[1::2])
    return mixture


def _forged_effects(mixture: _Mixture, before: Effects, after: Effects) -> int:
    """Count the effects that a probe names after a forged request; 0 where it tells no names."""
    return sum(
        (after.count_of(name) or 0) - (before.count_of(name) or 0)
        for delivery in mixture.forged
        for name in (delivery.nonce, marker_in(delivery.body))
        if name
    )


def _acted_on_forged(mixture: _Mixture, forged: int, effects: EffectCount) -> Judgement:
    taken = [e for e in mixture.refusals if outcome(e) is Outcome.ACCEPTED]
    extra = effects.after - effects.expected
    if forged > 0 or (taken and extra > 0):
        what = f"{plural(forged, 'forged event')} had an effect" if forged else ""
        return Breach(
            message="mixes up requests that arrive at once: "
            + (what or f"{listed(taken)} was answered {answer(taken[0].exchange)}, and acted on"),
            expected="no effect of a forged event",
            evidence=tuple((taken or mixture.refusals)[:SHOWN]),
            effects=effects,
        )
    return Holds(evidence=tuple(mixture.refusals[:SHOWN]))


def _each_once(mixture: _Mixture, effects: EffectCount) -> Judgement:
    refused = [e for e in mixture.answers if outcome(e) in (Outcome.REJECTED, Outcome.CRASHED)]
    lost = [e for e in mixture.answers if outcome(e) in (Outcome.THROTTLED, Outcome.DROPPED)]
    if refused:
        return Breach(
            message=f"refuses {len(refused)} of {plural(len(mixture.answers), 'genuine event')}"
            f" among forged ones: {answer(refused[0].exchange)}",
            expected="2xx and one effect for each",
            evidence=tuple(refused[:SHOWN]),
        )
    if lost:
        return Unproven(
            message=f"{plural(len(lost), 'genuine event')} got {answer(lost[0].exchange)}",
            settle="a receiver that takes ten connections at once",
            evidence=tuple(lost[:SHOWN]),
        )
    if effects.after != effects.expected:
        return Breach(
            message=f"has {plural(effects.after - effects.before, 'effect')} of"
            f" {plural(effects.expected - effects.before, 'genuine event')} among forged ones",
            expected="one effect for each",
            evidence=tuple(mixture.answers[:SHOWN]),
            effects=effects,
        )
    return Holds(evidence=tuple(mixture.answers[:SHOWN]))


@rule(
    id="load-forged-flood",
    level=Level.SHOULD,
    title="Refused requests leave nothing behind",
    requirement="After 500 forged requests genuine events SHOULD still be accepted, and about as"
    " quickly.",
    source="our judgement: what is stored of forgeries, anyone can make grow",
    remedy="Store nothing of a request before it is verified.",
    who=Who.ANYONE,
    after=VERIFIES,
    opt_in=True,
)
def forged_flood(lab: Lab) -> Judgement:
    """20 genuine events, 500 forged ones with a nonce each, 20 genuine events."""
    before = _genuine_ones(lab, "a genuine event before the flood")
    lost = _lost(before)
    if lost:
        return _not_accepted(lost)
    first = lab.log.latencies[:SAMPLES]  # of the run: a second try finds what the first has left
    for _ in range(FLOOD):
        forged = lab.genuine().with_signature(lab.random_signature())
        lab.send(Case("a forged request", forged.request))
    after = _genuine_ones(lab, "a genuine event after 500 forged ones")
    lost = _lost(after)
    return _not_accepted(lost) if lost else _slower(first, after)


def _genuine_ones(lab: Lab, note: str) -> list[Evidence]:
    counted = lab.effects()
    sent = [Evidence(note, lab.send_genuine(note)[1]) for _ in range(SAMPLES)]
    if counted is not None:
        lab.watcher.wait_for(counted.count + SAMPLES - len(_lost(sent)))
    return sent


def _lost(sent: Sequence[Evidence]) -> list[Evidence]:
    return [evidence for evidence in sent if outcome(evidence) is not Outcome.ACCEPTED]


def _not_accepted(lost: Sequence[Evidence]) -> Judgement:
    """A refusal may be a ban, which is a lawful defence; a crash is none."""
    crashed = [evidence for evidence in lost if outcome(evidence) is Outcome.CRASHED]
    if crashed:
        return Breach(
            message=f"crashes on {listed(crashed)}: {answer(crashed[0].exchange)}",
            expected="2xx",
            evidence=tuple(crashed[:SHOWN]),
        )
    return Unproven(
        message=f"{lost[0].note} got {answer(lost[0].exchange)}: a ban?",
        settle="a receiver that does not ban the one who tests it",
        evidence=tuple(lost[:SHOWN]),
    )


def _slower(before: Sequence[float], after: Sequence[Evidence]) -> Judgement:
    first = median(before)
    last = median(evidence.exchange.seconds for evidence in after)
    words = f"{first * 1000:.1f} ms before 500 forged requests and {last * 1000:.1f} ms after them"
    if last > SLOWER * first and last - first > NOTICED_SECONDS:
        return Breach(
            level=Level.INFO,
            message=f"grows slower with every forged request: {words}",
            expected=f"not more than {SLOWER:g} times as slow",
            evidence=(after[-1],),
        )
    return Holds(message=words)


RULES: tuple[Rule, ...] = (interleaved, forged_flood)
