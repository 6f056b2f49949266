"""Forgeries that follow a genuine request on the connection it has opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hookproof import header_items
from hookproof.controls import throttled
from hookproof.effects import Effects
from hookproof.judging import judge_sent, worst
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules.roots import VERIFIES
from hookproof.verdicts import Breach, Evidence, Holds, Judgement, Level, Outcome, Unproven
from hookproof.wording import answer

GENUINE = "a genuine event that opens the connection"


@rule(
    id="forged-after-valid",
    level=Level.MUST,
    title="A forgery behind a genuine event on its connection is refused",
    requirement="A forged request MUST be refused on a connection over which a genuine event came.",
    source="our judgement: each request is signed for itself, and proxies share connections",
    remedy="Keep nothing of a verification for the next request of the connection.",
    who=Who.ANYONE,
    needs=(Need.RAW,),
    after=(*VERIFIES, "forged-no-header"),
)
def after_valid(lab: Lab) -> Judgement:
    """On one kept connection a genuine event and then a forged one; once with a random signature,
    once without the signature header."""
    return worst(*(_after_a_genuine_one(lab, forgery) for forgery in _forgeries(lab)))


def _forgeries(lab: Lab) -> Iterator[Case]:
    forged = lab.genuine().with_signature(lab.random_signature())
    yield Case("a forged request on a genuine event's connection", forged.request)
    bare = header_items.without(lab.genuine())
    yield Case("a request without signature on a genuine event's connection", bare)


def _after_a_genuine_one(lab: Lab, forgery: Case) -> Judgement:
    before = lab.effects()
    first, *rest = _conversation(lab, forgery)
    if outcome(first) is not Outcome.ACCEPTED:
        return throttled([first]) or Unproven(
            message=f"{first.note} was not accepted: {answer(first.exchange)}", evidence=(first,)
        )
    if before is not None:
        lab.watcher.wait_for(before.count + 1)
    answered = [evidence for evidence in rest if evidence.exchange.status is not None]
    if not answered:
        return Holds(message="it keeps no connection open", evidence=(first, *rest))
    lab.log.refused.extend(answered)
    counted = None if before is None else Effects(before.count + 1, None)
    judged = judge_sent(lab, answered, counted, lambda _: ())
    if isinstance(judged, Breach):
        done = "acts on" if judged.effects else "accepts"
        message = f"{done} {forgery.note}: {answer(answered[0].exchange)}"
        return replace(judged, message=message, evidence=(first, *answered))
    return judged


def _conversation(lab: Lab, forgery: Case) -> list[Evidence]:
    exchanges = lab.courier.converse([lab.genuine().request, forgery.request])
    notes = (GENUINE, forgery.note)
    return [Evidence(note, exchange) for note, exchange in zip(notes, exchanges, strict=False)]


RULES: tuple[Rule, ...] = (after_valid,)
