"""What Hypothesis found before in a test suite, and how its team wants searches to be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, final

from hypothesis import Phase, settings
from hypothesis.database import ExampleDatabase

from hookproof.lab import Suite

STEPS: Final = settings.get_profile("default").stateful_step_count
PHASES: Final = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)


@final
class Shelf(ExampleDatabase):
    """The part of a database that belongs to one search of one test: its keys are its own.

    Hypothesis makes its keys of a function's source, which all our searches have in common.
    """

    def __init__(self, whole: ExampleDatabase, name: str) -> None:
        super().__init__()
        self._whole = whole
        self._name = name.encode()

    def save(self, key: bytes, value: bytes) -> None:
        """Keep an example."""
        self._whole.save(self._own(key), value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the examples that are kept."""
        return self._whole.fetch(self._own(key))

    def delete(self, key: bytes, value: bytes) -> None:
        """Forget an example that shows nothing any more."""
        self._whole.delete(self._own(key), value)

    def _own(self, key: bytes) -> bytes:
        return hashlib.sha384(self._name + b"\0" + key).digest()


@final
@dataclass(frozen=True, slots=True)
class Habits:
    """How a search is run: on the command line as we say, in a suite as its profile says."""

    database: ExampleDatabase | None = None
    phases: tuple[Phase, ...] = PHASES
    steps: int | None = None
    """How many steps a sequence has; None where the profile says nothing of its own."""


OURS: Final = Habits()


def habits(suite: Suite | None, search: str) -> Habits:
    """Return how a search is run; in a suite, as the profile says that is loaded.

    Its deadline is left alone: how long a receiver takes is another rule's question.
    """
    if suite is None:
        return OURS
    profile = settings()
    whole = profile.database if suite.remembers and not profile.derandomize else None
    steps = profile.stateful_step_count
    return Habits(
        database=None if whole is None else Shelf(whole, f"{suite.test} {search}"),
        phases=tuple(phase for phase in PHASES if phase in profile.phases),
        steps=None if steps == STEPS else steps,
    )
