"""The search for an age on the wrong side of the window."""

from __future__ import annotations

from typing import Final, final

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hookproof.lab import Case, Lab, outcome
from hookproof.rules.ages import allowed_age, margin, too_far_apart
from hookproof.searching.search import Search
from hookproof.searching.tally import Tally, patience
from hookproof.verdicts import Breach, Evidence, Holds, Judgement, NotApplicable, Outcome
from hookproof.wording import answer
from hookproof_spec.signing import Delivery, Reason, Verifier

DAY: Final = 86_400
YEAR: Final = 365 * DAY


def judge_stale(lab: Lab, name: str) -> Judgement:
    """Search for an age beyond the window that is taken, and one within that is not.

    Without a declared tolerance only ages of a day and more are judged, and none within.
    """
    trouble = too_far_apart(lab) if lab.policy.tolerance is not None else None
    if trouble is not None:
        return trouble
    ages = _Ages(lab)
    if ages.oldest <= ages.beyond:
        return NotApplicable("the window reaches back to 1970")
    search = _searched(lab, name, ages)
    if search.found is None and ages.tally.surplus() > 0:
        search = _searched(lab, name, _Ages(lab, closely=True))
    return search.found or Holds(message=search.words)


def _searched(lab: Lab, name: str, ages: _Ages) -> Search:
    search = Search.of(lab, name).each(ages.edges(), ages.judge_or_pass)
    return search.through(ages.drawn(), ages.judge)


@final
class _Ages:
    """Sends events signed at a moment of the past; moments are whole seconds since 1970."""

    def __init__(self, lab: Lab, *, closely: bool = False) -> None:
        self._lab = lab
        self._oracle = Verifier(lab.scheme, lab.secret)
        self._declared = lab.policy.tolerance
        self.tally = Tally(lab, closely=closely)
        self.begun = int(lab.clock())
        least = self._declared if self._declared is not None else max(DAY, allowed_age(lab))
        self.beyond = int(least + margin(lab)) + 1
        self.oldest = self.begun

    def drawn(self) -> SearchStrategy[int]:
        """Return the ages at the search's beginning: of every magnitude, the smallest first."""
        ranges = [(self.beyond, self.oldest)]
        ranges += [(self.beyond, self.beyond + size) for size in (60, DAY, 60 * DAY, 10 * YEAR)]
        ages = [st.integers(low, min(high, self.oldest)) for low, high in ranges]
        within = self._within()
        return st.one_of(*ages) if within < 1 else st.one_of(*ages, st.integers(0, within))

    def edges(self) -> list[int]:
        """Return the ages at which numbers change their length in some way of writing, in order."""
        tens = [10**power for power in range(1, 13)]
        ages = {self.begun - moment for ten in tens for moment in (ten, ten - 1)}
        ages |= {2**power for power in range(12, 32)} | set(tens)
        return sorted(age for age in ages if self.beyond <= age <= self.oldest)

    def judge_or_pass(self, age: int) -> Breach | None:
        """Judge an age that is certainly beyond."""
        return self._stale(self._lab.genuine(timestamp=float(self.begun - age)), age)

    def _within(self) -> int:
        if self._declared is None:
            return 0
        return int(self._declared - margin(self._lab)) - 1

    def judge(self, age: int) -> Breach | None:
        """Send an event of this age; what the oracle does not call stale or fresh is left out."""
        moment = self.begun - age
        delivery = self._lab.genuine(timestamp=float(moment))
        now = self._lab.clock()
        if age >= self.beyond:
            tolerance = None if self._declared is None else self._declared
            verdict = self._oracle.verify(delivery.request, now, tolerance=tolerance)
            return self._stale(delivery, age) if verdict.reason is Reason.STALE else reject()
        if now - moment > self._within():
            reject()
        return self._fresh(delivery, age)

    def _stale(self, delivery: Delivery, age: int) -> Breach | None:
        sent = self._sent(delivery, age)
        if not self.tally.acted_on(sent):
            return None
        return Breach(
            message=f"accepts {sent.note}: {answer(sent.exchange)}",
            expected="a refusal (4xx) and no effect",
            evidence=(sent,),
        )

    def _fresh(self, delivery: Delivery, age: int) -> Breach | None:
        sent = self._sent(delivery, age)
        patience(sent)
        if outcome(sent) is Outcome.ACCEPTED:
            self.tally.expect()
            return None
        self.tally.control()
        return Breach(
            message=f"refuses {sent.note}: {answer(sent.exchange)}",
            expected=f"2xx: the declared tolerance is {self._declared:g} s",
            evidence=(sent,),
        )

    def _sent(self, delivery: Delivery, age: int) -> Evidence:
        words = f"a correctly signed request that is {_words(age)} old"
        return self._lab.send(Case(f"{words} (timestamp {delivery.timestamp})", delivery.request))


def _words(age: int) -> str:
    if age < 2 * 3600:
        return f"{age} s"
    if age < 2 * DAY:
        return f"{age / 3600:.1f} hours"
    return f"{age / DAY:.0f} days" if age < 2 * YEAR else f"{age / YEAR:.1f} years"
