"""Sends what rules ask for: counted, paced, and patient with a receiver that limits its rate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import final

from hookproof.targets.base import Exchange, Failure, Framing, Target
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Request

OWN_CONNECTION = Framing(fresh=True)
"""Each request has a connection of its own: a receiver with one thread may serve a kept one and
nothing else, and a replay must be free to reach another worker."""

PATIENCE = 30.0
"""How many seconds a run waits, in all, for a receiver that asks for patience."""
SHORTEST_PAUSE = 0.05


class Unreachable(HookproofError):
    """No connection to the receiver at the very first request."""


@final
@dataclass(slots=True)
class Courier:
    """Sends requests to one target. `sent` counts them; `rate` is at most that many a second."""

    target: Target
    rate: float | None = None
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sent: int = 0
    skew: float | None = None
    """The receiver's clock less ours in seconds, read from the last Date header (1 s coarse)."""
    _answered: bool = False
    _patience: float = PATIENCE
    _next: float = 0.0

    def send(self, request: Request, framing: Framing = OWN_CONNECTION) -> Exchange:
        """Send a request, again after a pause if the receiver asks for patience.

        Raises:
            Unreachable: nothing was ever answered and no connection can be made.
        """
        exchange = self._once(request, framing)
        while (pause := self._asked_pause(exchange)) is not None:
            self._patience -= pause
            self.sleep(pause)
            exchange = self._once(request, framing)
        return exchange

    def burst(self, requests: Sequence[Request]) -> list[Exchange]:
        """Send requests at the same moment, each on a connection of its own."""
        exchanges = self.target.send_all(requests, together=True)
        self.sent += len(requests)
        for exchange in exchanges:
            self._note(exchange)
        return exchanges

    def converse(self, requests: Sequence[Request]) -> list[Exchange]:
        """Send requests one after another on one connection, for as long as it stays open."""
        self._pace()
        exchanges = self.target.converse(requests)
        self.sent += len(exchanges)
        for exchange in exchanges:
            self._note(exchange)
        return exchanges

    def _once(self, request: Request, framing: Framing) -> Exchange:
        self._pace()
        exchange = self.target.send(request, framing)
        self.sent += 1
        self._note(exchange)
        return exchange

    def _pace(self) -> None:
        if self.rate is None:
            return
        pause = self._next - self.monotonic()
        if pause > 0:
            self.sleep(pause)
        self._next = max(self._next, self.monotonic()) + 1 / self.rate

    def _note(self, exchange: Exchange) -> None:
        if exchange.failure is Failure.UNREACHABLE and not self._answered:
            raise Unreachable(
                f"cannot reach the receiver: {exchange.detail}",
                where=self.target.url,
                hint="is it running, and is the address right?",
            )
        self._answered = True
        date = exchange.header("Date")
        if date is not None:
            self.skew = self._skew_of(date)

    def _skew_of(self, date: str) -> float | None:
        try:
            return parsedate_to_datetime(date).timestamp() - self.wall()
        except (ValueError, OverflowError):  # a receiver may say anything, numbers of 20 digits too
            return None

    def _asked_pause(self, exchange: Exchange) -> float | None:
        """Return how long to wait before trying again, or None to take the answer as it is."""
        if exchange.status not in (429, 503):
            return None
        asked = exchange.header("Retry-After")
        if exchange.status == 503 and asked is None:
            return None
        pause = float(asked) if asked is not None and asked.isdecimal() else 1.0
        pause = max(pause, SHORTEST_PAUSE)  # `Retry-After: 0` for ever would never use it up
        return pause if pause <= self._patience else None
