"""Genuine events at the edges of what time allows."""

from __future__ import annotations

from collections.abc import Iterator

from hookproof.controls import settled_control
from hookproof.judging import accepted, at, means, refused, worst
from hookproof.lab import Case, Lab
from hookproof.rule import Check, Need, Rule, Who, rule
from hookproof.rules.ages import allowed_age, margin, too_far_apart
from hookproof.rules.roots import AGES
from hookproof.verdicts import Breach, Evidence, Judgement, Level, Outcome
from hookproof.wording import answer

DAY = 86_400
THREE_DAYS = 3 * DAY
ZONES = ("Asia/Kolkata", "America/St_Johns")


@rule(
    id="valid-edge-fresh",
    level=Level.SHOULD,
    title="A message just inside the window is accepted",
    requirement="An event a little younger than the tolerance MUST be accepted where a tolerance is"
    " declared (--tolerance); without one, an event of 30 s SHOULD be.",
    source="our judgement: queues and retries take time",
    remedy="Make the window as long as the sender's slowest delivery and the clocks' drift.",
    who=Who.SENDER,
    needs=(Need.TIMESTAMP,),
)
def edge_fresh(lab: Lab) -> Judgement:
    """An event signed 15 s inside the declared tolerance, or 30 s ago."""
    if lab.policy.tolerance is None:
        return _seconds_old(lab, 30)
    age = lab.policy.tolerance - margin(lab)
    if age <= 0:
        age = lab.policy.tolerance / 2
    declared = f"{lab.policy.tolerance:g} s are declared, and it enforces less"
    within = means(declared)(lambda lab: _seconds_old(lab, age))
    return too_far_apart(lab) or at(Level.MUST, within(lab))


def _seconds_old(lab: Lab, age: float) -> Judgement:
    @accepted
    def cases(lab: Lab) -> Iterator[Case]:
        aged = lab.genuine(timestamp=lab.clock() - age)
        yield Case(f"a genuine event that is {age:.0f} s old", aged.request)

    return cases(lab)


@rule(
    id="valid-skew-ahead",
    level=Level.SHOULD,
    title="A sender's clock 2 s ahead is tolerated",
    requirement="An event signed two seconds in the future SHOULD be accepted.",
    source="our judgement: clocks drift; to refuse any future time is a policy some hold",
    remedy="Accept a small negative age, such as 30 to 60 s.",
    who=Who.SENDER,
    needs=(Need.TIMESTAMP,),
)
@means("it tolerates no clock that is ahead of its own")
@accepted
def skew_ahead(lab: Lab) -> Iterator[Case]:
    """An event signed with a clock that is two seconds ahead."""
    ahead = lab.genuine(timestamp=lab.clock() + 2)
    yield Case("an event signed with a clock 2 s ahead", ahead.request)


@rule(
    id="valid-old-event-date",
    level=Level.SHOULD,
    title="Freshness is judged by the header, not by the payload's dates",
    requirement="A freshly signed event whose dates lie three days back SHOULD be accepted.",
    source="Standard Webhooks: the time of an attempt and the time of an event are two things",
    remedy="Compare only the signed timestamp with the clock.",
    who=Who.SENDER,
    needs=(Need.DATES,),
)
@means("it judges the payload's dates, and not the signed timestamp alone")
@accepted
def old_event_date(lab: Lab) -> Iterator[Case]:
    """A freshly signed event whose payload says it happened three days ago."""
    body = lab.written(lab.value(dated=lab.clock() - THREE_DAYS))
    yield Case("a fresh event about something of three days ago", lab.genuine(body).request)


@rule(
    id="valid-timezone",
    level=Level.SHOULD,
    title="Behaviour does not change with the host's time zone",
    requirement="Fresh events SHOULD be accepted, and stale ones refused, in every time zone.",
    source="our judgement: test machines run on UTC, which hides a naive local time",
    remedy="Use whole epoch seconds, and never naive local dates.",
    who=Who.SENDER,
    needs=(Need.TIMESTAMP, Need.RESTART),
    after=AGES,
)
def timezone(lab: Lab) -> Judgement:
    """Restarts with TZ set to Kolkata and St John's; a fresh event and one of a day ago."""
    trouble = settled_control(lab)  # a receiver that bans us by now says nothing of time zones
    if trouble is not None:
        return trouble
    try:
        return worst(*(_in_zone(lab, zone) for zone in ZONES))
    finally:
        lab.restart({"TZ": "UTC"})


def _in_zone(lab: Lab, zone: str) -> Judgement:
    lab.restart({"TZ": zone})
    before = lab.effects()
    _, exchange = lab.send_genuine()
    if before is not None:
        lab.watcher.wait_for(before.count + 1)
    if Outcome.of(exchange) is Outcome.REJECTED:  # a moment ago, under UTC, it was accepted
        return Breach(
            message=f"refuses a fresh event under TZ={zone}: {answer(exchange)}, though it accepts"
            " one under UTC; it takes local time for the time of the signature, or the reverse",
            expected="2xx in every time zone",
            evidence=(Evidence(f"a fresh event under TZ={zone}", exchange),),
        )
    return _stale_in(zone)(lab)


def _stale_in(zone: str) -> Check:
    @refused
    def stale(lab: Lab) -> Iterator[Case]:
        old = lab.genuine(timestamp=lab.clock() - max(DAY, allowed_age(lab) + margin(lab)))
        yield Case(f"an event of a day ago under TZ={zone}", old.request)

    return stale


RULES: tuple[Rule, ...] = (edge_fresh, skew_ahead, old_event_date)
