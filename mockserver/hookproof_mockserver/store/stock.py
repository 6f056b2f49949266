"""Parts and their quantities, as rows."""

from __future__ import annotations

import sqlite3

from hookproof_mockserver.model import Location, Part
from hookproof_mockserver.sender_errors import Conflict, NotFound
from hookproof_mockserver.store.rows import first
from hookproof_mockserver.store.writer import Transaction


def add(transaction: Transaction, part: Part) -> None:
    """Add a part.

    Raises:
        Conflict: there is one of that id.
    """
    connection = transaction.connection
    if first(connection, "SELECT 1 FROM part WHERE id = ?", part.id):
        raise Conflict(f"there is a part {part.id!r} already", where="/id")
    seq = connection.execute(
        "INSERT INTO part (id, name, article_code) VALUES (?, ?, ?)",
        (part.id, part.name, part.article_code),
    ).lastrowid
    connection.executemany(
        "INSERT INTO location (part, id, name, quantity) VALUES (?, ?, ?, ?)",
        [(seq, each.id, each.name, each.quantity) for each in part.locations],
    )
    transaction.tell("part", part.id)


def every(connection: sqlite3.Connection) -> tuple[Part, ...]:
    """Return all parts, in the order in which they were made."""
    return _parts(connection, "ORDER BY p.seq, l.seq")


def found(connection: sqlite3.Connection, id: str) -> Part:
    """Return a part.

    Raises:
        NotFound: there is none of that id.
    """
    parts = _parts(connection, "WHERE p.id = ? ORDER BY l.seq", id)
    if not parts:
        known = connection.execute("SELECT id FROM part LIMIT 1000").fetchall()
        raise NotFound("part", id, (each[0] for each in known))
    return parts[0]


def _parts(connection: sqlite3.Connection, which: str, *values: object) -> tuple[Part, ...]:
    parts: dict[str, Part] = {}
    for id, name, code, place, place_name, quantity in connection.execute(
        "SELECT p.id, p.name, p.article_code, l.id, l.name, l.quantity"
        f" FROM part p LEFT JOIN location l ON l.part = p.seq {which}",
        values,
    ):
        before = parts.get(id)
        locations = before.locations if before else ()
        if place is not None:
            locations = (*locations, Location(id=place, name=place_name, quantity=quantity))
        parts[id] = Part(id=id, name=name, article_code=code, locations=locations)
    return tuple(parts.values())


def set_quantity(transaction: Transaction, part: str, location: str, quantity: int) -> None:
    """Write how much of a part lies at a location that is there."""
    transaction.connection.execute(
        "UPDATE location SET quantity = ?"
        " WHERE part = (SELECT seq FROM part WHERE id = ?) AND id = ?",
        (quantity, part, location),
    )
    transaction.tell("part", part)


def remove(transaction: Transaction, id: str) -> None:
    """Remove a part and its locations.

    Raises:
        NotFound: there is none of that id.
    """
    found(transaction.connection, id)
    transaction.connection.execute("DELETE FROM part WHERE id = ?", (id,))
    transaction.tell("part", id)
