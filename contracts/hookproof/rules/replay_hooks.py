"""Replays and retries that need a way into the receiver, a second instance, or a sender's habit."""

from __future__ import annotations

from collections.abc import Iterator

from hookproof.controls import settled_control
from hookproof.judging import means, worst
from hookproof.judging_copies import acted_on_once, judge_copies
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules.ages import allowed_age
from hookproof.rules.roots import AGES, ONCE
from hookproof.verdicts import Breach, Evidence, Holds, Judgement, Level, Outcome, Unproven
from hookproof.wording import answer
from hookproof_spec.signing import Delivery

DEFAULT_WINDOW = 300.0


@rule(
    id="replay-restart",
    level=Level.SHOULD,
    title="A replay after a restart has no effect",
    requirement="A request SHOULD NOT be acted on again after the receiver was restarted.",
    source="our judgement: a store in memory is a known trade-off",
    remedy="Persist nonces at least for as long as the window.",
    needs=(Need.NONCE, Need.RESTART),
    after=ONCE,
)
@acted_on_once
def restart(lab: Lab, original: Delivery) -> Iterator[Case]:
    """An accepted request once more, after the restart hook."""
    lab.restart()
    yield Case("the same bytes after a restart", original.request)


@rule(
    id="replay-other-instance",
    level=Level.MUST,
    title="A replay to another instance has no effect",
    requirement="A request that one instance processed MUST NOT be acted on by another.",
    source="our judgement: two instances are one receiver; asked for by --also-url",
    remedy="Share the store of nonces between instances.",
    needs=(Need.NONCE, Need.SECOND_URL),
    after=ONCE,
)
def other_instance(lab: Lab) -> Judgement:
    """An accepted request once more, sent to the second URL."""
    if lab.hooks.also is None:
        return Holds()
    before = lab.effects()
    original = lab.captured()
    there = original.request.with_url(lab.hooks.also.url)
    sent = Evidence("the same bytes to another instance", lab.hooks.also.send(there))
    lab.log.replayed.append(sent)
    return judge_copies(lab, [sent], before)


@rule(
    id="replay-ttl",
    level=Level.MUST,
    title="A nonce outlives the message's validity",
    requirement="A nonce MUST be remembered until the message that carried it is too old.",
    source="our judgement: with a tolerance on both sides a message lives longer than one of them",
    remedy="Keep a nonce until timestamp + tolerance, not until receipt + tolerance.",
    needs=(Need.NONCE, Need.TIMESTAMP, Need.CLOCK),
    after=(*AGES, "replay-exact"),
)
@means("it forgets the nonce before the message that carried it is too old")
def ttl(lab: Lab) -> Judgement:
    """An event signed 30 s ahead; the same bytes just before its timestamp leaves the window."""
    window = lab.policy.tolerance or allowed_age(lab) or DEFAULT_WINDOW
    ahead = 30.0
    before = lab.effects()
    delivery = lab.genuine(timestamp=lab.clock() + ahead)
    first = lab.send(Case("an event signed 30 s ahead", delivery.request))
    if outcome(first) is not Outcome.ACCEPTED:
        return Holds(message="a time 30 s ahead is not accepted at all", evidence=(first,))
    if before is not None:
        lab.watcher.wait_for(before.count + 1)
    if lab.hooks.advance is not None:
        lab.hooks.advance(window + ahead - 5)
    again = lab.send(Case("the same bytes just inside their window", delivery.request))
    return judge_copies(lab, [again], before)


@rule(
    id="replay-after-failure",
    level=Level.SHOULD,
    title="A failed delivery may be sent again",
    requirement="An event whose handler failed SHOULD be processed when it arrives again.",
    source="our judgement: whether this sender retries with the same nonce is not known",
    remedy="Claim provisionally: commit with the effect, release on failure.",
    who=Who.SENDER,
    needs=(Need.NONCE, Need.FAULT),
)
def after_failure(lab: Lab) -> Judgement:
    """An event during which the handler fails; the same bytes again."""
    if lab.hooks.fail_once is None:
        return Holds()
    lab.hooks.fail_once()
    before = lab.effects()
    delivery = lab.genuine()
    failed = lab.send(Case("an event whose handler fails", delivery.request))
    if outcome(failed) is Outcome.ACCEPTED:
        return Unproven(
            message="the event was acknowledged although its handler was to fail",
            settle="a fault hook that makes the answer 5xx",
            evidence=(failed,),
        )
    again = lab.send(Case("the same bytes after a failure", delivery.request))
    acted = before is None or lab.watcher.wait_for(before.count + 1).count == before.count + 1
    if outcome(again) is Outcome.ACCEPTED and acted:
        return Holds(evidence=(failed, again))
    return settled_control(lab) or Breach(
        message="takes the retry of a failed delivery for a replay:"
        f" {answer(again.exchange)}{'' if acted else ', without effect'}; the event is lost",
        expected="2xx and one effect",
        evidence=(failed, again),
    )


@rule(
    id="retry-same-nonce",
    level=Level.MUST,
    title="A retry with the same nonce is acknowledged and has no effect",
    requirement="A processed event that is signed again with its nonce and a new time MUST be"
    " answered 2xx and MUST NOT be acted on.",
    source="the document: this sender's retries keep their nonce",
    remedy="Answer 200 to an event that was processed before.",
    who=Who.SENDER,
    needs=(Need.SAME_NONCE,),
    after=ONCE,
)
def same_nonce(lab: Lab) -> Judgement:
    """The nonce and body of an accepted event, signed again now."""
    before = lab.effects()
    original = lab.captured()
    retried = lab.genuine(original.body, nonce=original.nonce, timestamp=lab.clock() + 1)
    sent = lab.send(Case("a retry with the same nonce and a new time", retried.request))
    once = judge_copies(lab, [sent], before)
    if outcome(sent) is Outcome.REJECTED:
        refused = Breach(
            message=f"refuses a retry of a processed event: {answer(sent.exchange)}; the sender"
            " will try for ever",
            expected="2xx without a second effect",
            evidence=(sent,),
        )
        return settled_control(lab) or worst(once, refused)
    return once


RULES: tuple[Rule, ...] = (
    other_instance,
    after_failure,
    same_nonce,
)
