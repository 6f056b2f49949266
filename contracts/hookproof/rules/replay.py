"""One nonce, one effect. A receiver may refuse a replay or acknowledge it; it may not act on it."""

from __future__ import annotations

from collections.abc import Iterator

from hookproof.controls import SHOWN, control
from hookproof.effects import Effects
from hookproof.judging import means
from hookproof.judging_copies import NEEDS_PROBE, acted_on_once, judge_copies
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Need, Rule, rule
from hookproof.rules import replay_hooks, replay_rewritten
from hookproof.rules.roots import ONCE, VERIFIES
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
from hookproof.wording import answer, plural
from hookproof_spec.signing import Delivery

COPIES = 20
ROUNDS = 3
"""How many races are run: on a busy machine, one may pass over a window of milliseconds."""
OTHERS = 200


@rule(
    id="replay-exact",
    level=Level.MUST,
    title="The same bytes have one effect",
    requirement="A request whose nonce was processed MUST NOT be acted on again.",
    source="vendor: the nonce identifies the request; one already processed can be ignored or"
    " rejected",
    remedy="Claim the nonce atomically, after verification and before the effect.",
    needs=(Need.NONCE,),
    core=True,
)
@acted_on_once
def exact(lab: Lab, original: Delivery) -> Iterator[Case]:
    """An accepted request once more, byte for byte, on a new connection."""
    yield Case("an identical copy", original.request)


@rule(
    id="replay-repeated",
    level=Level.MUST,
    title="Twenty replays in a row have one effect",
    requirement="However often a request arrives, it MUST be acted on once, whichever process"
    " answers.",
    source="vendor: the nonce identifies the request; several processes are one receiver",
    remedy="Keep nonces in a store that all workers share.",
    needs=(Need.NONCE,),
    after=ONCE,
    repeats=3,
)
@means("it forgets nonces, or each of its processes remembers its own")
def repeated(lab: Lab) -> Judgement:
    """An accepted request 20 times more, each on a new connection."""
    before = lab.effects()
    original = lab.captured()
    copies = [lab.send(Case("an identical copy", original.request)) for _ in range(COPIES)]
    lab.log.replayed.extend(copies)
    taken = [copy for copy in copies if outcome(copy) is Outcome.ACCEPTED]
    refusals = [copy for copy in copies if outcome(copy) is Outcome.REJECTED]
    lab.replays_refused = len(refusals) == COPIES
    if before is None and taken and refusals:
        return Breach(
            message=f"answers identical bytes in two ways: {len(refusals)} of {COPIES} refused"
            f" ({answer(refusals[0].exchange)}), {len(taken)} accepted"
            f" ({answer(taken[0].exchange)})",
            expected="one and the same answer, and one effect, however often the event arrives",
            evidence=(refusals[0], taken[0]),
        )
    return judge_copies(lab, copies, before)


@rule(
    id="replay-race",
    level=Level.MUST,
    title="Twenty copies at once have one effect",
    requirement="Identical requests that arrive at the same moment MUST have exactly one effect.",
    source="vendor: the nonce identifies the request; our judgement that this holds at any moment",
    remedy="Make the claim one atomic operation: INSERT under a unique key, or SET NX.",
    needs=(Need.NONCE, Need.TOGETHER),
    after=(*ONCE, "replay-repeated"),
    core=True,
    repeats=3,
)
@means("it looks a nonce up and stores it in two steps, so that copies pass in between")
def race(lab: Lab) -> Judgement:
    """A new event on 20 connections, the last byte of all leaving together; three times over."""
    judgements = []
    for _ in range(ROUNDS):
        judgements.append(_one_race(lab))
        if not isinstance(judgements[-1], Holds):
            break
    return judgements[-1]


def _one_race(lab: Lab) -> Judgement:
    before = lab.effects()
    copies = lab.burst(f"one of {COPIES} identical requests", [lab.genuine().request] * COPIES)
    taken = [copy for copy in copies if outcome(copy) is Outcome.ACCEPTED]
    lab.log.replayed.extend(copy for copy in copies if copy not in taken)
    if before is not None:
        return _race_by_effects(lab, copies, taken, before)
    if not taken:
        return _none_taken(lab, copies)
    if len(taken) == 1:
        return control(lab) or Holds(evidence=tuple(copies[:SHOWN]))
    if lab.refuses_replays:
        return Breach(
            message=f"accepts {len(taken)} of {COPIES} identical requests that arrive at once",
            expected="one accepted, the others refused, as this receiver refuses replays",
            evidence=tuple(taken[:SHOWN]),
        )
    return Unproven(
        message=f"{len(taken)} of {COPIES} identical requests were answered"
        f" {answer(taken[0].exchange)}: acted on, or only acknowledged?",
        settle=f"{NEEDS_PROBE}, or --replay rejects if the receiver refuses replays",
        evidence=tuple(taken[:SHOWN]),
    )


def _race_by_effects(
    lab: Lab, copies: list[Evidence], taken: list[Evidence], before: Effects
) -> Judgement:
    lab.watcher.wait_for(before.count + 1)
    trouble = control(lab)
    if trouble is not None:
        return trouble
    after = lab.watcher.wait_for(before.count + 2)
    effects = EffectCount(before=before.count, after=after.count, expected=before.count + 2)
    if effects.after > effects.expected:
        return Breach(
            message=f"{COPIES} identical requests at once had"
            f" {plural(effects.after - before.count - 1, 'effect')}",
            expected="exactly one effect",
            evidence=tuple(taken[:SHOWN]),
            effects=effects,
        )
    if effects.after < effects.expected:
        return _lost(taken, effects) if taken else _none_taken(lab, copies)
    return Holds(evidence=tuple(copies[:SHOWN]))


def _lost(taken: list[Evidence], effects: EffectCount) -> Breach:
    return Breach(
        message=f"acknowledges {len(taken)} of {COPIES} identical requests at once, and acts on"
        " none",
        expected="exactly one effect",
        evidence=tuple(taken[:SHOWN]),
        effects=effects,
    )


def _none_taken(lab: Lab, copies: list[Evidence]) -> Judgement:
    trouble = next((copy for copy in copies if outcome(copy) is not Outcome.REJECTED), None)
    if trouble is None:
        return control(lab) or Breach(
            message=f"refuses all of {COPIES} identical requests that arrive at once:"
            f" {answer(copies[0].exchange)}; the event is lost",
            expected="exactly one effect",
            evidence=tuple(copies[:SHOWN]),
        )
    return Unproven(
        message=f"none of {COPIES} requests at once was accepted: {answer(trouble.exchange)}",
        settle=f"a receiver that takes {COPIES} connections at once",
        evidence=(trouble,),
    )


@rule(
    id="replay-nonce-poisoned",
    level=Level.MUST,
    title="A refused request burns no nonce",
    requirement="A nonce that only refused requests carried MUST stay good for the genuine one.",
    source="our judgement: otherwise anyone can stop deliveries or fill the store",
    remedy="Verify first, then claim the nonce.",
    needs=(Need.NONCE,),
    after=VERIFIES,
    core=True,
)
def nonce_poisoned(lab: Lab) -> Judgement:
    """A forged request with the nonce of a genuine one, then the genuine one; twice, with a
    spoiled signature and with another body."""
    spoiled = lab.genuine()
    forged = spoiled.with_signature(lab.random_signature())
    first = _after_forgery(lab, spoiled, Case("a forged request with its nonce", forged.request))
    if not isinstance(first, Holds) or not lab.scheme.covers("body"):
        return first
    swapped = lab.genuine()
    forgery = Case("its own header over another body", swapped.with_body(lab.body()).request)
    return _after_forgery(lab, swapped, forgery)


def _after_forgery(lab: Lab, genuine: Delivery, forgery: Case) -> Judgement:
    before = lab.effects()
    forged = lab.send(forgery)
    sent = lab.send(Case(f"the genuine request, after {forgery.note}", genuine.request))
    evidence = (forged, sent)
    if outcome(forged) is Outcome.ACCEPTED and before is None:
        return Unproven(message="the forged request itself was accepted", evidence=evidence)
    taken = outcome(sent) is Outcome.ACCEPTED
    if taken and before is None and not lab.refuses_replays:
        return Unproven(
            message="the genuine request was acknowledged after a forged one had carried its nonce;"
            " acted on, or taken for a replay?",
            settle=f"{NEEDS_PROBE}, or --replay rejects if the receiver refuses replays",
            evidence=evidence,
        )
    acted = before is None or lab.watcher.wait_for(before.count + 1).count > before.count
    if taken and acted:
        return Holds(evidence=evidence)
    return control(lab) or Breach(
        message=f"lets a forged request burn a nonce: {forgery.note} was refused, and then the"
        f" genuine request {'had no effect' if taken else 'too: ' + answer(sent.exchange)}",
        expected="the genuine request accepted, with one effect",
        evidence=evidence,
    )


@rule(
    id="replay-later",
    level=Level.SHOULD,
    title="A replay after other traffic has no effect",
    requirement="A request SHOULD NOT be acted on again after 200 others, inside its window.",
    source="our judgement: a memory bounded by count is flushed by traffic",
    remedy="Expire nonces by time, never by count; refuse when the store is full.",
    needs=(Need.NONCE,),
    after=(*ONCE, "replay-repeated"),
)
def later(lab: Lab) -> Judgement:
    """An accepted request, 200 other genuine events, and the same bytes again."""
    original = lab.captured()
    before = lab.effects()
    others = [lab.send(Case("another event", lab.genuine().request)) for _ in range(OTHERS)]
    taken = [other for other in others if outcome(other) is Outcome.ACCEPTED]
    if len(taken) < OTHERS:
        return Unproven(
            message=f"only {len(taken)} of {OTHERS} other events were accepted",
            settle="a receiver that does not limit the rate, or --rate",
        )
    if before is not None:
        lab.watcher.wait_for(before.count + OTHERS)
    start = lab.effects()
    again = lab.send(Case(f"the same bytes after {OTHERS} other events", original.request))
    lab.log.replayed.append(again)
    # What the probe counts from here on would have been one more before the original.
    counted = None if start is None else Effects(start.count - 1, None)
    return judge_copies(lab, [again], counted)


@rule(
    id="replay-status",
    level=Level.MUST,
    title="A duplicate is no server error",
    requirement="A replay MUST be answered 2xx or 4xx.",
    source="our judgement: 5xx makes senders retry for ever",
    remedy="Catch the violation of the unique key, and answer 200 or 409.",
    needs=(Need.NONCE,),
)
def status(lab: Lab) -> Judgement:
    """Nothing of its own: the answers to all replays of the run; a guilty one is sent again."""
    crashed = next((c for c in lab.log.replayed if outcome(c) is Outcome.CRASHED), None)
    if crashed is None:
        return Holds()
    captured = lab.captured()
    again = lab.send(Case("an identical copy", captured.request))
    if outcome(again) is not Outcome.CRASHED:
        again = _crash_in_a_race(lab) or again
    if outcome(again) is not Outcome.CRASHED:
        return Unproven(
            message=f"{crashed.note} was answered {answer(crashed.exchange)} once, and not again",
            settle="run it again",
            evidence=(crashed, again),
        )
    return Breach(
        message=f"crashes on a replay: {again.note} was answered {answer(again.exchange)}",
        expected="2xx or 4xx",
        evidence=(again,),
    )


def _crash_in_a_race(lab: Lab) -> Evidence | None:
    note = f"one of {COPIES} identical requests"
    copies = lab.burst(note, [lab.genuine().request] * COPIES)
    lab.settle()
    return next((copy for copy in copies if outcome(copy) is Outcome.CRASHED), None)


RULES: tuple[Rule, ...] = (
    exact,
    repeated,
    race,
    nonce_poisoned,
    *replay_rewritten.RULES,
    later,
    *replay_hooks.RULES,
    status,
)
