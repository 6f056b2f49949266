"""Changes as server-sent events, for as long as somebody listens.

Each stream has its own bounded queue in the hub, so a slow reader costs nobody anything. A reader
that has gone is noticed at the next write; the heartbeat makes sure that there is one.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, final

from hookproof_mockserver.moments import moment
from hookproof_mockserver.problems import Kind, Refusal, Refused

if TYPE_CHECKING:
    from hookproof_mockserver.hub import Change, Hub, Listener

_OPENING = b"retry: 1000\n\n"
_HEARTBEAT = b": here\n\n"
_MISSED = b"event: missed\ndata: {}\n\n"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many streams there may be at once, the seconds between signs of life, and how long a
    stream may last; None means for ever (a browser comes back by itself when one ends).
    """

    most: int = 100
    heartbeat: float = 1.0
    longest: float | None = None


@final
class Streams:
    """All open streams of one application."""

    def __init__(self, hub: Hub, limits: Limits) -> None:
        self._hub = hub
        self._limits = limits
        self._lock = threading.Lock()
        self._open: set[Stream] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._open)

    def open(self) -> Stream:
        """Return a new stream; whoever iterates it closes it.

        Raises:
            Refused: there are too many, or the application is closing.
        """
        with self._lock:
            if self._closed or len(self._open) >= self._limits.most:
                raise _busy(self._limits.most)
            stream = Stream(self, self._hub.listen(), self._limits)
            self._open.add(stream)
            return stream

    def forget(self, stream: Stream) -> None:
        """Count a stream no more."""
        with self._lock:
            self._open.discard(stream)

    def close(self) -> None:
        """End all streams, and open none from now on."""
        with self._lock:
            self._closed = True
            ending = list(self._open)
        for stream in ending:
            stream.end()


def _busy(most: int) -> Refused:
    return Refused(
        Refusal(
            kind=Kind.BUSY,
            detail=f"no more than {most} streams can be open at once",
            hint="close one, or try again later",
            headers={"Retry-After": "5"},
        )
    )


@final
class Stream:
    """The bytes of one stream of server-sent events; a WSGI server closes it when it is done."""

    def __init__(self, streams: Streams, listener: Listener, limits: Limits) -> None:
        self._streams = streams
        self._listener = listener
        self._heartbeat = limits.heartbeat
        self._parts = self._make(limits)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._parts)

    def _make(self, limits: Limits) -> Iterator[bytes]:
        ends = None if limits.longest is None else time.monotonic() + limits.longest
        told = missed = 0
        yield _OPENING
        while not self._listener.closed and (ends is None or time.monotonic() < ends):
            found = self._listener.get(self._heartbeat)
            if self._listener.missed > missed:
                missed = self._listener.missed
                yield _MISSED
            told += found is not None
            yield _HEARTBEAT if found is None else written(found, told)

    def end(self) -> None:
        """Have the stream end at once, from any thread."""
        self._listener.close()

    def close(self) -> None:
        """Give up what the stream holds."""
        self._listener.close()
        self._streams.forget(self)


def written(found: Change, number: int) -> bytes:
    """Write a change as one server-sent event."""
    members = {"kind": found.kind, "id": found.id, "at": moment(found.at)}
    data = json.dumps(members, separators=(",", ":"))
    return f"id: {number}\nevent: {found.kind}\ndata: {data}\n\n".encode()
