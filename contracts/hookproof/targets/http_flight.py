"""One request on its way over one connection, and the loop that waits for many of them.

`select.poll` and not `selectors`: it needs no file of its own, and costs a third for one exchange.
"""

from __future__ import annotations

import math
import select
import time
from dataclasses import dataclass
from typing import NamedTuple, Self, final

from hookproof.targets.base import Exchange, Failure
from hookproof.targets.http_answer import AnswerReader
from hookproof.targets.http_connection import CHUNK, Connection
from hookproof.targets.http_wire import Wire
from hookproof_spec.request import Request

clock = time.perf_counter


@final
@dataclass(frozen=True, slots=True)
class Limits:
    """How much an exchange may take: the answer's `body` in bytes, times in seconds of `clock`."""

    body: int
    begun: float
    deadline: float

    @property
    def seconds(self) -> float:
        """How long an exchange may take in all."""
        return self.deadline - self.begun


@final
class Begun(NamedTuple):
    """How far an exchange has come: when its first byte left, and how many did in all.

    `arrived` is what was read, b"" for the end, an error for a broken connection, None for nothing.
    """

    first_byte: float
    sent: int
    arrived: bytes | OSError | None = None


@final
class Flight:
    """An exchange being made. `due` is when it wants to be called although nothing has arrived.

    `unseen` tells that a kept connection turned out to be closed before a byte of the request was
    accepted, so that sending it on another connection repeats nothing.
    """

    __slots__ = (
        "_deadline",
        "_failure",
        "_first_byte",
        "_limits",
        "_out",
        "_reader",
        "_seconds",
        "_sent",
        "_waiting",
        "_wire",
        "connection",
        "due",
        "events",
        "landed",
        "request",
        "unseen",
    )

    def __init__(
        self, request: Request, wire: Wire, connection: Connection, limits: Limits
    ) -> None:
        self.request = request
        self.connection = connection
        self.due = limits.deadline
        self.events = select.POLLIN
        self.landed = False
        self.unseen = False
        self._wire = wire
        self._deadline = limits.deadline
        self._limits = limits
        self._reader = AnswerReader(limit=limits.body, bodiless=wire.bodiless)
        self._out = _offered(wire.parts[0])
        self._waiting = wire.parts[1:]
        self._sent = 0
        self._first_byte = 0.0
        self._seconds = 0.0
        self._failure: tuple[Failure, str] | None = None

    @property
    def poised(self) -> bool:
        """Tell whether everything has left but what waits, for its time or for `release`."""
        return bool(self._waiting) and not self._out

    @property
    def answered(self) -> bool:
        """Tell whether it landed with an answer."""
        return self.landed and self._failure is None

    @property
    def stays_open(self) -> bool:
        """Tell whether the receiver waits for another request on this connection."""
        whole = not self._out and not self._waiting
        return whole and self.answered and self._reader.stays_open

    @property
    def reusable(self) -> bool:
        """Tell whether another request can follow, and both sides agree where it begins."""
        return self._wire.plain and self.stays_open

    def begin(self) -> None:
        """Do what can be done without waiting."""
        if self.connection.established:
            self._write()
        else:
            self._establish()

    def take_over(self, begun: Begun) -> None:
        """Go on with what has been begun."""
        self._first_byte, self._sent = begun.first_byte, begun.sent
        self._out = self._out[begun.sent :]
        if self._out:
            self._write()
        if begun.arrived is not None:
            self._read(begun.arrived)

    def advance(self, events: int) -> None:
        """Go on after a poll has told of events."""
        if not self.connection.established:
            self._establish()
            return
        if events & ~select.POLLOUT:
            self._read()
        if events & select.POLLOUT and not self.landed:
            self._write()

    def ring(self) -> None:
        """Go on because `due` has come: with the next part, or to the end."""
        if self.poised and self.due < self._deadline:
            self._out, self._waiting = _offered(self._waiting[0]), self._waiting[1:]
            self.due = self._deadline
            self._write()
        else:
            self._expire()

    def prepare(self, now: float) -> None:
        """Be ready to send everything that waits; the exchange counts from now."""
        if self.landed:
            return
        self._out, self._waiting = b"".join((self._out, *self._waiting)), ()
        self._first_byte = now
        self.due = self._deadline = now + self._limits.seconds

    def release(self) -> None:
        """Send what is ready."""
        if self.connection.established and not self.landed:
            self._write()

    def exchange(self) -> Exchange:
        """Return what came of it."""
        if self._failure is not None:
            failure, detail = self._failure
            return Exchange(
                request=self.request, failure=failure, detail=detail, seconds=self._seconds
            )
        return Exchange(
            request=self.request,
            status=self._reader.status,
            headers=self._reader.headers,
            body=self._reader.body,
            cut=self._reader.cut,
            seconds=self._seconds,
        )

    def _establish(self) -> None:
        try:
            self.events = self.connection.establish()
        except OSError as error:
            self._fail(Failure.UNREACHABLE, error.strerror or str(error))
            return
        if self.connection.established:
            self._write()

    def _write(self) -> None:
        if not self._sent:
            self._first_byte = clock()
        try:
            while self._out and (count := self.connection.write(self._out[:CHUNK])):
                self._out = self._out[count:]
                self._sent += count
        except OSError:
            self._give_up_writing()
            return
        self.events = select.POLLIN | select.POLLOUT if self._out else select.POLLIN
        if self.poised:
            self.due = min(clock() + self._wire.pause, self._deadline)

    def _give_up_writing(self) -> None:
        """An answer may have come before the connection broke, so go on reading."""
        self.events = select.POLLIN
        if self.connection.reused and not self._sent:
            self.unseen = True
            self._fail(Failure.CLOSED, "the kept connection was closed")

    def _read(self, arrived: bytes | OSError | None = None) -> None:
        try:
            if isinstance(arrived, OSError):
                raise arrived
            data = self.connection.read() if arrived is None else arrived
            while data and not self._take(data) and self.connection.expects_more():
                data = self.connection.read()
        except OSError as error:
            data = b""
            self._reader.end(f"broken ({error.strerror or error})")
        if data == b"":
            self._reader.end()
        if self._reader.done:
            self._land()

    def _take(self, data: bytes) -> bool:
        self._reader.feed(data)
        return self._reader.done

    def _land(self) -> None:
        if self._reader.failure is None:
            self._seconds = clock() - self._first_byte
            self.landed = True
        else:
            self._fail(self._reader.failure, self._reader.detail)

    def _expire(self) -> None:
        within = f"within {self._limits.seconds:.3g} s"
        if self.connection.established:
            progress = self._reader.progress()
            self._fail(Failure.TIMEOUT, f"no whole answer {within}: {progress}")
        else:
            self._fail(Failure.UNREACHABLE, f"no connection {within}")

    def _fail(self, failure: Failure, detail: str) -> None:
        unsent = self._sent and self._sent < self._wire.size
        progress = f"; {self._sent} of {self._wire.size} bytes had been sent" if unsent else ""
        self._failure = failure, f"{detail}{progress}"
        self._seconds = clock() - self._first_byte if self._first_byte else 0.0
        self.landed = True


def _offered(part: bytes) -> bytes | memoryview:
    """Return a part as it is offered to a connection: a long one is not copied at each write."""
    return part if len(part) <= CHUNK else memoryview(part)


@final
class Loop:
    """Waits for all flights that are in the air. Leaving it closes what nobody has taken over."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._flights: dict[int, Flight] = {}
        self._landed: list[Flight] = []
        self._due = math.inf
        """No flight is due before; looked up anew only when it has come."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for flight in (*self._flights.values(), *self._landed):
            flight.connection.close()

    def __len__(self) -> int:
        return len(self._flights) + len(self._landed)

    def launch(self, flight: Flight) -> None:
        """Begin an exchange."""
        flight.begin()
        if flight.landed:
            self._landed.append(flight)
        else:
            number = flight.connection.fileno()
            self._flights[number] = flight
            self._due = min(self._due, flight.due)
            self._poll.register(number, flight.events)

    def step(self, until: float = math.inf) -> list[Flight]:
        """Wait until something happens or a time comes, and return what has landed, if anything."""
        if not self._landed:
            self._wait(until)
        landed, self._landed = self._landed, []
        return landed

    def run(self) -> list[Flight]:
        """Wait until every flight has landed, and return them in that order."""
        landed: list[Flight] = []
        while len(self):
            landed += self.step()
        return landed

    def release(self) -> None:
        """Let everything go that waits, in one go: between two of them is as little as can be."""
        flights = list(self._flights.items())
        now = clock()
        for _, flight in flights:
            flight.prepare(now)
        for _, flight in flights:
            flight.release()
        for number, flight in flights:
            self._settle(number, flight, 0)

    def _wait(self, until: float) -> None:
        due = min(until, self._due)
        pause = None if due == math.inf else max(0.0, due - clock()) * 1000
        for number, events in self._poll.poll(pause):
            flight = self._flights[number]
            before = flight.events
            flight.advance(events)
            self._settle(number, flight, before)
        if self._due <= clock():
            self._ring()

    def _ring(self) -> None:
        now = clock()
        for number, flight in list(self._flights.items()):
            if flight.due <= now:
                before = flight.events
                flight.ring()
                self._settle(number, flight, before)
        self._due = min((flight.due for flight in self._flights.values()), default=math.inf)

    def _settle(self, number: int, flight: Flight, before: int) -> None:
        if flight.landed:
            del self._flights[number]
            self._poll.unregister(number)
            self._landed.append(flight)
            return
        self._due = min(self._due, flight.due)
        if flight.events != before:
            self._poll.modify(number, flight.events)
