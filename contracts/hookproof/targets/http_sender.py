"""One request after another to one receiver, each exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import final

from hookproof.targets.base import PLAIN, Exchange, Failure, Framing
from hookproof.targets.http_connection import SOON, Connection
from hookproof.targets.http_flight import Begun, Flight, Limits, clock
from hookproof.targets.http_lines import Lines
from hookproof.targets.http_quick import send_quickly
from hookproof.targets.http_wire import Encoder, Wire
from hookproof_spec.request import Request


@final
@dataclass(frozen=True, slots=True)
class Sender:
    """How requests become exchanges: `timeout` in seconds in all, `limit` in bytes of a body."""

    lines: Lines
    encoder: Encoder
    timeout: float
    limit: int

    def new_limits(self) -> Limits:
        """Return the limits of an exchange that begins now."""
        return self._limits(clock())

    def send(self, request: Request, framing: Framing = PLAIN) -> Exchange:
        """Send one request, on a kept connection if that is wanted and there is one."""
        wire = self.encoder.encode(request, framing)
        if framing.fresh:
            self.lines.close()  # a receiver with one thread may be busy with a kept connection
        elif (kept := self.lines.kept()) is not None:
            exchange = self._send_on(kept, request, wire)
            if exchange is not None:
                return exchange
        return self._send_anew(request, wire, self.new_limits(), keep=not framing.fresh)

    def converse(self, requests: Iterable[Request]) -> list[Exchange]:
        """Send requests on one connection for as long as the receiver keeps it open."""
        self.lines.close()
        exchanges: list[Exchange] = []
        connection: Connection | None = None
        try:
            for request in requests:
                wire, limits = self.encoder.encode(request), self.new_limits()
                if connection is None:
                    connection = self.lines.open(limits.deadline)
                elif not connection.is_quiet():
                    break
                flight = fly(Flight(request, wire, connection, limits))
                connection.reused = True
                if not flight.unseen:
                    exchanges.append(flight.exchange())
                if not flight.stays_open:
                    break
        except OSError as error:
            exchanges.append(unreachable(request, error))
        finally:
            if connection is not None:
                connection.close()
        return exchanges

    def _send_on(self, kept: Connection, request: Request, wire: Wire) -> Exchange | None:
        """Send on a kept connection; None where it turned out to be closed, and nothing left."""
        quick = self.timeout > SOON
        try:
            begun = send_quickly(kept, request, wire, self.limit) if quick else Begun(clock(), 0)
        except BaseException:
            kept.close()
            raise
        if isinstance(begun, Exchange):
            self.lines.keep(kept)
            return begun
        flight = Flight(request, wire, kept, self._limits(begun.first_byte))
        fly(flight, partial(flight.take_over, begun))
        self.lines.put_away(flight)
        return None if flight.unseen else flight.exchange()

    def _limits(self, begun: float) -> Limits:
        return Limits(self.limit, begun, begun + self.timeout)

    def _send_anew(self, request: Request, wire: Wire, limits: Limits, *, keep: bool) -> Exchange:
        try:
            connection = self.lines.open(limits.deadline)
        except OSError as error:
            return unreachable(request, error)
        flight = fly(Flight(request, wire, connection, limits))
        self.lines.put_away(flight, keep=keep)
        return flight.exchange()


def fly(flight: Flight, begin: Callable[[], None] | None = None) -> Flight:
    """Wait until a flight has landed, and return it: what `Loop` does, for one alone."""
    connection = flight.connection
    try:
        (begin or flight.begin)()
        while not flight.landed:
            events = connection.await_events(flight.events, flight.due - clock())
            if events:
                flight.advance(events)
            elif flight.due <= clock():
                flight.ring()
    except BaseException:
        connection.close()
        raise
    return flight


def unreachable(request: Request, error: OSError) -> Exchange:
    """Return the exchange of a request for which there is no connection."""
    detail = error.strerror or str(error)
    return Exchange(request=request, failure=Failure.UNREACHABLE, detail=detail)
