"""Age and clock: every body carries current dates, so that only the signed timestamp is old."""

from __future__ import annotations

from collections.abc import Iterator

from hookproof.controls import SHOWN
from hookproof.judging import means, refused
from hookproof.judging_calm import survived
from hookproof.judging_copies import judge_copies
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules.ages import MARGIN, allowed_age, margin, too_far_apart
from hookproof.rules.roots import AGES, VERIFIES
from hookproof.verdicts import (
    Breach,
    Evidence,
    ForgedPolicy,
    Holds,
    Judgement,
    Level,
    NotApplicable,
    Outcome,
)
from hookproof.wording import answer
from hookproof_spec.request import Request
from hookproof_spec.scheme import TimeUnit

HOUR, DAY = 3600, 86_400
OLD = ((DAY, "one day"), (30 * DAY, "30 days"), (4 * 365 * DAY, "four years"))
LADDER = ((600, "10 minutes"), (1800, "30 minutes"), (3700, "an hour"), (2 * HOUR, "two hours"))
TEN_YEARS = 10 * 365 * DAY


def _limit(_: Lab, breach: Breach) -> str:
    """Say whether a receiver that takes old requests looks at their age at all."""
    oldest = OLD[-1][1]
    if any(oldest in item.note for item in breach.evidence):
        return "it does not look at the timestamp's age"
    return f"it refuses what is {oldest} old: its limit is too long, or compares s with ms"


@rule(
    id="stale-old",
    level=Level.MUST,
    title="A request of a day ago is refused",
    requirement="A correctly signed request that is a day old or more MUST be refused (where a"
    " longer tolerance is declared: one beyond it).",
    source="vendor: a timestamp too old, maybe by an hour, can be filtered; a day is our judgement"
    " of what no short rule allows",
    remedy="Refuse when now - timestamp exceeds the tolerance, both in seconds.",
    needs=(Need.TIMESTAMP,),
    after=VERIFIES,
    core=True,
)
@means(_limit)
@refused
def old(lab: Lab) -> Iterator[Case]:
    """Correctly signed events with unused nonces, one day, 30 days and four years old."""
    limit = allowed_age(lab)
    ages = [(age, words) for age, words in OLD if age > limit + MARGIN]
    if limit >= DAY:
        ages.insert(0, (int(limit + MARGIN), f"{limit + MARGIN:.0f} s"))
    for age, words in ages:
        stale = lab.genuine(timestamp=lab.clock() - age)
        yield Case(f"a correctly signed request that is {words} old", stale.request)


@rule(
    id="stale-two-hours",
    level=Level.SHOULD,
    title="A request of two hours ago is refused",
    requirement="A correctly signed request that is two hours old SHOULD be refused.",
    source="vendor: maybe from 1 hour ago; windows from 5 minutes to an hour are in use",
    remedy="Keep the window to minutes, unless the sender's retries need more.",
    needs=(Need.TIMESTAMP,),
    after=AGES,
)
def two_hours(lab: Lab) -> Judgement:
    """Correctly signed events 10 minutes, 30 minutes, an hour and two hours old; the last is
    judged, the oldest that is accepted is told."""
    if (lab.policy.tolerance or 0) + MARGIN >= 2 * HOUR:
        return NotApplicable("a tolerance of two hours or more is declared")
    sent = [
        lab.send(
            Case(
                f"a correctly signed request that is {words} old",
                lab.genuine(timestamp=lab.clock() - age).request,
            )
        )
        for age, words in LADDER
    ]
    lab.settle()
    if lab.policy.forged is ForgedPolicy.IGNORES:
        return _two_hours_old(lab)  # its status tells nothing
    taken = [evidence for evidence in sent if outcome(evidence) is Outcome.ACCEPTED]
    if sent[-1] in taken:
        return Breach(
            message=f"accepts {sent[-1].note}: {answer(sent[-1].exchange)}",
            expected="a refusal (4xx)",
            evidence=(sent[-1],),
        )
    return Holds(
        message=f"the oldest it accepts is {taken[-1].note}" if taken else "",
        evidence=tuple(sent[:SHOWN]),
    )


@refused
def _two_hours_old(lab: Lab) -> Iterator[Case]:
    stale = lab.genuine(timestamp=lab.clock() - 2 * HOUR)
    yield Case("a correctly signed request that is two hours old", stale.request)


@rule(
    id="stale-just-outside",
    level=Level.MUST,
    title="A message just past the declared tolerance is refused",
    requirement="A correctly signed request a little older than the declared tolerance MUST be"
    " refused.",
    source="the receiver's own declaration (--tolerance)",
    remedy="Use one constant for the tolerance, and test both sides of it.",
    needs=(Need.TIMESTAMP, Need.TOLERANCE),
    after=AGES,
)
def just_outside(lab: Lab) -> Judgement:
    """A correctly signed event, 15 s older than the declared tolerance."""
    return too_far_apart(lab) or _just_outside(lab)


@refused
def _just_outside(lab: Lab) -> Iterator[Case]:
    age = (lab.policy.tolerance or 0) + margin(lab)
    stale = lab.genuine(timestamp=lab.clock() - age)
    note = f"a correctly signed request that is {age:.0f} s old, past the declared"
    yield Case(f"{note} {lab.policy.tolerance:g} s", stale.request)


@rule(
    id="stale-zero",
    level=Level.MUST,
    title="The times 0 and 1 are too old",
    requirement="A correctly signed request of 1970 MUST be refused.",
    source="our judgement: plainly too old, and finds a test for truth instead of presence",
    remedy="Test whether the timestamp is there, not whether it is truthy.",
    needs=(Need.TIMESTAMP,),
    after=AGES,
)
@refused
def zero(lab: Lab) -> Iterator[Case]:
    """Correctly signed events with the times 0 and 1."""
    for moment in (0, 1):
        stale = lab.genuine(timestamp=float(moment))
        yield Case(f"a correctly signed request of the time {stale.timestamp}", stale.request)


@rule(
    id="stale-future",
    level=Level.SHOULD,
    title="A request from the future is refused",
    requirement="A correctly signed request ten minutes or ten years ahead SHOULD be refused.",
    source="our judgement: a nonce must be remembered until the time has passed; several official"
    " SDKs accept it",
    remedy="Bound both sides: refuse a timestamp more than a little ahead.",
    who=Who.SECRET,
    needs=(Need.TIMESTAMP,),
    after=AGES,
)
@refused
def future(lab: Lab) -> Iterator[Case]:
    """Correctly signed events ten minutes and ten years ahead."""
    for ahead, words in ((600, "ten minutes"), (TEN_YEARS, "ten years")):
        early = lab.genuine(timestamp=lab.clock() + ahead)
        yield Case(f"a correctly signed request {words} in the future", early.request)


@rule(
    id="stale-not-a-number",
    level=Level.SHOULD,
    title="A timestamp that is no number is refused",
    requirement="A correctly signed request whose timestamp is no time SHOULD be refused.",
    source="our judgement: it needs the secret, and is the door that the boundary shift uses",
    remedy="Refuse a timestamp that is not of digits.",
    who=Who.SECRET,
    needs=(Need.TIMESTAMP,),
    after=AGES,
)
@means("what is no number is never too old for it")
@refused
def not_a_number(lab: Lab) -> Iterator[Case]:
    """Events signed over the timestamps NaN, abc, nothing, 1e309, Infinity and -1."""
    for text in ("NaN", "abc", "", "1e309", "Infinity", "-1"):
        signed = lab.genuine(timestamp=text)
        yield Case(f"a correctly signed request with the timestamp {text!r}", signed.request)


@rule(
    id="stale-lenient-int",
    level=Level.INFO,
    title="Other spellings of the present time do no harm",
    requirement="A correctly signed request whose timestamp is spelt otherwise is best refused, and"
    " must not crash the receiver.",
    source="our judgement: reference libraries accept several",
    remedy="Be strict; it costs one regular expression.",
    who=Who.SECRET,
    needs=(Need.TIMESTAMP,),
    after=VERIFIES,
)
def lenient_int(lab: Lab) -> Judgement:
    """Events signed over the present time with a sign, a space, a fraction, a zero, underscores,
    an exponent, and in milliseconds."""
    if lab.scheme.timestamp is None or lab.scheme.timestamp.unit is not TimeUnit.SECONDS:
        return NotApplicable("the scheme's timestamp is not in seconds")
    return _spelt_otherwise(lab)


@survived
def _spelt_otherwise(lab: Lab) -> Iterator[Case]:
    now = str(int(lab.clock()))
    spellings = (
        f"+{now}",
        f" {now}",
        f"{now}.0",
        f"0{now}",
        f"{now[0]}_{now[1:]}",
        f"{now[0]}.{now[1:]}e9",
        f"{now}000",
    )
    for text in spellings:
        yield Case(f"the timestamp {text!r}", lab.genuine(timestamp=text).request)


@rule(
    id="stale-after-window",
    level=Level.MUST,
    title="An accepted event stays refused after its window",
    requirement="An accepted request MUST NOT be acted on again once its window has passed.",
    source="our judgement: freshness must end before the nonce is forgotten",
    remedy="Let freshness end before the nonce is forgotten.",
    needs=(Need.CLOCK, Need.EFFECTS, Need.TIMESTAMP),
    after=AGES,
)
@means("it judges the age of a nonce only once, or forgets it before its window ends")
def after_window(lab: Lab) -> Judgement:
    """An accepted request again, when the clock has passed its tolerance, and twice that."""
    window = allowed_age(lab) or DAY
    before = lab.effects()
    captured = lab.captured()
    copies = [_later(lab, captured.request, window + 1), _later(lab, captured.request, window)]
    return judge_copies(lab, copies, before)


def _later(lab: Lab, request: Request, seconds: float) -> Evidence:
    if lab.hooks.advance is not None:
        lab.hooks.advance(seconds)
    return lab.send(Case("an accepted request after its window", request))


RULES: tuple[Rule, ...] = (
    old,
    two_hours,
    just_outside,
    zero,
    future,
    not_a_number,
    lenient_int,
)
