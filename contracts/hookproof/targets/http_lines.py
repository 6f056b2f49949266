"""The connections to one receiver: where they lead, and those kept for another request."""

from __future__ import annotations

import errno
import select
from collections.abc import Callable
from typing import final

from hookproof.targets.http_address import Address
from hookproof.targets.http_connection import Connection, Route, look_up
from hookproof.targets.http_flight import Flight, clock

IDLE_SECONDS = 1.0
"""How long a kept connection is trusted; many servers close theirs after two."""
KEPT_CONNECTIONS = 32
"""How many are kept at most."""

Dial = Callable[[Route], Connection]


@final
class Lines:
    """Opens connections with `dial`, and keeps those that are fit for another request."""

    def __init__(self, address: Address, dial: Dial) -> None:
        self.dial = dial
        self._address = address
        self._routes: tuple[Route, ...] = ()
        self._kept: list[Connection] = []

    def open(self, deadline: float) -> Connection:
        """Return a new connection, whose opening the caller goes on with.

        Raises:
            OSError: the name is unknown, or none of its several addresses takes connections.
        """
        routes = self._routes or look_up(self._address, max(0.0, deadline - clock()))
        if len(routes) > 1:
            return self._open_any(routes, deadline)
        self._routes = routes
        return self.dial(routes[0])

    def _open_any(self, routes: tuple[Route, ...], deadline: float) -> Connection:
        """Try the addresses one after another, and stay with the first that works."""
        failure = OSError("no address")
        for left, route in zip(range(len(routes), 0, -1), routes, strict=True):
            connection = self.dial(route)
            try:
                _wait_until_open(connection, clock() + (deadline - clock()) / left)
            except OSError as error:
                failure = error
                connection.close()
            else:
                self._routes = (route,)
                return connection
        raise failure

    def kept(self) -> Connection | None:
        """Take a kept connection that is still open, if there is one."""
        oldest = clock() - IDLE_SECONDS
        while self._kept:
            connection = self._kept.pop()
            if connection.kept_since > oldest and connection.is_quiet():
                connection.reused = True
                return connection
            connection.close()
        return None

    def put_away(self, flight: Flight, *, keep: bool = True) -> None:
        """Keep a landed flight's connection for another request, or close it."""
        connection = flight.connection
        if keep and flight.reusable and len(self._kept) < KEPT_CONNECTIONS:
            self.keep(connection)
            return
        connection.close()
        if not connection.established:
            self._routes = ()  # nobody answers where the host was: look it up again next time

    def keep(self, connection: Connection) -> None:
        """Keep an open connection for another request."""
        connection.kept_since = clock()
        self._kept.append(connection)

    def close(self) -> None:
        """Close the kept connections."""
        while self._kept:
            self._kept.pop().close()


def _wait_until_open(connection: Connection, deadline: float) -> None:
    poll = select.poll()
    while events := connection.establish():
        poll.register(connection.fileno(), events)
        if not poll.poll(max(0.0, deadline - clock()) * 1000):
            raise TimeoutError(errno.ETIMEDOUT, "no connection in time")
