"""What a refusal leaves on its connection."""

from __future__ import annotations

from collections.abc import Iterator

from hookproof import header_items
from hookproof.controls import settled_control, throttled
from hookproof.judging import worst
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules.roots import VERIFIES
from hookproof.targets.base import Failure
from hookproof.verdicts import Breach, Evidence, Holds, Judgement, Level, Outcome, Unproven
from hookproof.wording import answer
from hookproof_spec.request import Request

LETTERS = 20_000
FOLLOWS = "a genuine event on the connection of a refused one"


@rule(
    id="http-keepalive-after-reject",
    level=Level.SHOULD,
    title="A refusal does not spoil its connection",
    requirement="A genuine event on the connection of a refused request SHOULD be accepted, unless"
    " the connection was closed.",
    source="RFC 9112 section 9.3: a body that is not read is taken for the next request",
    remedy="Read the body to its end before refusing, or send Connection: close.",
    who=Who.ANYONE,
    needs=(Need.RAW,),
    after=VERIFIES,
)
def keepalive_after_reject(lab: Lab) -> Judgement:
    """On one connection a forged request with a body of 20,000 letters, and then a genuine event;
    the forged one with a random signature, without the header, and with a broken one."""
    return worst(*(_then_genuine(lab, forgery) for forgery in _forgeries(lab)))


def _forgeries(lab: Lab) -> Iterator[Case]:
    body = lab.written(lab.value(texts=("x" * LETTERS,)))
    random = lab.genuine(body).with_signature(lab.random_signature())
    yield Case("a large forged request", random.request)
    yield Case("a large request without signature", header_items.without(lab.genuine(body)))
    broken = header_items.with_value(lab.genuine(body), "x")
    yield Case("a large request with a broken signature header", broken)


def _then_genuine(lab: Lab, forgery: Case) -> Judgement:
    before = lab.effects()
    sent = _conversation(lab, forgery, lab.genuine().request)
    if len(sent) < 2 or sent[1].exchange.failure is Failure.CLOSED:
        return Holds(message=f"closes the connection of {forgery.note}", evidence=tuple(sent))
    refused, followed = sent
    if outcome(followed) is Outcome.ACCEPTED:
        if before is not None:
            lab.watcher.wait_for(before.count + 1)
        return Holds(evidence=tuple(sent))
    return throttled(sent) or settled_control(lab) or _spoilt(refused, followed)


def _conversation(lab: Lab, forgery: Case, genuine: Request) -> list[Evidence]:
    exchanges = lab.courier.converse([forgery.request, genuine])
    notes = (forgery.note, FOLLOWS)
    return [Evidence(note, exchange) for note, exchange in zip(notes, exchanges, strict=False)]


def _spoilt(refused: Evidence, followed: Evidence) -> Judgement:
    if followed.exchange.failure in (Failure.TIMEOUT, Failure.UNREACHABLE):
        return Unproven(
            message=f"{FOLLOWS} got {answer(followed.exchange)}",
            settle="run it again",
            evidence=(refused, followed),
        )
    return Breach(
        message=f"spoils the connection of {refused.note}: it is answered"
        f" {answer(refused.exchange)}, and a genuine event behind it {answer(followed.exchange)}",
        expected="2xx for the genuine event, or a closed connection",
        evidence=(refused, followed),
    )


RULES: tuple[Rule, ...] = (keepalive_after_reject,)
