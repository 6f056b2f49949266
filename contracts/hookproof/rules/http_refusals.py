"""With what a receiver refuses."""

from __future__ import annotations

from collections.abc import Sequence

from hookproof.controls import SHOWN, throttled
from hookproof.judging_calm import not_calm
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Rule, Who, rule
from hookproof.rules import culprits
from hookproof.targets.base import Failure
from hookproof.verdicts import Breach, Evidence, Holds, Judgement, Level, Outcome, Unproven
from hookproof.wording import answer, listed

TRIED_AGAIN = 4
"""Of how many kinds one request is sent again before the crash is believed."""
LARGE = 64 * 1024
"""A connection closed on a longer body is a limit at work, and no crash."""
MALFORMED = (
    "header-garbage",
    "header-non-ascii",
    "header-signature-shape",
    "header-timestamp-shape",
)
"""Who crashes on these does so on some of the forgeries, which would only tell it again."""


@rule(
    id="http-reject-status",
    level=Level.MUST,
    title="Refusals are 4xx",
    requirement="A forged or stale request MUST be answered, and not with 5xx; any 4xx is right.",
    source="RFC 9110 section 15.6: 5xx says that the server has erred, and makes senders try again",
    remedy="Answer every refusal with one constant 4xx.",
    who=Who.ANYONE,
    after=("valid-basic", *MALFORMED),
)
def reject_status(lab: Lab) -> Judgement:
    """Nothing of its own: the answers to all refused requests of the run; a guilty one is sent
    again before it is believed."""
    if not lab.log.refused:
        lab.log.refused.append(lab.send(culprits.forged(lab)))
    guilty = _one_of_each_kind([evidence for evidence in lab.log.refused if _is_guilty(evidence)])
    if not guilty:
        return throttled(lab.log.refused) or Holds()
    again = [lab.send(Case(evidence.note, evidence.exchange.request)) for evidence in guilty]
    lab.settle()
    return _believed(lab, [evidence for evidence in again if _is_guilty(evidence)], guilty)


def _is_guilty(evidence: Evidence) -> bool:
    exchange = evidence.exchange
    if exchange.status is not None:
        return outcome(evidence) is Outcome.CRASHED or 300 <= exchange.status < 400
    if exchange.failure is Failure.UNREACHABLE:
        return False
    return exchange.failure is not Failure.CLOSED or len(exchange.request.body) <= LARGE


def _one_of_each_kind(guilty: Sequence[Evidence]) -> list[Evidence]:
    """Return a few, those that crashed before those that were only redirected."""
    kinds = {evidence.note: evidence for evidence in guilty}
    return sorted(kinds.values(), key=_weight)[:TRIED_AGAIN]


def _weight(evidence: Evidence) -> int:
    return (Outcome.CRASHED, Outcome.DROPPED, Outcome.REJECTED).index(outcome(evidence))


def _believed(lab: Lab, again: Sequence[Evidence], before: Sequence[Evidence]) -> Judgement:
    hurt = not_calm(lab, again, "4xx")
    if hurt is not None:
        return hurt
    if again:
        return Breach(
            level=Level.SHOULD,
            message=f"answers {listed(again)} with {answer(again[0].exchange)}",
            expected="4xx",
            evidence=tuple(again[:SHOWN]),
        )
    return Unproven(
        message=f"{before[0].note} was answered {answer(before[0].exchange)} once, and not again",
        settle="run it again",
        evidence=tuple(before[:SHOWN]),
    )


RULES: tuple[Rule, ...] = (reject_status,)
