"""Deliveries and their attempts, as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import final

from hookproof_mockserver.model import (
    ENDED,
    Attempt,
    Delivery,
    DeliveryState,
    FaultKind,
)
from hookproof_mockserver.sender_errors import Conflict, NotFound
from hookproof_mockserver.store import rows
from hookproof_mockserver.store.records import Departure, New, Outcome, Recorded, Standing
from hookproof_mockserver.store.rows import ATTEMPT, CODES, DELIVERY, attempt_id, first
from hookproof_mockserver.store.schema import ATTEMPT_BITS
from hookproof_mockserver.store.writer import Transaction

Ids = Callable[[], str]

FIRST_WORDS = "is sent next"


def add(transaction: Transaction, new: New) -> None:
    """Add a delivery that is due at once, or held back by its fault."""
    connection = transaction.connection
    held = _held(connection, new)
    state = DeliveryState.PENDING if held is None else DeliveryState.WAITING
    connection.execute(
        "INSERT INTO delivery (id, event, subscription, created, state, next_at, next_words, fault,"
        " resend_of, verbatim, held) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.id,
            new.event,
            new.subscription,
            new.created,
            CODES[state],
            new.created if held is None else held.until,
            FIRST_WORDS if held is None else held.words,
            rows.write_faults((new.fault,)) if new.fault else None,
            new.resend_of,
            new.verbatim,
            held is not None and held.for_the_next,
        ),
    )
    transaction.move(None, state)
    transaction.woken.add(new.subscription)
    transaction.tell("delivery", new.id)


PATIENCE = 30.0
"""How many seconds a delivery waits to change places with one that may never come."""


@final
@dataclass(frozen=True, slots=True)
class _Held:
    until: float
    words: str
    for_the_next: bool = False


def _held(connection: sqlite3.Connection, new: New) -> _Held | None:
    """Return until when a fault holds a delivery back; None where it is due at once."""
    fault = new.fault
    if fault is not None and fault.kind is FaultKind.DELAY:
        return _Held(new.created + fault.seconds, f"held back for {fault.seconds:g} s on purpose")
    if (
        fault is None
        or fault.kind is not FaultKind.REORDER
        or holding(connection, new.subscription)
    ):
        return None  # where one is held already, this is the next, which changes places with it
    words = "held back until the next one has gone out, on purpose"
    return _Held(new.created + PATIENCE, words, for_the_next=True)


def holding(connection: sqlite3.Connection, subscription: int) -> list[tuple[int, str]]:
    """Return the deliveries that wait for the next one of their subscription to go out first."""
    return connection.execute(
        "SELECT seq, id FROM delivery WHERE subscription = ? AND held", (subscription,)
    ).fetchall()


def found(connection: sqlite3.Connection, id: str) -> tuple[int, Delivery]:
    """Return a delivery and its row id.

    Raises:
        NotFound: there is none of that id.
    """
    row = first(connection, f"{DELIVERY} WHERE d.id = ?", id)
    if row is None:
        raise NotFound("delivery", id, neighbours(connection, "delivery", id))
    return row[0], rows.delivery(row)


def of_row(connection: sqlite3.Connection, seq: int) -> Delivery:
    """Return a delivery that is there, found by its row id."""
    return rows.delivery(connection.execute(f"{DELIVERY} WHERE d.seq = ?", (seq,)).fetchone())


def neighbours(connection: sqlite3.Connection, table: str, id: str) -> list[str]:
    """Return the ids beside one that is not there: with a slip in it, its own is among them."""
    after = f"SELECT id FROM {table} WHERE id >= ? ORDER BY id LIMIT 3"
    before = f"SELECT id FROM {table} WHERE id < ? ORDER BY id DESC LIMIT 3"
    return [row[0] for sql in (after, before) for row in connection.execute(sql, (id,))]


def attempts(connection: sqlite3.Connection, id: str) -> tuple[Attempt, ...]:
    """Return a delivery's attempts in their order.

    Raises:
        NotFound: there is no such delivery.
    """
    seq, _ = found(connection, id)
    listed = connection.execute(
        f"{ATTEMPT} WHERE d.seq = :seq AND e.seq = d.event AND a.id BETWEEN"
        f" :seq << {ATTEMPT_BITS} AND (:seq + 1 << {ATTEMPT_BITS}) - 1 ORDER BY a.id",
        {"seq": seq},
    )
    return tuple(map(rows.attempt, listed))


def attempt(connection: sqlite3.Connection, id: int) -> Attempt | None:
    """Return one attempt, found by its row id."""
    row = first(
        connection,
        f"{ATTEMPT} WHERE a.id = ? AND d.seq = a.id >> {ATTEMPT_BITS} AND e.seq = d.event",
        id,
    )
    return None if row is None else rows.attempt(row)


def last_attempt(connection: sqlite3.Connection, seq: int) -> Attempt | None:
    """Return a delivery's last attempt, None before its first; by the delivery's row id."""
    row = first(connection, "SELECT attempts FROM delivery WHERE seq = ?", seq)
    return None if row is None else attempt(connection, attempt_id(seq, row[0]))


def cancel(transaction: Transaction, id: str, now: float) -> None:
    """Give a delivery up that has not ended and is not on its way.

    Raises:
        NotFound, Conflict: there is none, or it has ended or is on its way.
    """
    seq, delivery = found(transaction.connection, id)
    _refuse_unless_held(delivery)
    stand(
        transaction,
        Standing(
            seq=seq,
            id=id,
            before=delivery.state,
            after=DeliveryState.CANCELLED,
            next_at=None,
            next_words="cancelled",
            ended=now,
        ),
    )


def retry_now(transaction: Transaction, id: str, now: float) -> None:
    """Make a waiting delivery due.

    Raises:
        NotFound, Conflict: there is none, or it has ended or is on its way.
    """
    seq, delivery = found(transaction.connection, id)
    _refuse_unless_held(delivery)
    release(transaction, [(seq, id)], now)
    row = first(transaction.connection, "SELECT subscription FROM delivery WHERE seq = ?", seq)
    if row is not None:
        transaction.woken.add(row[0])


def _refuse_unless_held(delivery: Delivery) -> None:
    if delivery.state in ENDED:
        raise Conflict(
            f"the delivery {delivery.id} has ended: {delivery.state.value}",
            hint="send it again instead",
        )
    if delivery.state is DeliveryState.SENDING:
        raise Conflict(
            f"the delivery {delivery.id} is on its way", hint="wait for what the receiver answers"
        )


def release(transaction: Transaction, held: Iterable[tuple[int, str]], now: float) -> None:
    """Make waiting deliveries due."""
    for seq, id in held:
        transaction.connection.execute(
            "UPDATE delivery SET next_at = ?, next_words = ?, held = 0 WHERE seq = ?",
            (now, FIRST_WORDS, seq),
        )
        transaction.tell("delivery", id)


def stand(transaction: Transaction, *standings: Standing) -> None:
    """Write where deliveries stand now."""
    transaction.connection.executemany(
        "UPDATE delivery SET state = ?, next_at = ?, next_words = ?, ended = ?, held = 0"
        " WHERE seq = ?",
        [(CODES[s.after], s.next_at, s.next_words, s.ended, s.seq) for s in standings],
    )
    for standing in standings:
        transaction.move(standing.before, standing.after)
        transaction.tell("delivery", standing.id)


def cancel_all(transaction: Transaction, subscription_id: str, now: float, words: str) -> None:
    """Give up everything of a subscription that has not ended and is not on its way."""
    connection = transaction.connection
    for state in (DeliveryState.PENDING, DeliveryState.WAITING):
        count = connection.execute(
            "UPDATE delivery SET state = ?, next_at = NULL, next_words = ?, ended = ?, held = 0"
            " WHERE state = ? AND subscription = (SELECT seq FROM subscription WHERE id = ?)",
            (CODES[DeliveryState.CANCELLED], words, now, CODES[state], subscription_id),
        ).rowcount
        transaction.move(state, DeliveryState.CANCELLED, count)


def record(transaction: Transaction, requests: Iterable[Recorded]) -> None:
    """Write requests that are about to be sent."""
    transaction.connection.executemany(
        "INSERT INTO attempt (id, started, nonce, signed, method, url, headers, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                each.id,
                each.started,
                each.nonce,
                each.signed,
                each.request.method,
                each.request.url,
                rows.write_headers(each.request.headers),
                None if each.same_body else each.request.body,
            )
            for each in requests
        ],
    )


def record_outcomes(transaction: Transaction, outcomes: Iterable[Outcome]) -> None:
    """Write what came of requests."""
    transaction.connection.executemany(
        "UPDATE attempt SET seconds = ?, status = ?, succeeded = ?, failure = ?, next_words = ?,"
        " answer_headers = ?, answer_body = ?, cut = ? WHERE id = ?",
        [
            (
                each.seconds,
                each.response.status if each.response else None,
                each.succeeded,
                each.failure,
                each.next_words,
                rows.write_headers(each.response.headers) if each.response else None,
                each.response.body if each.response else None,
                each.response.cut if each.response else False,
                each.id,
            )
            for each in outcomes
        ],
    )


def start(transaction: Transaction, departures: Iterable[Departure]) -> None:
    """Write that deliveries are on their way."""
    departing = list(departures)
    transaction.connection.executemany(
        "UPDATE delivery SET state = 1, tries = tries + 1, attempts = attempts + ?,"
        " next_at = NULL, next_words = '', held = 0 WHERE seq = ?",
        [(each.requests, each.seq) for each in departing],
    )
    for each in departing:
        before = DeliveryState.WAITING if each.waited else DeliveryState.PENDING
        transaction.move(before, DeliveryState.SENDING)
        transaction.tell("delivery", each.id)


def count_requests(transaction: Transaction, seq: int, requests: int) -> None:
    """Count requests of a delivery that is on its way, where they were made after its start."""
    transaction.connection.execute(
        "UPDATE delivery SET attempts = attempts + ? WHERE seq = ?", (requests, seq)
    )


_ON_THEIR_WAY = "d.subscription IN (SELECT seq FROM subscription) AND d.state = 1"
"""Found by the index of subscriptions and states."""


def interrupted(transaction: Transaction, now: float) -> int:
    """Make everything due that was on its way when the process ended; return how much that was."""
    connection = transaction.connection
    connection.execute(
        "UPDATE attempt SET failure = 'interrupted', seconds = 0,"
        " next_words = 'tries again at once: the sender was ended before an answer came'"
        " WHERE seconds IS NULL AND id IN (SELECT a.id FROM delivery d JOIN attempt a"
        f" ON a.id BETWEEN d.seq << {ATTEMPT_BITS} AND (d.seq + 1 << {ATTEMPT_BITS}) - 1"
        f" WHERE {_ON_THEIR_WAY})"
    )
    count = connection.execute(
        f"UPDATE delivery AS d SET state = 2, next_at = ?, next_words = ? WHERE {_ON_THEIR_WAY}",
        (now, FIRST_WORDS),
    ).rowcount
    transaction.move(DeliveryState.SENDING, DeliveryState.WAITING, count)
    return count
