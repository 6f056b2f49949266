"""Subscriptions and the account, as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from hookproof_mockserver.model import Fault, Secrets, Subscription
from hookproof_mockserver.sender_errors import NotFound
from hookproof_mockserver.store import rows
from hookproof_mockserver.store.rows import SUBSCRIPTION, Row, first
from hookproof_mockserver.store.writer import Transaction


def plan(connection: sqlite3.Connection) -> str | None:
    """Return the account's plan; None where it was never chosen."""
    row = first(connection, "SELECT plan FROM account")
    return None if row is None else row[0]


def set_plan(transaction: Transaction, plan: str) -> None:
    """Choose the account's plan."""
    transaction.connection.execute(
        "INSERT OR REPLACE INTO account (id, plan) VALUES (1, ?)", (plan,)
    )
    transaction.tell("account", plan)


def add(transaction: Transaction, subscription: Subscription) -> None:
    """Add a subscription with its secrets."""
    secrets = subscription.secrets
    transaction.connection.execute(
        "INSERT INTO subscription (id, url, event, active, secret, sign_with, policy, faults,"
        " created, description) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            subscription.id,
            subscription.url,
            subscription.event,
            subscription.active,
            secrets.current,
            secrets.sign_with.value,
            rows.write_policy(subscription.policy),
            rows.write_faults(subscription.faults),
            subscription.created,
            subscription.description,
        ),
    )
    transaction.tell("subscription", subscription.id)


def every(connection: sqlite3.Connection) -> list[Row]:
    """Return the rows of all subscriptions, in the order in which they were made."""
    return connection.execute(
        f"SELECT {SUBSCRIPTION} FROM subscription WHERE NOT removed ORDER BY seq"
    ).fetchall()


def found(connection: sqlite3.Connection, id: str) -> Row:
    """Return the row of a subscription.

    Raises:
        NotFound: there is none of that id.
    """
    row = first(
        connection, f"SELECT {SUBSCRIPTION} FROM subscription WHERE id = ? AND NOT removed", id
    )
    if row is None:
        known = connection.execute("SELECT id FROM subscription WHERE NOT removed").fetchall()
        raise NotFound("webhook", id, (each[0] for each in known))
    return row


def change(transaction: Transaction, id: str, columns: Mapping[str, object]) -> None:
    """Write some columns of a subscription that is there."""
    if columns:
        names = ", ".join(f"{name} = ?" for name in columns)
        transaction.connection.execute(
            f"UPDATE subscription SET {names} WHERE id = ?", (*columns.values(), id)
        )
    transaction.tell("subscription", id)


def rotate(transaction: Transaction, id: str, secrets: Secrets) -> None:
    """Write a subscription's secrets."""
    change(
        transaction,
        id,
        {
            "secret": secrets.current,
            "previous": secrets.previous,
            "overlap_until": secrets.overlap_until,
            "sign_with": secrets.sign_with.value,
        },
    )


def write_faults(transaction: Transaction, id: str, faults: tuple[Fault, ...]) -> None:
    """Write what is done wrong to each of a subscription's events."""
    change(transaction, id, {"faults": rows.write_faults(faults)})
