"""The time of this process, moved for a receiver that runs in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, final

import pytest

if TYPE_CHECKING:
    import time_machine

    class Coordinates(Protocol):
        """What time-machine gives to move time on; it has no public name there."""

        def shift(self, delta: float, /) -> None:
            """Move by seconds."""


__tracebackhide__ = True
ADVICE = (
    "webhook_clock moves time with time-machine, which is not installed: pip install time-machine"
)


@final
class WebhookClock:
    """Moves what `time.time()`, `datetime.now()` and the like say; time goes on from there.

    It holds for the whole process, all threads and the sender's timestamps included. Waiting,
    `time.monotonic()` and a database's own clock are left alone.
    """

    def __init__(self) -> None:
        self._travel: time_machine.travel | None = None
        self._coordinates: Coordinates | None = None
        self._moved = 0.0

    def now(self) -> float:
        """Return Unix seconds as the receiver sees them."""
        return time.time()

    def advance(self, seconds: float | timedelta) -> None:
        """Move the time on; back by what is negative."""
        step = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
        self._moved += step
        if self._moved == 0.0:
            self.reset()
        elif self._coordinates is None:
            self._start()
        else:
            self._coordinates.shift(step)

    def reset(self) -> None:
        """Go back to the real time."""
        if self._travel is not None:
            self._travel.stop()
        self._travel = self._coordinates = None
        self._moved = 0.0

    def _start(self) -> None:
        import time_machine

        self._travel = time_machine.travel(time.time() + self._moved, tick=True)
        self._coordinates = self._travel.start()


def webhook_clock(config: pytest.Config) -> Iterator[WebhookClock]:
    """Yield the clock of a test run, and end its journey."""
    from hookproof.pytest_support.session import engage

    try:
        import time_machine  # noqa: F401 (is it there?)
    except ImportError:
        pytest.fail(ADVICE, pytrace=False)
    clock = engage(config).clock = WebhookClock()
    yield clock
    clock.reset()
