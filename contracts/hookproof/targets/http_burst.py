"""Many requests at once, in one thread: as fast as they go, or all at the same moment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from typing import final

from hookproof.targets.base import Exchange
from hookproof.targets.http_flight import Flight, Loop, clock
from hookproof.targets.http_sender import Sender, unreachable
from hookproof_spec.request import Request

WIDTH = 32
"""How many connections a burst uses at the same time."""
GATHERING_SECONDS = 2.0
"""How long the first waits for the last, at most: a receiver may take few connections at once."""
SETTLING_SECONDS = 0.02
"""A rest before the signal, in which the receiver gets to the point where it waits for it."""


def send_fast(sender: Sender, requests: Sequence[Request]) -> list[Exchange]:
    """Send requests over up to `WIDTH` connections, kept ones if there are, each exactly once."""
    return _Fast(sender, requests).run()


@final
class _Fast:
    """The state of one fast burst; a place is the index of a request."""

    def __init__(self, sender: Sender, requests: Sequence[Request]) -> None:
        self._sender = sender
        self._requests = requests
        self._waiting = iter(range(len(requests)))
        self._places: dict[Flight, int] = {}
        self._exchanges: dict[int, Exchange] = {}

    def run(self) -> list[Exchange]:
        with Loop() as loop:
            for place in islice(self._waiting, WIDTH):
                self._launch(loop, place)
            while len(loop):
                for flight in loop.step():
                    self._land(loop, flight)
        return [self._exchanges[place] for place in range(len(self._requests))]

    def _land(self, loop: Loop, flight: Flight) -> None:
        place = self._places.pop(flight)
        self._sender.lines.put_away(flight)
        if flight.unseen:
            self._launch(loop, place)
            return
        self._exchanges[place] = flight.exchange()
        following = next(self._waiting, None)
        if following is not None:
            self._launch(loop, following)

    def _launch(self, loop: Loop, place: int) -> None:
        request = self._requests[place]
        wire = self._sender.encoder.encode(request)
        limits = self._sender.new_limits()
        lines = self._sender.lines
        try:
            connection = lines.kept() or lines.open(limits.deadline)
        except OSError as error:
            self._give_up(place, error)
            return
        flight = Flight(request, wire, connection, limits)
        self._places[flight] = place
        loop.launch(flight)

    def _give_up(self, place: int, error: OSError) -> None:
        """The host cannot be reached at all, so trying it for each request would only take time."""
        for lost in (place, *self._waiting):
            self._exchanges[lost] = unreachable(self._requests[lost], error)


def send_together(sender: Sender, requests: Sequence[Request]) -> list[Exchange]:
    """Send all but the last byte of each request, wait until all are there, then the last bytes.

    An exchange's `seconds` and deadline count from that moment. A request that could not get so
    far in time follows when it can.
    """
    sender.lines.close()
    wires = [sender.encoder.encode(request).held_back() for request in requests]
    with Loop() as loop:
        flights: list[Flight] = []
        try:
            for request, wire in zip(requests, wires, strict=True):
                limits = sender.new_limits()
                flights.append(Flight(request, wire, sender.lines.open(limits.deadline), limits))
                loop.launch(flights[-1])
        except OSError as error:
            return [unreachable(request, error) for request in requests]
        _gather(loop, flights, clock() + min(GATHERING_SECONDS, sender.timeout / 2))
        loop.release()
        while len(loop):
            for flight in loop.step():  # at once: a worker may wait for its end before the next
                sender.lines.put_away(flight, keep=False)
    for flight in flights:
        sender.lines.put_away(flight, keep=False)
    return [flight.exchange() for flight in flights]


def _gather(loop: Loop, flights: Sequence[Flight], until: float) -> None:
    while clock() < until and not all(flight.poised or flight.landed for flight in flights):
        loop.step(until)
    time.sleep(SETTLING_SECONDS)
