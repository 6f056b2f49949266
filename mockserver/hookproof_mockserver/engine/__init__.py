"""The engine: takes what is due, records it, sends it, records what came back, and what follows.

One thread decides; it writes the results that have come in and the next claims in one commit.
Others send, made as they are needed. What waits, for its time or for room, holds no thread.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import final

from hookproof_mockserver.engine.building import Builder, Flight
from hookproof_mockserver.engine.claiming import NEVER, Claims
from hookproof_mockserver.engine.context import Context
from hookproof_mockserver.engine.flying import Pilot
from hookproof_mockserver.engine.landing import Landed, Landings
from hookproof_mockserver.engine.underway import Underway
from hookproof_mockserver.sender_errors import Closed
from hookproof_mockserver.store import deliveries
from hookproof_mockserver.store.writer import Transaction

_BATCH = 100
_GLANCE = 1.0
"""The clock is looked at again after so many real seconds, because a test may move it."""

_GATHERING = 0.002
"""For so many seconds results wait for those of others that are on their way."""

_KEPT_FREE = 4
"""One in so many workers is kept for subscriptions that have nothing on their way."""


@final
class Engine:
    """Sends what the store has due, until it is closed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._builder = Builder(context)
        self._pilot = Pilot(context)
        self._condition = threading.Condition()
        self._due: dict[int, float] = {}
        self._landed: list[Landed] = []
        self._busy = False
        self._closing = False
        self._pool = ThreadPoolExecutor(context.workers, thread_name_prefix="hookproof sender")
        context.store.woken = self.wake
        self.wake(_subscriptions(context))
        self._thread = threading.Thread(target=self._work, name="hookproof engine", daemon=True)
        self._thread.start()

    def wake(self, subscriptions: set[int]) -> None:
        """Look at subscriptions, by row id, as soon as there is room."""
        with self._condition:
            self._due.update(dict.fromkeys(subscriptions, 0.0))
            self._condition.notify_all()

    def idle(self, timeout: float) -> bool:
        """Wait until nothing is due or on its way; tell whether that came within `timeout` s."""
        ends = time.monotonic() + timeout
        with self._condition:
            while not self._at_rest():
                left = ends - time.monotonic()
                if left <= 0 or self._closing:
                    return False
                self._condition.wait(min(left, _GLANCE))
            return True

    def close(self) -> None:
        """Claim nothing more, wait for what is on its way, and write what comes of it."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join()
        self._pool.shutdown()

    def _at_rest(self) -> bool:
        if self._busy or self._landed or self._context.underway:
            return False
        return self._next_due() > self._context.clock()

    def _next_due(self) -> float:
        return min(self._due.values(), default=NEVER)

    def _has_room(self) -> bool:
        """Tell whether more may set off, once what has landed is written."""
        flying = len(self._context.underway) - len(self._landed)
        return not self._closing and flying < self._context.workers

    def _work(self) -> None:
        while self._wait_for_work():
            try:
                self._turn()
            except Closed:
                return
            except Exception as error:  # such as a full disk; nobody else would hear of it
                self._context.on_error(error)
                if self._closing:
                    return
                time.sleep(_GLANCE)  # what has landed is written later

    def _wait_for_work(self) -> bool:
        """Wait until something has landed or is due; False when everything is over."""
        with self._condition:
            self._busy = False
            self._condition.notify_all()
            while True:
                if self._closing and not self._context.underway and not self._landed:
                    return False
                wait = self._next_due() - self._context.clock() if self._has_room() else NEVER
                if self._landed or wait <= 0:
                    self._busy = True
                    self._gather()
                    return True
                self._condition.wait(None if wait == NEVER else min(wait, _GLANCE))

    def _gather(self) -> None:
        """Give what is about to land a moment, so that one commit takes it along."""
        ends = time.monotonic() + _GATHERING
        while self._landed and len(self._landed) < min(_BATCH, len(self._context.underway)):
            left = ends - time.monotonic()
            if left <= 0:
                return
            self._condition.wait(left)

    def _turn(self) -> None:
        """Write what has landed and claim what is due, in one commit; then send."""
        with self._condition:
            landed, now = self._landed[:], self._context.clock()
            for each in landed:
                self._due[each.flight.subscription] = 0.0
            due = self._due.items() if self._has_room() else ()
            ready = [seq for seq, at in due if at <= now]
            for seq in ready:
                del self._due[seq]
            flying = self._context.underway.after([each.flight for each in landed])
        try:
            flights, again = self._context.store.write(
                lambda transaction: self._written(transaction, landed, ready, flying)
            )
        except Exception:
            self.wake(set(ready))
            raise
        with self._condition:
            del self._landed[: len(landed)]
            self._context.underway = flying.after((), flights)
            for seq, at in again.items():
                self._due[seq] = min(at, self._due.get(seq, NEVER))
        for each in landed:
            self._pilot.tell_after(each)
        for flight in flights:
            self._pool.submit(self._fly, flight)

    def _written(
        self,
        transaction: Transaction,
        landed: list[Landed],
        ready: list[int],
        flying: Underway,
    ) -> tuple[list[Flight], dict[int, float]]:
        now = self._context.clock()
        Landings(self._context, transaction, now).write(landed)
        claims = Claims(transaction, self._builder, now)
        flights: list[Flight] = []
        again: dict[int, float] = {}
        for seq in ready:
            own = flying.of(seq)
            room = self._room_for(len(own), len(flying) + len(flights))
            claimed = claims.of(seq, flying=own, room=min(room, _BATCH - len(flights)))
            flights += claimed.flights
            if claimed.again_at or not (own or claimed.flights):
                again[seq] = claimed.again_at
        deliveries.record(transaction, [each for flight in flights for each in flight.requests])
        deliveries.depart(transaction, [each.departure for each in flights if each.requests])
        return flights, again

    def _room_for(self, own: int, all_flying: int) -> int:
        """Return how many more of a subscription may set off, with so many on their way."""
        workers = self._context.workers
        free = workers - all_flying
        return max(free - workers // _KEPT_FREE, 0 if own else min(free, 1))

    def _fly(self, flight: Flight) -> None:
        landed = self._pilot.fly(flight)
        with self._condition:
            self._landed.append(landed)
            self._condition.notify_all()


def _subscriptions(context: Context) -> set[int]:
    with context.store.reading() as connection:
        return {row[0] for row in connection.execute("SELECT seq FROM subscription")}
