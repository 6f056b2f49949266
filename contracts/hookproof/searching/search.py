"""One search by Hypothesis, run by us: seeded, silent, within a budget of time."""

from __future__ import annotations

import os
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, final

from hypothesis import HealthCheck, Verbosity, configuration, errors, given, seed, settings

from hookproof.lab import CannotTell, Lab
from hookproof.searching.memory import OURS, Habits, habits
from hookproof.verdicts import Breach, Unproven
from hookproof_spec.errors import HookproofError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Case = TypeVar("Case")

PORTION = 250
"""How many examples Hypothesis draws at once, at most. It keeps all of them until it has ended, up
to 14 KB each, so that a long search is made of several short ones."""


def _keep_away() -> None:
    """Let Hypothesis keep its tables in the user's cache, and leave no folder where we are run.

    Inside pytest, and where the user has chosen a place, it is not for us to choose.
    """
    if "pytest" not in sys.modules and "HYPOTHESIS_STORAGE_DIRECTORY" not in os.environ:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        configuration.set_hypothesis_home_dir(Path(cache) / "hookproof" / "hypothesis")


_keep_away()


class Falsified(Exception):
    """Raised inside a search where a case shows a breach, which Hypothesis then makes smaller."""


@final
class _OutOfTime(BaseException):
    """Ends a search at once: what is not an `Exception` is no case for Hypothesis."""


@final
class _Interrupted(BaseException):
    """Takes an error past Hypothesis, which would try to make its case smaller."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """A part of a search: what Hypothesis draws at once."""

    seed: int
    examples: int
    habits: Habits

    def settings(self, **more: int) -> settings:
        """Return Hypothesis' settings for it."""
        return settings(
            max_examples=self.examples,
            deadline=None,
            database=self.habits.database,
            derandomize=False,
            print_blob=False,
            report_multiple_bugs=False,
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
            phases=self.habits.phases,
            **more,  # type: ignore[arg-type]
        )


@final
@dataclass(slots=True)
class Search:
    """One search: what it has tried and the smallest breach it has seen.

    `found` is a breach, or what cannot be proven because it was seen only once.
    """

    name: str
    seed: int
    examples: int
    ends: float
    habits: Habits = OURS
    tried: int = 0
    cut: bool = False
    found: Breach | Unproven | None = None
    _seen: Breach | None = None

    @classmethod
    def of(cls, lab: Lab, name: str, *, times: float = 1) -> Search:
        """Return a search with a lab's effort; one seed and one name try the same cases again."""
        return cls(
            name=name,
            seed=zlib.crc32(f"{lab.seed} {name}".encode()),
            examples=max(1, int(times * lab.examples)),
            ends=time.monotonic() + lab.search_seconds,
            habits=habits(lab.suite, name),
        )

    def each(self, cases: Iterable[Case], judge: Callable[[Case], Breach | None]) -> Search:
        """Try cases one by one that are as small as can be; the first breach is what is found."""
        for case in cases:
            if self.found is None and not self._late():
                self.tried += 1
                self.found = judge(case)
        return self

    def through(
        self, cases: SearchStrategy[Case], judge: Callable[[Case], Breach | None]
    ) -> Search:
        """Let Hypothesis draw cases, and make the first one that is a breach as small as it can.

        Raises:
            HookproofError, CannotTell: a judge raised it; the search has ended there.
        """

        def test(case: Case) -> None:
            self.step()
            self.tried += 1
            self.keep(self.guarded(lambda: judge(case)))

        test.__name__ = test.__qualname__ = self.name.replace("-", "_")

        def draw(portion: Portion) -> None:
            seeded = seed(portion.seed)(given(cases)(test))  # a seed inside leaves the database on
            portion.settings()(seeded)()

        return self.run(draw)

    def run(self, draw: Callable[[Portion], None]) -> Search:
        """Let Hypothesis draw portion after portion, and keep what it found."""
        for portion in self._portions():
            before = self.tried
            self._drawn(draw, portion)
            if self.tried - before < portion.examples:
                break  # it was cut, or there is nothing else to draw
        return self

    def _portions(self) -> Iterator[Portion]:
        for number, begun in enumerate(range(0, self.examples, PORTION)):
            if self.found is None:
                yield Portion(
                    seed=self.seed + number,
                    examples=min(PORTION, self.examples - begun),
                    habits=self.habits,
                )

    def _drawn(self, draw: Callable[[Portion], None], portion: Portion) -> None:
        try:
            draw(portion)
        except errors.Flaky:  # it is an ExceptionGroup as well, so it comes first
            self.found = _seen_once(self._seen)
        except (Falsified, _OutOfTime):
            self.found = self._seen
        except errors.Unsatisfiable:
            pass  # nothing of the kind can be made here
        except _Interrupted as interrupted:
            raise interrupted.error from interrupted

    def step(self) -> None:
        """End the search where its time is over."""
        if self._late():
            raise _OutOfTime

    def guarded(self, judge: Callable[[], Breach | None]) -> Breach | None:
        """Judge; what a judge raises ends the search instead of being taken for a finding."""
        try:
            return judge()
        except (CannotTell, HookproofError) as error:
            raise _Interrupted(error) from error

    def keep(self, breach: Breach | None) -> None:
        """Keep a breach and tell Hypothesis of it. The last one kept is the smallest."""
        if breach is not None:
            self._seen = breach
            raise Falsified

    def _late(self) -> bool:
        self.cut = self.cut or time.monotonic() > self.ends
        return self.cut

    @property
    def words(self) -> str:
        """How much was tried."""
        return f"{self.tried} examples" + (", then its time was over" if self.cut else "")


def _seen_once(seen: Breach | None) -> Unproven | None:
    if seen is None:
        return None
    return Unproven(
        message=f"seen once and not again: {seen.message}",
        settle="run it again; a receiver that behaves alike each time is judged for certain",
        evidence=seen.evidence,
    )
