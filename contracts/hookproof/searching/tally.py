"""What the probe has to count while a search goes on: effects by difference with a control."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, final

from hookproof.controls import throttled
from hookproof.lab import CannotTell, Lab, outcome
from hookproof.targets.base import Failure
from hookproof.verdicts import Evidence, ForgedPolicy, Outcome, Unproven
from hookproof.wording import answer

HASTY: Final = 0.02
PAUSE: Final = 0.003


REST: Final = 0.05
"""Seconds without an effect after which none is taken to be on its way."""


def let_rest(lab: Lab) -> None:
    """Wait until no more effects appear, whichever requests they are due to."""
    lab.settle()
    ends = time.monotonic() + lab.watcher.limit
    before, seen = None, lab.effects()
    while seen is not None and seen != before and time.monotonic() < ends:
        lab.watcher.sleep(REST)
        before, seen = seen, lab.effects()


@final
@dataclass(slots=True)
class Haste:
    """How long a search waits for effects: no longer than the slowest took, many times over.

    The first that fails to appear is given all the time there is. After that a search is convinced
    that some are lost, and need not wait as long for each.
    """

    slowest: float = 0.0
    convinced: bool = False

    def limit(self, patient: float) -> float:
        """Return how many seconds to wait for an effect, at most `patient`."""
        return min(patient, HASTY + 20 * self.slowest)


@final
class Tally:
    """Counts effects that are due. `due` is None where a run goes by status alone.

    With `closely`, every request is judged by the count at once; else refusals are believed until
    `surplus` is asked for at the end.
    """

    def __init__(self, lab: Lab, *, closely: bool = False, haste: Haste | None = None) -> None:
        self.lab = lab
        self.closely = closely
        self._haste = haste or Haste()
        before = lab.effects()
        self.due = None if before is None else before.count

    def expect(self, effects: int = 1) -> None:
        """Note that so many effects are due."""
        if self.due is not None:
            self.due += effects

    def now(self) -> int:
        """Return what the probe counts when all that is due has appeared, or time is over."""
        due = self.due or 0
        begun = time.monotonic()
        count = self._within(self._haste.limit(self.lab.watcher.limit))
        if count < due and not self._haste.convinced:
            count = self.settled()
            self._haste.convinced = count < due
        if count >= due:
            self._haste.slowest = max(self._haste.slowest, time.monotonic() - begun)
        return count

    def settled(self) -> int:
        """Return what the probe counts when stragglers, too, have had their time."""
        return self.lab.watcher.wait_for(self.due or 0).count

    def _within(self, seconds: float) -> int:
        """Wait for what is due, and no longer than this; unwanted effects may come later."""
        watcher, ends = self.lab.watcher, time.monotonic() + seconds
        count = watcher.read().count
        while count < (self.due or 0) and time.monotonic() < ends:
            watcher.sleep(PAUSE)
            count = watcher.read().count
        return count

    def surplus(self) -> int:
        """Send a control, wait for its effect, and return how many more there are than are due.

        Raises:
            CannotTell: the control was not accepted: whoever tests is banned, or it crashed.
        """
        self.control()
        if self.due is None:
            return 0
        count = self.settled()
        surplus, self.due = count - self.due, count
        return surplus

    def control(self) -> None:
        """Send a plain genuine event, which must be accepted, and note its effect as due.

        Raises:
            CannotTell: it was not.
        """
        _, exchange = self.lab.send_genuine("a genuine event afterwards")
        if Outcome.of(exchange) is not Outcome.ACCEPTED:
            raise CannotTell(
                Unproven(
                    message="a plain genuine event sent afterwards was not accepted:"
                    f" {answer(exchange)}",
                    settle="a receiver that neither bans nor limits the one who tests it",
                    evidence=(Evidence("a genuine event afterwards", exchange),),
                )
            )
        self.expect()

    def acted_on(self, sent: Evidence) -> bool:
        """Tell whether a request that must not be acted on was: by effects, or by its status.

        Raises:
            CannotTell: the receiver asks for patience, or a control was not accepted.
        """
        patience(sent)
        accepted = outcome(sent) is Outcome.ACCEPTED
        if self.due is not None:
            return (accepted or self.closely) and self.surplus() > 0
        if accepted and self.lab.policy.forged is ForgedPolicy.IGNORES:
            raise CannotTell(
                Unproven(
                    message="2xx may mean that it was ignored, as is declared",
                    settle="an effects probe (--effects-url)",
                    evidence=(sent,),
                )
            )
        return accepted


def patience(sent: Evidence) -> None:
    """Stop where a receiver asks for patience or is not there: that says nothing of a request.

    Raises:
        CannotTell: it does.
    """
    asked = throttled([sent])
    if asked is not None:
        raise CannotTell(asked)
    if sent.exchange.failure in (Failure.UNREACHABLE, Failure.TIMEOUT):
        raise CannotTell(
            Unproven(
                message=f"no answer to {sent.note} ({answer(sent.exchange)})",
                settle="a receiver that answers in time",
                evidence=(sent,),
            )
        )
