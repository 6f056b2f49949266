"""Why a receiver refuses a genuine event, found from outside.

First its answer is read. Where that leaves a doubt, events with one suspected mistake each are
sent until one is accepted. It is believed when a second one is accepted too and a genuine event
is refused again: else the receiver only changes its mind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import final

from hookproof.diagnosis import variants
from hookproof.diagnosis.answers import Refusal, certain, likely, member_names
from hookproof.diagnosis.variants import Variant
from hookproof.effects import Effects
from hookproof.fresh import marker_in
from hookproof.lab import Case, Lab
from hookproof.targets.base import Exchange
from hookproof.verdicts import Breach, Evidence, Outcome
from hookproof.wording import answer
from hookproof_spec.request import Request

MOST_SUSPECTS = 69
"""So many events with a mistake are sent at most; nine more stand beside them."""
MOST_DROPPED = 3
"""From so many of them on that the receiver does not answer, no more are sent."""
MOST_SPELLINGS = 24
"""In so many ways a body is written anew to find out which of them a receiver verifies."""
_SOMETIMES = (
    "not always: of events that are alike it accepts some, so instances with different settings or"
    " clocks may stand behind this address"
)
_VARYING = re.compile(rb"[\w-]*\d[\w-]*")
"""Numbers and identifiers in an answer, which differ from request to request."""
_GUARDS = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_ACCEPTABLE, 419)


@final
@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why genuine events are refused, in a sentence, and the exchanges that show it."""

    cause: str
    evidence: tuple[Evidence, ...] = ()


def diagnose(lab: Lab, refused: Exchange) -> Diagnosis:
    """Find out why a genuine event was refused. Sends at most `MOST_SUSPECTS` events and nine."""
    header = lab.scheme.signature_header.name if lab.signs else ""
    refusal = Refusal(refused, header, frozenset(member_names(lab.value())))
    told = certain(refusal)
    if told is not None:
        return Diagnosis(told)
    if not lab.signs:
        return Diagnosis(likely(refusal) or "it asks for more than an unsigned event has")
    again = _sent(lab, _genuine(lab))
    if Outcome.of(again.exchange) is Outcome.ACCEPTED:
        return Diagnosis(_SOMETIMES, (again,))
    forged = _sent(lab, _forged(lab))
    recognised = _differs(forged.exchange, refused)
    accepted = _first_accepted(lab, _suspects(lab, refusal, recognised=recognised))
    if accepted is not None:
        return accepted
    told = likely(refusal)
    return Diagnosis(told if told is not None else _as_a_forgery(forged, recognised=recognised))


def diagnose_dropped(lab: Lab) -> Diagnosis | None:
    """Find out why a genuine event is acknowledged and has no effect, where a probe counts effects.

    None means that nothing had an effect: the probe may look elsewhere.
    """
    if not lab.signs:
        return None
    before = lab.watcher.read()
    sent = []
    for variant in islice(variants.signed_wrongly(lab), MOST_SUSPECTS):
        sent.append((variant, lab.send(Case(variant.note, variant.make()))))
        if lab.watcher.read().count > before.count:
            break
    after = lab.watcher.wait_for(before.count + 1)
    if after.count == before.count:
        return None
    if after.names is not None:
        sent = [(v, e) for v, e in sent if _named(e.exchange.request, after)]
    if not sent or not _acts(lab, sent[-1][0].make):
        return None  # the late effect of an earlier event, for one
    variant, evidence = sent[-1]
    if variant.long_past is not None and _acts(lab, variant.long_past):
        return None
    return Diagnosis(variant.cause, (evidence,))


def _acts(lab: Lab, make: Callable[[], Request]) -> bool:
    before = lab.watcher.read()
    lab.send(Case("an event that may have an effect", make()))
    return lab.watcher.wait_for(before.count + 1).count > before.count


def _named(request: Request, effects: Effects) -> bool:
    """Tell whether an effect has the name of a request's event: its marker or its nonce."""
    carried = " ".join(value for _, value in request.headers)
    marker = marker_in(request.body)
    return any(name and (name == marker or name in carried) for name in effects.names or ())


def other_bytes(lab: Lab, breach: Breach) -> str:
    """Say which bytes a receiver verifies instead of those of a body that it refuses.

    Sends at most `MOST_SPELLINGS` events with the same body, and a forged one. Nothing is said of a
    body that it acknowledges.
    """
    refused = breach.evidence[0].exchange
    if Outcome.of(refused) is Outcome.ACCEPTED:
        return ""
    body = refused.request.body
    for variant in islice(variants.of_other_bytes(lab, body), MOST_SPELLINGS):
        if Outcome.of(_sent(lab, variant).exchange) is Outcome.ACCEPTED:
            return variant.cause
    if _differs(_sent(lab, _forged(lab)).exchange, refused):
        return "the signature is recognised, and this lawful spelling of JSON is refused behind it"
    return "it verifies other bytes than those that it received: re-written or decoded ones"


def _genuine(lab: Lab) -> Variant:
    return Variant("a genuine event again", "", lambda: lab.genuine().request)


def _forged(lab: Lab) -> Variant:
    return Variant("a forged event", "", lambda: lab.genuine(signer=lab.other_signer()).request)


def _suspects(lab: Lab, refusal: Refusal, *, recognised: bool) -> Iterator[Variant]:
    """Yield what to try, likeliest first.

    Where a forged event is answered otherwise, the signature was recognised: no mistake with it is
    tried.
    """
    if refusal.status == HTTPStatus.NOT_FOUND:
        yield from variants.at_another_path(lab)
        return
    if refusal.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        yield from variants.of_another_type(lab)
        return
    if refusal.status in _GUARDS:
        yield from variants.with_headers(lab)
    yield from variants.at_its_own_time(lab)
    if not recognised:
        yield from variants.signed_wrongly(lab)
        yield from variants.in_another_layout(lab)
    yield from variants.in_another_zone(lab, variants.NEAR_HOURS)
    yield from variants.with_another_nonce(lab)
    if refusal.status not in _GUARDS:
        yield from variants.with_headers(lab)
    if recognised:
        yield from variants.of_another_type(lab)
        yield from variants.in_another_zone(lab, variants.FAR_HOURS)


def _first_accepted(lab: Lab, suspects: Iterator[Variant]) -> Diagnosis | None:
    dropped = 0
    for variant in islice(suspects, MOST_SUSPECTS):
        sent = _sent(lab, variant)
        outcome = Outcome.of(sent.exchange)
        dropped += outcome is Outcome.DROPPED
        if outcome is Outcome.THROTTLED or (outcome is Outcome.DROPPED and _gone(lab, dropped)):
            return None  # it asks for patience, or is gone: no more is asked of it
        if outcome is Outcome.ACCEPTED and not _accepts_long_past(lab, variant):
            return _confirmed(lab, variant, sent)
    return None


def _gone(lab: Lab, dropped: int) -> bool:
    """Tell whether a receiver answers nothing any more: some only fail over one mistake."""
    if dropped > MOST_DROPPED:
        return True
    outcome = Outcome.of(_sent(lab, _genuine(lab)).exchange)
    return outcome in (Outcome.THROTTLED, Outcome.DROPPED)


def _accepts_long_past(lab: Lab, variant: Variant) -> bool:
    """Tell whether it only fails to see an age: no clock is in a unit in which all are young."""
    if variant.long_past is None:
        return False
    stale = _sent(lab, Variant(f"{variant.note}, of long ago", "", variant.long_past))
    return Outcome.of(stale.exchange) is Outcome.ACCEPTED


def _confirmed(lab: Lab, variant: Variant, first: Evidence) -> Diagnosis:
    again, genuine = _sent(lab, variant), _sent(lab, _genuine(lab))
    accepted = [Outcome.of(item.exchange) is Outcome.ACCEPTED for item in (again, genuine)]
    if accepted == [True, False]:
        return Diagnosis(variant.cause, (first,))
    return Diagnosis(_SOMETIMES, (first, again, genuine))


def _sent(lab: Lab, variant: Variant) -> Evidence:
    """Send a variant, and see its effect through, so that no later count is wrong by it."""
    before = lab.effects()
    sent = lab.send(Case(variant.note, variant.make()))
    if before is not None and Outcome.of(sent.exchange) is Outcome.ACCEPTED:
        lab.watcher.wait_for(before.count + 1)
    return sent


def _differs(one: Exchange, other: Exchange) -> bool:
    return one.status != other.status or _constant(one) != _constant(other)


def _constant(exchange: Exchange) -> bytes:
    return _VARYING.sub(b"", exchange.body)


def _as_a_forgery(forged: Evidence, *, recognised: bool) -> str:
    if Outcome.of(forged.exchange) is Outcome.ACCEPTED:
        return (
            "a forged event is accepted, so that right and wrong are mixed up in the verification"
        )
    if recognised:
        return (
            f"a forged event gets another answer ({answer(forged.exchange)}), so the signature was"
            " recognised and something else is refused"
        )
    return (
        "a forged event gets the very same answer, so the signature was not recognised, and no"
        " known mistake explains it: most likely another secret is configured there"
    )
