"""Events, as rows, and the deliveries that each brings about."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import final

from hookproof_mockserver.model import Event, Fault
from hookproof_mockserver.sender_errors import NotFound
from hookproof_mockserver.store import deliveries, rows
from hookproof_mockserver.store.records import New
from hookproof_mockserver.store.rows import EVENT, first
from hookproof_mockserver.store.writer import Transaction


@final
@dataclass(frozen=True, slots=True)
class Idempotency:
    """A key that its owner gives once for each event, and a digest of what was asked with it."""

    key: str
    asked: bytes


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """An event that is to be, with the faults asked for it and ids for its deliveries."""

    event: Event
    faults: tuple[Fault, ...] = ()
    idempotency: Idempotency | None = None


def add(transaction: Transaction, birth: Birth, ids: deliveries.Ids) -> None:
    """Add an event, and a delivery to each active subscription of its webhook.

    With several faults there is a delivery for each of them.
    """
    event, connection = birth.event, transaction.connection
    same = birth.idempotency
    seq = connection.execute(
        "INSERT INTO event (id, webhook, body, source, created, valid, key, asked)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            event.id,
            event.webhook,
            event.body,
            event.source.value,
            event.created,
            event.valid,
            same.key if same else None,
            same.asked if same else None,
        ),
    ).lastrowid
    transaction.tell("event", event.id)
    for subscription, own in connection.execute(
        "SELECT seq, faults FROM subscription"
        " WHERE event = ? AND active AND disabled = '' AND NOT removed ORDER BY seq",
        (event.webhook,),
    ).fetchall():
        for fault in birth.faults or rows.read_faults(own) or (None,):
            deliveries.add(
                transaction,
                New(
                    id=ids(),
                    event=int(seq or 0),
                    subscription=subscription,
                    created=event.created,
                    fault=fault,
                ),
            )


def of_key(connection: sqlite3.Connection, key: str) -> tuple[Event, bytes] | None:
    """Return the event that was made with an idempotency key, and what was asked."""
    row = first(connection, f"SELECT {EVENT}, asked FROM event WHERE key = ?", key)
    if row is None:
        return None
    asked = row[-1]
    return rows.event(row[:-1]), asked if isinstance(asked, bytes) else b""


def found(connection: sqlite3.Connection, id: str) -> Event:
    """Return an event.

    Raises:
        NotFound: there is none of that id.
    """
    row = first(connection, f"SELECT {EVENT} FROM event WHERE id = ?", id)
    if row is None:
        raise NotFound("event", id, _neighbours(connection, id))
    return rows.event(row)


def _neighbours(connection: sqlite3.Connection, id: str) -> list[str]:
    """Return the ids beside a mistyped one: ids begin with their time, so the nearest lie there."""
    return deliveries.neighbours(connection, "event", id)
