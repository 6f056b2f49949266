"""The search for a change of a genuine request that a receiver does not notice."""

from __future__ import annotations

from typing import final

from hypothesis import reject

from hookproof.lab import Case, Lab
from hookproof.searching.changes import Change, Changed, changes, every_digit
from hookproof.searching.leniency import says_the_same
from hookproof.searching.search import Search
from hookproof.searching.tally import Tally
from hookproof.verdicts import Breach, Holds, Judgement
from hookproof.wording import answer
from hookproof_spec.signing import Verifier

EXPECTED = "a refusal (4xx) and no effect"


def judge_forged(lab: Lab, name: str) -> Judgement:
    """Search for a change that is accepted, first in every character of the signature."""
    tally = Tally(lab)
    search = _searched(lab, name, tally)
    if search.found is None and tally.surplus() > 0:  # acted on, for all its refusals
        search = _searched(lab, name, Tally(lab, closely=True))
    return search.found or Holds(message=search.words)


def _searched(lab: Lab, name: str, tally: Tally) -> Search:
    forgeries = _Forgeries(lab, tally)
    search = Search.of(lab, name).each(every_digit(lab), forgeries.judge)
    return search.through(changes(lab), forgeries.judge_or_reject)


@final
class _Forgeries:
    """Sends each change of a new genuine request, if the oracle refuses it."""

    def __init__(self, lab: Lab, tally: Tally) -> None:
        self._lab = lab
        self._tally = tally
        self._oracle = Verifier(lab.scheme, lab.secret)

    def judge(self, change: Change) -> Breach | None:
        """Make a change and send it; None where it is no forgery, or was not acted on."""
        forged = self._forged(change)
        return None if forged is None else self._sent(forged)

    def judge_or_reject(self, change: Change) -> Breach | None:
        """Do the same, but let Hypothesis draw another case where it is no forgery."""
        forged = self._forged(change)
        return reject() if forged is None else self._sent(forged)

    def _forged(self, change: Change) -> Changed | None:
        """Return a change that the oracle refuses, for the very bytes that will be sent."""
        genuine = self._lab.genuine()
        changed = change(self._lab, genuine)
        if changed is None or says_the_same(genuine, changed.request):
            return None
        verdict = self._oracle.verify(changed.request, self._lab.clock())
        return None if verdict.accepted else changed

    def _sent(self, changed: Changed) -> Breach | None:
        sent = self._lab.send(Case(f"a genuine request after {changed.words}", changed.request))
        if not self._tally.acted_on(sent):
            return None
        acts = "acted on" if self._tally.due is not None else "accepted"
        return Breach(
            message=f"{changed.words} is {acts}: {answer(sent.exchange)}",
            expected=EXPECTED,
            evidence=(sent,),
            level=changed.level,
        )
