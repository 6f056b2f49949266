"""Genuine deliveries must get through: lost events are the commonest damage in the real world."""

from __future__ import annotations

from hookproof.diagnosis.answers import likely_dropped
from hookproof.diagnosis.asking import diagnose, diagnose_dropped
from hookproof.judging import accepted, means
from hookproof.lab import Case, Lab
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules import valid_json, valid_time, valid_wire
from hookproof.verdicts import (
    Breach,
    EffectCount,
    Evidence,
    Holds,
    Judgement,
    Level,
    NotApplicable,
    Outcome,
    Unproven,
)
from hookproof.wording import answer


@rule(
    id="valid-unsigned",
    level=Level.MUST,
    title="A receiver without a secret takes unsigned events",
    requirement="A receiver that runs without a secret MUST accept a request without a signature.",
    source="vendor: a receiver can ignore the signature altogether",
    remedy="Ask for a signature only where a secret is configured.",
    who=Who.SENDER,
    needs=(Need.UNSIGNED,),
    after=(),
)
def unsigned(lab: Lab) -> Judgement:
    """An event without the signature header."""
    before = lab.effects()
    _, exchange = lab.send_genuine("an unsigned event")
    sent = Evidence("an unsigned event", exchange)
    if before is not None:
        lab.watcher.wait_for(before.count + 1)
    if Outcome.of(exchange) is Outcome.REJECTED:
        return Breach(
            message=f"refuses an unsigned event: {answer(exchange)}; it asks for a signature,"
            " though it is said to run without a secret",
            expected="2xx, as it is said to run without a secret",
            evidence=(sent,),
        )
    return Holds(evidence=(sent,))


@rule(
    id="valid-basic",
    level=Level.MUST,
    title="A plain genuine event is accepted",
    requirement="A genuine, fresh, never seen event MUST be answered 2xx and have one effect.",
    source="vendor: the endpoint returns 200 to say that the data was received",
    remedy="Exempt the route from CSRF checks, register its exact URL, read the raw bytes, trim the"
    " configured secret, and compare seconds with seconds.",
    who=Who.SENDER,
    after=("valid-unsigned",),
    core=True,
)
def basic(lab: Lab) -> Judgement:
    """One signed event: compact JSON, now, with a new nonce and a marker of its own."""
    before = lab.effects()
    _, exchange = lab.send_genuine("a plain genuine event")
    sent = Evidence("a plain genuine event", exchange)
    if Outcome.of(exchange) is not Outcome.ACCEPTED:
        return _refused(lab, sent)
    if before is None:
        return Holds(evidence=(sent,))
    after = lab.watcher.wait_for(before.count + 1)
    effects = EffectCount(before=before.count, after=after.count, expected=before.count + 1)
    if effects.after > effects.expected:
        return Breach(
            message=f"acts more than once: one event had {effects.after - effects.before} effects",
            expected="2xx and exactly one effect",
            evidence=(sent,),
            effects=effects,
        )
    return Holds(evidence=(sent,)) if effects.after == effects.expected else _unseen(lab, sent)


def _unseen(lab: Lab, sent: Evidence) -> Judgement:
    lab.diagnosis = lab.diagnosis or diagnose_dropped(lab)
    if lab.diagnosis is not None:
        return Breach(
            message=f"answers {sent.exchange.status} to a genuine event and drops it:"
            f" {lab.diagnosis.cause}",
            expected="2xx and exactly one effect",
            evidence=(sent, *lab.diagnosis.evidence),
        )
    lab.watcher.give_up(
        f"the effects probe did not see an accepted event within {lab.watcher.limit:g} s"
    )
    return Unproven(
        message=f"a genuine event was answered {sent.exchange.status}, but the probe saw no effect"
        f" within {lab.watcher.limit:g} s: {likely_dropped(sent.exchange)}",
        settle="a probe that counts what the receiver did with events",
        evidence=(sent,),
    )


def _refused(lab: Lab, sent: Evidence) -> Judgement:
    exchange = sent.exchange
    if Outcome.of(exchange) is Outcome.THROTTLED:
        return Unproven(
            message=f"a genuine event was answered {answer(exchange)}",
            settle="a receiver that does not limit the rate, or --rate",
            evidence=(sent,),
        )
    diagnosis = lab.diagnosis or diagnose(lab, exchange)
    lab.diagnosis = diagnosis  # so that a second look at this breach does not ask it all again
    return Breach(
        message=f"refuses a genuine event ({answer(exchange)}): {diagnosis.cause}",
        expected="2xx and exactly one effect",
        evidence=(sent, *diagnosis.evidence),
    )


@rule(
    id="valid-status-200",
    level=Level.SHOULD,
    title="The success status is the one that the document declares",
    requirement="A genuine event SHOULD be answered with a status that the document declares.",
    source="vendor: the endpoint should return 200; most senders take any 2xx",
    remedy="Answer 200 once the event is durably stored.",
    who=Who.SENDER,
)
def status_200(lab: Lab) -> Judgement:
    """A plain genuine event."""
    declared = [code for code in lab.webhook.responses if code.startswith("2")]
    if not declared or "2XX" in (code.upper() for code in declared):
        return NotApplicable("the document declares no exact status")
    before = lab.effects()
    _, exchange = lab.send_genuine()
    if before is not None:
        lab.watcher.wait_for(before.count + 1)
    if Outcome.of(exchange) is Outcome.ACCEPTED and str(exchange.status) not in declared:
        return Breach(
            message=f"answers a genuine event with {exchange.status}, where the document declares"
            f" {' or '.join(declared)}",
            expected=" or ".join(declared),
            evidence=(Evidence("a genuine event", exchange),),
        )
    return Holds(evidence=(Evidence("a genuine event", exchange),))


@rule(
    id="valid-same-body",
    level=Level.SHOULD,
    title="A second event with identical bytes is acknowledged",
    requirement="An event with the bytes of an earlier one and a new nonce SHOULD be answered 2xx.",
    source="vendor: the nonce identifies the request, so this is another event",
    remedy="De-duplicate by nonce; add a business key only if you mean it.",
    who=Who.SENDER,
)
def same_body(lab: Lab) -> Judgement:
    """The same body twice, with two nonces and two signatures."""
    body = lab.body()
    cases = [
        Case("an event", lab.genuine(body).request),
        Case("a second event with the same bytes and a new nonce", lab.genuine(body).request),
    ]
    sent = [lab.send(case) for case in cases]
    lab.settle()
    if Outcome.of(sent[1].exchange) is Outcome.REJECTED:
        return Breach(
            message=f"refuses {sent[1].note}: {answer(sent[1].exchange)}; it tells events apart by"
            " their bytes, and not by their nonce",
            expected="2xx",
            evidence=tuple(sent),
        )
    return Holds(evidence=tuple(sent))


@rule(
    id="valid-nonce-last-char",
    level=Level.MUST,
    title="Nonces that differ in their last character are two nonces",
    requirement="Two events whose nonces differ in one character MUST both be processed.",
    source="vendor: the nonce identifies the request",
    remedy="Store the whole nonce, or its SHA-256, under a unique key.",
    who=Who.SENDER,
)
@means("it compares the beginnings of nonces, as where a column cuts them")
@accepted
def nonce_last_char(lab: Lab) -> list[Case]:
    """Two events whose nonces differ in nothing but the last character."""
    rule = lab.scheme.nonce
    if rule is None:
        return []
    nonce = lab.nonce()
    letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    twins = (nonce[:-1] + letter for letter in letters if letter != nonce[-1])
    twin = next((other for other in twins if rule.matches(other)), None)
    if twin is None:
        return []
    note = "an event whose nonce differs from an earlier one in its last character"
    return [
        Case("an event", lab.genuine(nonce=nonce).request),
        Case(note, lab.genuine(nonce=twin).request),
    ]


RULES: tuple[Rule, ...] = (
    unsigned,
    basic,
    *valid_json.RULES,
    *valid_wire.RULES,
    nonce_last_char,
    *valid_time.RULES,
    status_200,
    same_body,
)
