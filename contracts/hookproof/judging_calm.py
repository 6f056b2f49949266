"""Whether difficult requests were answered calmly: no crash, no silence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps

from hookproof.controls import SHOWN, settled_control, throttled
from hookproof.judging import NO_PLACE, CaseMaker, judge_sent
from hookproof.lab import Lab, outcome
from hookproof.rule import Check
from hookproof.targets.base import Failure
from hookproof.verdicts import Breach, Evidence, Holds, Judgement, Outcome, Unproven
from hookproof.wording import answer, listed


def calmly_refused(make: CaseMaker) -> Check:
    """Return a check that every case is refused with 4xx: no effect, no crash, no silence."""

    @wraps(make)
    def check(lab: Lab) -> Judgement:
        cases = list(make(lab))
        if not cases:
            return NO_PLACE
        before = lab.effects()
        sent = [lab.send(case) for case in cases]
        return not_calm(lab, sent, "an answer of 4xx") or judge_sent(lab, sent, before, make)

    return check


def survived(make: CaseMaker) -> Check:
    """Return a check that every case is answered with 2xx to 4xx, whichever it is."""

    @wraps(make)
    def check(lab: Lab) -> Judgement:
        cases = list(make(lab))
        return judge_survived(lab, [lab.send(case) for case in cases]) if cases else NO_PLACE

    return check


def judge_survived(lab: Lab, sent: Sequence[Evidence]) -> Judgement:
    """Judge the answers to requests of which nothing is asked but an answer."""
    lab.settle()
    trouble = not_calm(lab, sent, "2xx or 4xx") or throttled(sent) or settled_control(lab)
    return trouble or _survivors(sent)


def not_calm(lab: Lab, sent: Sequence[Evidence], expected: str) -> Breach | Unproven | None:
    """Return what is wrong, if an answer is a crash or there is none.

    Silence is believed only while a genuine event gets an answer. Where no connection was made at
    all, the request is not to blame: the receiver is gone, or it bans whoever tests it.
    """
    crashed = [e for e in sent if outcome(e) is Outcome.CRASHED]
    if crashed:
        return _hurt(f"crashes on {listed(crashed)}", crashed, expected)
    silent = [e for e in sent if outcome(e) is Outcome.DROPPED]
    if not silent:
        return None
    met = [e for e in silent if e.exchange.failure is not Failure.UNREACHABLE]
    trouble = settled_control(lab)
    if trouble is None and met:
        return _hurt(f"gives no answer to {listed(met)}", met, expected)
    return Unproven(
        message=f"no answer to {listed(silent)} ({answer(silent[0].exchange)})"
        f"{', nor to a genuine event afterwards' if trouble else ''}: it died, or it bans",
        settle="the receiver's log, and a receiver that does not ban the one who tests it",
        evidence=(*silent[:SHOWN], *(trouble.evidence if trouble else ())),
    )


def _hurt(what: str, hurt: Sequence[Evidence], expected: str) -> Breach:
    return Breach(
        message=f"{what}: {answer(hurt[0].exchange)}",
        expected=expected,
        evidence=tuple(hurt[:SHOWN]),
    )


def _survivors(sent: Sequence[Evidence]) -> Holds:
    taken = [evidence for evidence in sent if outcome(evidence) is Outcome.ACCEPTED]
    message = f"accepts {listed(taken)}" if taken else "refuses all of them"
    return Holds(message=message, evidence=tuple(sent[:SHOWN]))
