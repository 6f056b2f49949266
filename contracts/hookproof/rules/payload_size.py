"""Bodies that are too deep or too large, of which most are forged and cost the sender nothing."""

from __future__ import annotations

from collections.abc import Iterator

from hookproof.controls import control
from hookproof.judging import at, judge_sent, worst
from hookproof.judging_calm import judge_survived, not_calm
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Rule, Who, rule
from hookproof.rules import culprits
from hookproof.rules.roots import VERIFIES
from hookproof.targets.base import Failure, Framing
from hookproof.verdicts import Breach, Evidence, Judgement, Level, Outcome
from hookproof.wording import answer
from hookproof_spec.request import Request

DEPTH = 100_000
MIB = 1024 * 1024
HUGE = 10 * MIB
HUGE_SECONDS = 10.0


@rule(
    id="payload-deep",
    level=Level.SHOULD,
    title="Deep nesting does no harm",
    requirement="A body of 100,000 nested arrays SHOULD be answered 4xx; a signed one may be"
    " accepted.",
    source="our judgement: a forged one that reaches a parser takes the receiver down for nothing",
    remedy="Verify before parsing, and catch what the parser raises on deep nesting.",
    who=Who.ANYONE,
    after=VERIFIES,
)
def deep(lab: Lab) -> Judgement:
    """100,000 opening brackets under a random signature; as many arrays, signed. What a flat body
    of that size gets too (a limit, a closed connection) is not held against the receiver."""
    return worst(_deep_forged(lab), _deep_signed(lab))


def _deep_forged(lab: Lab) -> Judgement:
    before = lab.effects()
    case = Case(f"{DEPTH:,} opening brackets under a random signature", _forged(lab, b"[" * DEPTH))
    sent = [lab.send(case)]
    hurt = not_calm(lab, sent, "4xx")
    if hurt is not None:
        flat = Case("a flat forged body of that size", _forged(lab, _flat(DEPTH)))
        return culprits.of_its_own(lab, hurt, flat)
    return at(Level.SHOULD, judge_sent(lab, sent, before, lambda _: [case]))


def _deep_signed(lab: Lab) -> Judgement:
    body = b"[" * DEPTH + b"]" * DEPTH
    case = Case(f"{DEPTH:,} nested arrays, signed", lab.genuine(body).request)
    flat = Case("a flat signed body of that size", lab.genuine(_flat(len(body))).request)
    return culprits.of_its_own(lab, judge_survived(lab, [lab.send(case)]), flat)


def _forged(lab: Lab, body: bytes) -> Request:
    return lab.genuine(body).with_signature(lab.random_signature()).request


def _flat(size: int) -> bytes:
    """Return a JSON array of about so many bytes."""
    return b"[" + b",".join([b"1"] * (size // 2)) + b"]"


@rule(
    id="payload-huge-unsigned",
    level=Level.SHOULD,
    title="A forged body of 10 MiB is turned away",
    requirement="A forged body of 10 MiB SHOULD be answered 4xx, or its connection closed, within"
    " 10 s.",
    source="our judgement: in production a proxy may hold the limit",
    remedy="Cap the body before reading all of it, and answer 413.",
    who=Who.ANYONE,
    after=VERIFIES,
    opt_in=True,
)
def huge_unsigned(lab: Lab) -> Judgement:
    """10 MiB under a random signature, with and without a Content-Length; then a genuine event."""
    before = lab.effects()
    sent = [lab.send(case) for case in _huge(lab)]
    slow = next((e for e in sent if e.exchange.seconds >= HUGE_SECONDS), None)
    if slow is not None:
        return control(lab) or _too_slow(slow)
    answered = [e for e in sent if e.exchange.failure is not Failure.CLOSED]
    hurt = not_calm(lab, answered, "413, another 4xx, or a closed connection")
    if hurt is not None:
        return culprits.of_its_own(lab, hurt, culprits.forged(lab))
    return at(Level.SHOULD, judge_sent(lab, answered, before, _huge))


def _huge(lab: Lab) -> Iterator[Case]:
    body = b"x" * HUGE
    yield Case("a forged body of 10 MiB", _forged(lab, body))
    yield Case(
        "a forged body of 10 MiB in chunks", _forged(lab, body), Framing(fresh=True, chunked=True)
    )


def _too_slow(slow: Evidence) -> Breach:
    within = "no answer" if outcome(slow) is Outcome.DROPPED else answer(slow.exchange)
    return Breach(
        message=f"takes {slow.exchange.seconds:.0f} s over {slow.note}: {within}",
        expected=f"413, another 4xx, or a closed connection within {HUGE_SECONDS:g} s",
        evidence=(slow,),
    )


RULES: tuple[Rule, ...] = (deep, huge_unsigned)
