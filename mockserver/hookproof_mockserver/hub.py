"""Live changes for whoever listens: dashboards, scripts, tests.

A change says what to look at again, not what it looks like. A listener keeps one waiting change
for each thing, so a slow one costs no more memory than a quick one, and nobody waits for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Self, final

Kind = Literal["delivery", "event", "subscription", "part", "account"]

CAPACITY = 1_000
"""How many things may wait for a listener before the oldest are dropped."""


@final
@dataclass(frozen=True, slots=True)
class Change:
    """Something is different from what it was at `at`, in Unix seconds."""

    kind: Kind
    id: str
    at: float


@final
class Listener:
    """What one listener has not heard yet. Iterating waits, and ends when either side closes.

    `missed` counts changes that were dropped because too many waited.
    """

    def __init__(self, hub: Hub, capacity: int) -> None:
        self._hub = hub
        self._capacity = capacity
        self._waiting: dict[tuple[str, str], Change] = {}
        self._condition = threading.Condition()
        self._closed = False
        self.missed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Change]:
        while (change := self.get(None)) is not None:
            yield change

    @property
    def closed(self) -> bool:
        """Tell whether nothing new can come any more."""
        return self._closed

    def get(self, timeout: float | None) -> Change | None:
        """Wait for the next change; None when there was none within `timeout` s, or at the end."""
        ends = None if timeout is None else time.monotonic() + timeout
        with self._condition:
            while not self._waiting and not self._closed:
                left = None if ends is None else ends - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._condition.wait(left)
            if not self._waiting:
                return None
            return self._waiting.pop(next(iter(self._waiting)))

    def close(self) -> None:
        """Hear nothing more; what waits can still be taken."""
        self._hub.forget(self)
        self.end()

    def end(self) -> None:
        """Be told by the hub that nothing more comes."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def offer(self, changes: Iterable[Change]) -> None:
        """Take changes; a thing that waits already is not queued twice."""
        with self._condition:
            for change in changes:
                self._waiting[change.kind, change.id] = change
            while len(self._waiting) > self._capacity:
                del self._waiting[next(iter(self._waiting))]
                self.missed += 1
            self._condition.notify()


@final
class Hub:
    """Where changes are told and heard; any number of threads may do either."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()
        self._closed = False

    def __bool__(self) -> bool:
        """Tell whether anybody listens."""
        return bool(self._listeners)

    def listen(self, capacity: int = CAPACITY) -> Listener:
        """Return a listener that hears what changes from now on; close it when done."""
        listener = Listener(self, capacity)
        with self._lock:
            if self._closed:
                listener.end()
            else:
                self._listeners = (*self._listeners, listener)
        return listener

    def tell(self, changes: Iterable[Change]) -> None:
        """Tell everybody; never waits."""
        changes = tuple(changes)
        for listener in self._listeners:
            listener.offer(changes)

    def forget(self, listener: Listener) -> None:
        """Tell a listener nothing more."""
        with self._lock:
            self._listeners = tuple(each for each in self._listeners if each is not listener)

    def close(self) -> None:
        """End every listener."""
        with self._lock:
            self._closed = True
            ended, self._listeners = self._listeners, ()
        for listener in ended:
            listener.end()
