"""What came back, counted by kind and by second; its size does not grow with the requests.

Each process of a load test counts for itself and sends on what it has counted since it last did.
Whoever gets these parts adds them up, in whatever order they come.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import final

from hookproof.load.histogram import Histogram
from hookproof.load.mix import Kind
from hookproof.targets.base import Exchange
from hookproof.verdicts import Outcome
from hookproof_spec.request import Request

SLICES = 240
"""How many slices of time are kept at most: of a longer test, each is longer."""
_NOTHING = Request("", "", (), b"")


@final
@dataclass(slots=True)
class Count:
    """What came back to requests of one kind.

    `answers` are statuses, or why there was none: only so many different ones can occur. The times
    are of what was answered. `unfinished` were still under way when their user was stopped.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    latencies: Histogram = field(default_factory=Histogram)
    unfinished: int = 0

    @property
    def sent(self) -> int:
        """How many requests there were."""
        return self.outcomes.total() + self.unfinished

    @property
    def unclear(self) -> int:
        """How many may have had an effect without saying so."""
        unsaid = (Outcome.THROTTLED, Outcome.CRASHED, Outcome.DROPPED)
        return self.unfinished + sum(self.outcomes[outcome] for outcome in unsaid)

    def answers_of(self, outcome: Outcome) -> Counter[str]:
        """Return the answers that make up an outcome."""
        return Counter({a: n for a, n in self.answers.items() if outcome_of(a) is outcome})


@final
@dataclass(slots=True)
class Slice:
    """A stretch of time: what came back in it, whatever the kind."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    latencies: Histogram = field(default_factory=Histogram)

    def merge(self, other: Slice) -> None:
        """Add what another has counted."""
        self.outcomes.update(other.outcomes)
        self.latencies.merge(other.latencies)


@final
@dataclass(slots=True)
class Timeline:
    """Slices of `width` seconds, by their number since 1970."""

    width: int = 1
    slices: dict[int, Slice] = field(default_factory=dict)

    def at(self, moment: float) -> Slice:
        """Return the slice that a moment (Unix seconds) lies in."""
        number = int(moment) // self.width
        if number not in self.slices:
            self.slices[number] = Slice()
            self._fold()
        return self.slices[int(moment) // self.width]

    def merge(self, other: Timeline) -> None:
        """Add what another has counted, in the longer slices of the two."""
        while self.width < other.width:
            self._widen()
        for number, counted in other.slices.items():
            self.at(number * other.width).merge(counted)

    def _fold(self) -> None:
        while len(self.slices) > SLICES:
            self._widen()

    def _widen(self) -> None:
        self.width *= 2
        before, self.slices = self.slices, {}
        for number, counted in before.items():
            self.slices.setdefault(number // 2, Slice()).merge(counted)


@final
@dataclass(slots=True)
class Tally:
    """Everything counted so far.

    `first` is when the first request was sent, `last` when the last answer came, in Unix seconds.
    """

    kinds: dict[Kind, Count] = field(default_factory=dict)
    timeline: Timeline = field(default_factory=Timeline)
    first: float | None = None
    last: float | None = None

    @property
    def sent(self) -> int:
        """How many requests there were."""
        return sum(count.sent for count in self.kinds.values())

    @property
    def answered(self) -> int:
        """How many of them got an answer."""
        return sum(count.latencies.count for count in self.kinds.values())

    def of(self, kind: Kind) -> Count:
        """Return the count of a kind."""
        return self.kinds.setdefault(kind, Count())

    def add(self, kind: Kind, answer: str, seconds: float, at: float) -> None:
        """Count what came back to one request: a status, or why there was none."""
        outcome = outcome_of(answer)
        count, now = self.of(kind), self.timeline.at(at)
        self._stretch(at - seconds, at)
        count.outcomes[outcome] += 1
        count.answers[answer] += 1
        now.outcomes[outcome] += 1
        if outcome is not Outcome.DROPPED:
            count.latencies.add(seconds)
            now.latencies.add(seconds)

    def merge(self, other: Tally) -> None:
        """Add what another has counted."""
        for kind, counted in other.kinds.items():
            count = self.of(kind)
            count.outcomes.update(counted.outcomes)
            count.answers.update(counted.answers)
            count.latencies.merge(counted.latencies)
            count.unfinished += counted.unfinished
        self.timeline.merge(other.timeline)
        if other.first is not None and other.last is not None:
            self._stretch(other.first, other.last)

    @property
    def seconds(self) -> float:
        """The time from the first request to the last answer."""
        return 0.0 if self.first is None or self.last is None else self.last - self.first

    def _stretch(self, first: float, last: float) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def latencies(self) -> Histogram:
        """Return the latencies of all kinds."""
        whole = Histogram()
        for count in self.kinds.values():
            whole.merge(count.latencies)
        return whole


@lru_cache(maxsize=1024)
def outcome_of(answer: str) -> Outcome:
    """Return the outcome that an answer means, as the rules of the contract take it."""
    status = int(answer) if answer.isdigit() else None
    return Outcome.of(Exchange(request=_NOTHING, status=status))
