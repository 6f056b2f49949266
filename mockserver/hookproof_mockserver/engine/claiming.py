"""Which deliveries of a subscription are due, and the flights that are made of them."""

from __future__ import annotations

import json
import math
import sqlite3
from dataclasses import dataclass
from typing import final

from hookproof_mockserver.engine.building import Builder, Due, Flight
from hookproof_mockserver.model import DeliveryState, Subscription
from hookproof_mockserver.store import deliveries, rows
from hookproof_mockserver.store.records import Standing
from hookproof_mockserver.store.rows import SUBSCRIPTION, Row, first
from hookproof_mockserver.store.schema import ATTEMPT_BITS
from hookproof_mockserver.store.writer import Transaction
from hookproof_spec.errors import HookproofError

NEVER = math.inf

_DUE = f"""
SELECT d.seq, d.id, d.state, d.next_at, e.webhook, e.body, d.tries, d.attempts, d.fault,
    d.resend_of, d.verbatim, a.nonce, d.held
FROM delivery d JOIN event e ON e.seq = d.event
LEFT JOIN attempt a ON a.id = (d.seq << {ATTEMPT_BITS} | d.attempts)
WHERE d.subscription = ? AND d.seq NOT IN (SELECT value FROM json_each(?)) AND d.state = """
_PENDING = _DUE + "0 ORDER BY d.seq LIMIT ?"
_WAITING = _DUE + "2 ORDER BY d.next_at LIMIT ?"


@final
@dataclass(frozen=True, slots=True)
class Claimed:
    """Flights of one subscription, and when to look at it again: 0 is as soon as there is room."""

    flights: tuple[Flight, ...]
    again_at: float


@final
@dataclass(frozen=True, slots=True)
class Loaded:
    """A subscription with its secrets, and whether it was removed."""

    subscription: Subscription
    removed: bool

    @property
    def served(self) -> bool:
        """Tell whether anything is sent to it."""
        return self.subscription.active and not self.subscription.disabled and not self.removed


def load(connection: sqlite3.Connection, seq: int, now: float) -> Loaded | None:
    """Return a subscription by its row id."""
    row = first(connection, f"SELECT {SUBSCRIPTION}, removed FROM subscription WHERE seq = ?", seq)
    if row is None:
        return None
    return Loaded(rows.subscription(row[:-1], secrets=True, now=now), bool(row[-1]))


@final
@dataclass(frozen=True, slots=True)
class Claims:
    """Claims what is due within one transaction."""

    transaction: Transaction
    builder: Builder
    now: float

    def of(self, seq: int, *, flying: frozenset[int], room: int) -> Claimed:
        """Claim what one subscription has due.

        Args:
            seq: its row id.
            flying: its deliveries that are on their way.
            room: how many more may set off.
        """
        loaded = load(self.transaction.connection, seq, self.now)
        if loaded is None or not loaded.served:
            return Claimed((), NEVER)
        subscription = loaded.subscription
        most = 1 if subscription.policy.ordered else subscription.policy.concurrency
        places = max(0, min(most - len(flying), room))
        found, again_at = self._due((seq, json.dumps(list(flying))), subscription, places)
        flights = [self._flight(row, seq, subscription) for row in found]
        return Claimed(tuple(flight for flight in flights if flight is not None), again_at)

    def _due(
        self, of: tuple[int, str], subscription: Subscription, places: int
    ) -> tuple[list[Row], float]:
        """Return what is due, the longest due first, and when there is more."""
        connection, limit = self.transaction.connection, places + 1
        waiting = connection.execute(_WAITING, (*of, limit + 1)).fetchall()  # one may be held
        blocked = subscription.policy.ordered and any(not row[12] for row in waiting)
        pending = [] if blocked else connection.execute(_PENDING, (*of, limit)).fetchall()
        ready = [row for row in waiting if row[3] <= self.now] + pending
        ready.sort(key=lambda row: (row[3], row[0]))
        later = min((row[3] for row in waiting if row[3] > self.now), default=NEVER)
        return ready[:places], 0.0 if len(ready) > places else later

    def _flight(self, row: Row, seq: int, subscription: Subscription) -> Flight | None:
        due = _due_of(row)
        connection = self.transaction.connection
        try:
            return self.builder.flight(connection, due, seq, subscription)
        except HookproofError as error:
            failed = Standing(DeliveryState.FAILED, None, f"gives up: {error}", self.now)
            deliveries.stand(self.transaction, due.seq, failed)
            return None


def _due_of(row: Row) -> Due:
    seq, id, state, _, webhook, body, tries, attempts, fault, resend_of, verbatim, nonce, held = row
    return Due(
        seq=seq,
        id=id,
        webhook=webhook,
        body=body,
        tries=tries,
        attempts=attempts,
        fault=rows.read_faults(fault)[0] if fault else None,
        resend_of=resend_of,
        verbatim=bool(verbatim),
        nonce=nonce,
        held=bool(held),
        state=rows.STATES[state],
    )
