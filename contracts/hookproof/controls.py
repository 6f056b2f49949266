"""Whether a receiver still takes genuine events: without that, nothing follows from a silence."""

from __future__ import annotations

from collections.abc import Sequence

from hookproof.lab import Lab, outcome
from hookproof.verdicts import Breach, Evidence, Judgement, Outcome, Unproven
from hookproof.wording import answer

SHOWN = 4
"""How many exchanges a finding shows at most."""


def control(lab: Lab) -> Unproven | None:
    """Send a genuine event; return why nothing can be concluded when it is not accepted."""
    _, exchange = lab.send_genuine("a genuine event afterwards")
    if Outcome.of(exchange) is Outcome.ACCEPTED:
        return None
    return Unproven(
        message=f"a genuine event sent afterwards was not accepted: {answer(exchange)}",
        settle="a receiver that neither bans nor limits the one who tests it",
        evidence=(Evidence("a genuine event afterwards", exchange),),
    )


def settled_control(lab: Lab) -> Unproven | None:
    """Send a control, and leave nothing of it pending for the next rule."""
    before = lab.effects()
    trouble = control(lab)
    if before is not None and trouble is None:
        lab.watcher.wait_for(before.count + 1)
    return trouble


def unless_banned(lab: Lab, judgement: Judgement) -> Judgement:
    """Return the judgement, but no breach where a plain genuine event gets through no more."""
    if not isinstance(judgement, Breach):
        return judgement
    lab.settle()
    return settled_control(lab) or judgement


def throttled(sent: Sequence[Evidence]) -> Unproven | None:
    """Return why nothing can be concluded where the receiver asked for patience."""
    patience = [evidence for evidence in sent if outcome(evidence) is Outcome.THROTTLED]
    if not patience:
        return None
    return Unproven(
        message=f"{patience[0].note} was answered {answer(patience[0].exchange)}",
        settle="a receiver that does not limit the rate, or --rate",
        evidence=tuple(patience[:SHOWN]),
    )


def control_without_effect(lab: Lab) -> Unproven:
    return Unproven(
        message=f"a genuine event sent afterwards had no effect within {lab.watcher.limit:g} s",
        settle="a receiver that acts on every genuine event, or a longer --effect-timeout",
    )
