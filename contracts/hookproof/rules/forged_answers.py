"""What a refusal must not say."""

from __future__ import annotations

import base64

from hookproof.controls import SHOWN
from hookproof.lab import Case, Lab
from hookproof.rule import Need, Rule, Who, rule
from hookproof.targets.base import Exchange
from hookproof.verdicts import Breach, Evidence, Holds, Judgement, Level
from hookproof.wording import answer, listed

TELLING = 8
"""A secret of fewer characters may stand in an answer by chance."""
TRACES = (
    b"Traceback (most recent call last)",
    b"at Object.<anonymous>",
    b"Werkzeug Debugger",
    b"DEBUG = True",
    b"Exception in thread",
)


@rule(
    id="forged-oracle",
    level=Level.MUST,
    title="A refusal reveals neither the right signature nor the secret",
    requirement="The answer to a forged request MUST NOT hold the right signature or the secret.",
    source="our judgement: one refused request would give a working forgery",
    remedy="Answer with a constant message; log details on your side, without the digest.",
    who=Who.ANYONE,
    needs=(Need.SHARED_KEY,),
)
def oracle(lab: Lab) -> Judgement:
    """An event with a signature of zeros; its answer is searched for the right one and the key."""
    genuine = lab.genuine()
    zeros = lab.scheme.encoding.write(bytes(lab.scheme.algorithm.signature_size))
    note = "a request with a signature of zeros"
    sent = lab.send(Case(note, genuine.with_signature(zeros).request))
    raw = lab.scheme.encoding.read(genuine.signatures[0]) or b""
    for words, needles in (
        ("the right signature", _spellings(raw)),
        ("the secret", tuple(part.encode() for part in lab.secrets.each if len(part) >= TELLING)),
    ):
        if _says(sent.exchange, needles):
            hidden = sent.exchange._replace(headers=(), body=b"(left out: it reveals a secret)")
            return Breach(
                message=f"reveals {words} in its answer to {note}: {answer(sent.exchange)}",
                expected="an answer that holds neither the expected signature nor the secret",
                evidence=(Evidence(note, hidden),),
            )
    return Holds(evidence=(sent,))


def _spellings(raw: bytes) -> tuple[bytes, ...]:
    return (raw.hex().encode(), base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw))


def _says(exchange: Exchange, needles: tuple[bytes, ...]) -> bool:
    text = b"\n".join(
        [exchange.body, *(f"{k}: {v}".encode("latin-1", "replace") for k, v in exchange.headers)]
    )
    return any(needle in text or needle.lower() in text.lower() for needle in needles if needle)


@rule(
    id="forged-stack-trace",
    level=Level.SHOULD,
    title="Refusals carry no stack trace",
    requirement="The answer to a refused request SHOULD NOT hold a stack trace.",
    source="our judgement: builds for debugging do this on purpose, deployed ones must not",
    remedy="Turn debug mode off, and answer errors with a constant body.",
    who=Who.ANYONE,
)
def stack_trace(lab: Lab) -> Judgement:
    """Nothing of its own: the answers to all refused requests of the run are looked through."""
    traced = [
        evidence
        for evidence in lab.log.refused
        if any(trace in evidence.exchange.body for trace in TRACES)
    ]
    if not traced:
        return Holds()
    return Breach(
        message=f"answers {listed(traced)} with a stack trace",
        expected="a constant body",
        evidence=tuple(traced[:SHOWN]),
    )


RULES: tuple[Rule, ...] = (oracle, stack_trace)
