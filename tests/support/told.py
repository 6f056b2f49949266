"""Runs told by hand: events as a runner would tell them, for tests of what listens."""

from __future__ import annotations

from collections import Counter

from hookproof.events import (
    Event,
    ExitStatus,
    RuleFinished,
    RuleResult,
    RuleStarted,
    RunFinished,
    RunStarted,
)
from hookproof.rule import Rule, rule
from hookproof.targets.base import Exchange, Failure
from hookproof.verdicts import EffectCount, Evidence, Holds, Judgement, Level, Policy, Verdict
from hookproof_spec.request import Request

SENT = Request(
    "POST",
    "http://127.0.0.1:8000/webhook",
    (("Content-Type", "application/json"), ("X-MW-Signature", "t=1,nonce=ab,signature=cd")),
    b'{"a":1}',
)


def a_rule(id: str = "replay-race", level: Level = Level.MUST) -> Rule:
    """Return a rule that is never run."""

    @rule(
        id=id,
        level=level,
        title=f"The title of {id}",
        requirement=f"The requirement of {id}.",
        source="our judgement",
        remedy=f"The remedy of {id}.",
    )
    def check(_: object) -> Judgement:
        """Sends nothing."""
        return Holds()

    return check


def an_answer(
    status: int | None = 200, body: bytes = b"ok", headers: tuple[tuple[str, str], ...] = ()
) -> Exchange:
    """Return an exchange; without a status it timed out."""
    if status is None:
        return Exchange(request=SENT, failure=Failure.TIMEOUT, detail="after 10 s", seconds=10)
    return Exchange(request=SENT, status=status, headers=headers, body=body, seconds=0.012)


def a_result(verdict: Verdict = Verdict.FAIL, *evidence: Evidence) -> RuleResult:
    """Return a result with everything in it."""
    return RuleResult(
        verdict=verdict,
        message="20 identical requests at once had 3 effects",
        expected="exactly one effect",
        settle="an effects probe (--effects-url)",
        evidence=evidence or (Evidence("an identical copy", an_answer()),),
        effects=EffectCount(before=4, after=7, expected=5),
        requests=21,
        seconds=0.2,
    )


def a_start(*rules: Rule) -> RunStarted:
    """Return the beginning of a run."""
    return RunStarted(
        target="http://127.0.0.1:8000/webhook",
        spec="mobility-work",
        webhook="sparePartOutOfStock",
        scheme="hmac-sha256 over {timestamp}.{nonce}.{body}",
        policy=Policy(),
        effects="by probe",
        seed=7,
        rules=rules,
        started=1_700_000_000.0,
    )


def a_run(
    *results: tuple[Rule, RuleResult],
    exit: ExitStatus = ExitStatus.BROKEN,  # noqa: A002
    complete: bool = True,
    reason: str = "",
) -> list[Event]:
    """Return a whole run with these results."""
    events: list[Event] = [a_start(*(tried for tried, _ in results))]
    for tried, result in results:
        events += [RuleStarted(tried), RuleFinished(tried, result)]
    summary = Counter(result.verdict for _, result in results)
    events.append(
        RunFinished(
            exit=exit,
            summary={verdict: summary[verdict] for verdict in Verdict},
            requests=sum(result.requests for _, result in results),
            seconds=3.2,
            complete=complete,
            reason=reason,
            notes=("the receiver's clock differs from ours by +7 s",),
        )
    )
    return events
