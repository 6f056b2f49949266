"""How a receiver behaves as an HTTP server: statuses, speed, connections, methods, encodings."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from hookproof.judging import NO_PLACE, judge_effectless
from hookproof.judging_calm import survived
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules import culprits, http_connection, http_refusals
from hookproof.rules.roots import VERIFIES
from hookproof.verdicts import (
    Breach,
    EffectCount,
    Evidence,
    Holds,
    Judgement,
    Level,
    NotApplicable,
    Outcome,
)
from hookproof.wording import answer, listed, plural

SLOW_SECONDS = 5.0
SENDERS_GIVE_UP = 10.0
"""Time-outs in use by senders: 10 s by GitHub and Nylas, 15 to 30 s in Standard Webhooks."""
METHODS = ("GET", "HEAD", "PUT")


@rule(
    id="http-latency",
    level=Level.SHOULD,
    title="Genuine events are acknowledged quickly",
    requirement="Nineteen of twenty genuine events SHOULD be acknowledged within 5 s.",
    source="our judgement: the vendor's time-out is not known; others wait 10 to 30 s",
    remedy="Store the event, acknowledge it, and do the work afterwards.",
    who=Who.SENDER,
)
def latency(lab: Lab) -> Judgement:
    """Nothing of its own, unless no event or a single slow one was seen: then one more."""
    if len(lab.log.latencies) < 1 or _slow_ones(lab) == 1:
        before = lab.effects()
        _, exchange = lab.send_genuine()
        if before is not None and Outcome.of(exchange) is Outcome.ACCEPTED:
            lab.watcher.wait_for(before.count + 1)
    seconds = sorted(lab.log.latencies)
    if not seconds:
        return NotApplicable("no genuine event was accepted")
    usual = seconds[(19 * len(seconds) - 1) // 20]
    if usual < SLOW_SECONDS or _slow_ones(lab) < 2:
        return Holds(message=f"nineteen of twenty within {usual * 1000:.0f} ms")
    beyond = f", and many senders give up after {SENDERS_GIVE_UP:g} s"
    return Breach(
        message=f"takes {usual:.1f} s to acknowledge a genuine event (the slowest of nineteen in"
        f" twenty, of {plural(len(seconds), 'event')}){beyond if usual >= SENDERS_GIVE_UP else ''}",
        expected=f"less than {SLOW_SECONDS:g} s",
    )


def _slow_ones(lab: Lab) -> int:
    """Count them: one alone may be a cold start."""
    return sum(seconds >= SLOW_SECONDS for seconds in lab.log.latencies)


@rule(
    id="http-methods",
    level=Level.INFO,
    title="Only the declared method acts",
    requirement="A signed event under another method is best refused, and has no effect.",
    source="our judgement: GET may be a health page, and PUT be routed alike",
    remedy="Route the declared method only.",
    who=Who.ANYONE,
    needs=(Need.EFFECTS,),
)
def methods(lab: Lab) -> Judgement:
    """Signed events by GET, HEAD and PUT."""
    before = lab.effects()
    if before is None:
        return NO_PLACE
    sent = [lab.send(case) for case in _by_other_methods(lab)]
    return judge_effectless(lab, before, _by_other_methods) or Holds(evidence=tuple(sent))


def _by_other_methods(lab: Lab) -> Iterator[Case]:
    for method in METHODS:
        request = lab.genuine().request
        if method != request.method:
            yield Case(f"a signed event by {method}", request.with_method(method))


@rule(
    id="http-compressed",
    level=Level.INFO,
    title="A compressed body does no harm",
    requirement="A signed event in gzip is best answered 2xx or 4xx.",
    source="our judgement: whether the signature covers the compressed bytes is not said",
    remedy="Decompress nothing before verification.",
    who=Who.SECRET,
    after=VERIFIES,
)
def compressed(lab: Lab) -> Judgement:
    """Events with Content-Encoding: gzip, signed over the compressed and over the plain bytes."""
    return culprits.of_its_own(lab, _zipped(lab), culprits.forged(lab))


@survived
def _zipped(lab: Lab) -> Iterator[Case]:
    zipped = lab.genuine(gzip.compress(lab.body(), mtime=0)).request
    yield Case("a gzip body, signed as it travels", zipped.with_header("Content-Encoding", "gzip"))
    plain = lab.genuine()
    inflated = plain.with_body(gzip.compress(plain.body, mtime=0)).request
    note = "a gzip body, signed as it was before"
    yield Case(note, inflated.with_header("Content-Encoding", "gzip"))


@rule(
    id="http-ack-on-failure",
    level=Level.SHOULD,
    title="An event that was lost is not acknowledged",
    requirement="An event whose handler fails SHOULD NOT be answered 2xx, unless it is processed"
    " later.",
    source="our judgement: a sender does not repeat what was acknowledged",
    remedy="Acknowledge only after the event is stored.",
    who=Who.SENDER,
    needs=(Need.FAULT, Need.EFFECTS),
)
def ack_on_failure(lab: Lab) -> Judgement:
    """A genuine event during which the handler fails."""
    before = lab.effects()
    if lab.hooks.fail_once is None or before is None:
        return NO_PLACE
    lab.hooks.fail_once()
    sent = lab.send(Case("a genuine event whose handler fails", lab.genuine().request))
    if outcome(sent) is not Outcome.ACCEPTED:
        lab.settle()
        return Holds(message=f"answered {answer(sent.exchange)}", evidence=(sent,))
    after = lab.watcher.wait_for(before.count + 1)
    if after.count > before.count:
        return Holds(message="acknowledged, and processed all the same", evidence=(sent,))
    return _lost(
        lab, sent, EffectCount(before=before.count, after=after.count, expected=before.count + 1)
    )


def _lost(lab: Lab, sent: Evidence, effects: EffectCount) -> Breach:
    return Breach(
        message=f"acknowledges {listed([sent])} with {sent.exchange.status}, and it is lost: no"
        f" effect within {lab.watcher.limit:g} s",
        expected="no 2xx, or an effect later",
        evidence=(sent,),
        effects=effects,
    )


RULES: tuple[Rule, ...] = (*http_connection.RULES, methods, compressed, ack_on_failure)

LAST: tuple[Rule, ...] = (*http_refusals.RULES, latency)
"""What judges a run as a whole."""
