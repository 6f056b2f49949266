"""Pages of events and deliveries, newest first.

A page is continued after the last item it showed, whatever has come since; each question walks an
index from there and stops when the page is full.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import final

from hookproof_mockserver.model import Delivery, DeliveryState, Event, Page
from hookproof_mockserver.sender_errors import Invalid
from hookproof_mockserver.store import rows
from hookproof_mockserver.store.rows import CODES, DELIVERY, EVENT, SENDING, Row, first

LOOKED_INTO = 20_000
"""How many deliveries one page looks into for a text."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which deliveries: all that fit everything given. `text` is looked for in ids, URLs, names
    and failures. `failed_since` keeps those that failed at that time or later, `since` and `until`
    those that were made between these times; all in Unix seconds. `served` keeps those whose
    subscription is active.
    """

    state: DeliveryState | None = None
    subscription: str | None = None
    event: str | None = None
    failed_since: float | None = None
    served: bool = False
    since: float | None = None
    until: float | None = None
    text: str | None = None


def events(
    connection: sqlite3.Connection, after: str | None, limit: int, webhook: str | None
) -> Page[Event]:
    """Return a page of events.

    Raises:
        Invalid: there is no event `after`.
    """
    which, values = _beginning(connection, "event", after)
    if webhook is not None:
        which, values = f"{which} AND webhook = ?", (*values, webhook)
    found = connection.execute(
        f"SELECT {EVENT} FROM event e WHERE {which} ORDER BY seq DESC LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    items = tuple(map(rows.event, found[:limit]))
    return Page(items, items[-1].id if len(found) > limit else None)


def deliveries(
    connection: sqlite3.Connection,
    after: str | None,
    limit: int,
    which: Filter,
    flying: Collection[int] = (),
) -> Page[Delivery]:
    """Return a page of deliveries.

    `flying` are row ids of those that may be on their way: others are not looked at for that state.
    A text is looked for in so many deliveries at a time as can be read quickly: a page may then
    hold fewer than asked for, none even, and still be continued.

    Raises:
        Invalid: there is no delivery `after`.
    """
    begin, values = _beginning(connection, "delivery", after)
    asked: list[Condition] = [("d." + begin, *values), *_conditions(which, flying)]
    lowest = _lowest(connection, values) if which.text else 0
    if lowest:
        asked.append(("d.seq >= ?", lowest))
    found = _walked(connection, which, asked, limit + 1)
    items = tuple(map(rows.delivery, found[:limit]))
    if len(found) > limit:
        return Page(items, items[-1].id)
    return Page(items, _id_of(connection, lowest) if lowest else None)


def _lowest(connection: sqlite3.Connection, below: tuple[object, ...]) -> int:
    """Return the row id of the last delivery that one page looks into, 0 where that is the end."""
    which = "WHERE seq < ?" if below else ""
    row = first(
        connection,
        f"SELECT seq FROM delivery {which} ORDER BY seq DESC LIMIT 1 OFFSET {LOOKED_INTO - 1}",
        *below,
    )
    return 0 if row is None else row[0]


def _id_of(connection: sqlite3.Connection, seq: int) -> str:
    return str(connection.execute("SELECT id FROM delivery WHERE seq = ?", (seq,)).fetchone()[0])


def _beginning(
    connection: sqlite3.Connection, table: str, after: str | None
) -> tuple[str, tuple[object, ...]]:
    if after is None:
        return "seq > 0", ()
    row = first(connection, f"SELECT seq FROM {table} WHERE id = ?", after)
    if row is None:
        raise Invalid("/after", f"no {table} {after!r} to continue after")
    return "seq < ?", (row[0],)


Condition = tuple[object, ...]
"""A piece of SQL and its values."""


def _conditions(which: Filter, flying: Collection[int]) -> Iterator[Condition]:
    if which.state is DeliveryState.SENDING:
        yield "d.seq IN (SELECT value FROM json_each(?))", json.dumps(list(flying))
        yield (SENDING,)
    elif which.state in (DeliveryState.PENDING, DeliveryState.WAITING):
        yield (f"NOT {SENDING}",)
    if which.subscription is not None:
        yield "s.id = ?", which.subscription
    if which.event is not None:
        yield "d.event = (SELECT seq FROM event WHERE id = ?)", which.event
    if which.failed_since is not None:
        yield f"d.state = {CODES[DeliveryState.FAILED]} AND d.ended >= ?", which.failed_since
    if which.served:
        yield ("s.active AND s.disabled = '' AND NOT s.removed",)
    if which.since is not None:
        yield "d.created >= ?", which.since
    if which.until is not None:
        yield "d.created <= ?", which.until
    if which.text:
        columns = ("d.id", "e.id", "s.id", "s.url", "e.webhook", "d.failure", "d.status")
        parts = " OR ".join(f"instr(lower(coalesce({column}, '')), ?)" for column in columns)
        yield f"({parts})", *([which.text.lower()] * len(columns))


def _walked(
    connection: sqlite3.Connection, which: Filter, asked: list[Condition], limit: int
) -> list[Row]:
    """Ask once for each state of each subscription that is wanted, for so its index lies."""
    if which.state is DeliveryState.SENDING or (which.subscription, which.state) == (None, None):
        return _selected(connection, asked, limit)
    one = "" if which.subscription is None else " WHERE id = ?"
    ids = () if which.subscription is None else (which.subscription,)
    subscriptions = connection.execute(f"SELECT seq FROM subscription{one}", ids).fetchall()
    states = CODES.values() if which.state is None else (CODES[which.state],)
    found = [
        row
        for (seq,) in subscriptions
        for state in states
        for row in _selected(connection, [*asked, (_OF, seq, state)], limit)
    ]
    return sorted(found, key=lambda row: row[0], reverse=True)[:limit]


_OF = "d.subscription = ? AND d.state = ?"


def _selected(connection: sqlite3.Connection, asked: list[Condition], limit: int) -> list[Row]:
    where = " AND ".join(str(condition[0]) for condition in asked)
    values = [value for condition in asked for value in condition[1:]]
    return connection.execute(
        f"{DELIVERY} WHERE {where} ORDER BY d.seq DESC LIMIT ?", (*values, limit)
    ).fetchall()
