"""Whether a crash is due to what a rule changed, or would have come anyway."""

from __future__ import annotations

from hookproof.lab import Case, Lab, outcome
from hookproof.verdicts import Breach, Judgement, Outcome, Unproven
from hookproof.wording import answer


def forged(lab: Lab) -> Case:
    """Return an ordinary forgery: a well-formed request with a random signature."""
    return Case("any forged request", lab.genuine().with_signature(lab.random_signature()).request)


def of_its_own(lab: Lab, judgement: Judgement, ordinary: Case) -> Judgement:
    """Return the judgement, unless an ordinary request ends in the same crash or silence.

    One cause is told once: by the rule that asks for no more than the ordinary request.
    """
    if not isinstance(judgement, Breach) or not judgement.evidence:
        return judgement
    ended = outcome(judgement.evidence[0])
    if ended not in (Outcome.CRASHED, Outcome.DROPPED):
        return judgement
    sent = lab.send(ordinary)
    lab.settle()
    if outcome(sent) is not ended:
        return judgement
    return Unproven(
        message=f"{ordinary.note} gets {answer(sent.exchange)} as well, so this tells nothing new",
        settle="mend what any such request does first",
        evidence=(judgement.evidence[0], sent),
    )
