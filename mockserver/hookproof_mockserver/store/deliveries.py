"""Deliveries and their attempts, as rows."""

from __future__ import annotations

import sqlite3
from collections import Counter
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
from hookproof_mockserver.store.records import Arrival, Departure, New, Outcome, Recorded, Standing
from hookproof_mockserver.store.rows import (
    ATTEMPT,
    CODES,
    DELIVERY,
    LAST,
    OUTCOME,
    SENDING,
    STATES,
    attempt_id,
    first,
    number_of,
)
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
    row = first(connection, f"SELECT {LAST} FROM delivery d WHERE d.seq = ?", seq)
    return None if row is None else attempt(connection, row[0])


def cancel(transaction: Transaction, id: str, now: float) -> None:
    """Give a delivery up that has not ended and is not on its way.

    Raises:
        NotFound, Conflict: there is none, or it has ended or is on its way.
    """
    seq, delivery = found(transaction.connection, id)
    _refuse_unless_held(delivery)
    stand(transaction, seq, Standing(DeliveryState.CANCELLED, None, "cancelled", now))


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


def stand(transaction: Transaction, seq: int, standing: Standing) -> None:
    """Write where a delivery stands that is not on its way, nor has ended."""
    connection = transaction.connection
    before = of_row(connection, seq)
    connection.execute(
        "UPDATE delivery SET state = ?, next_at = ?, next_words = ?, ended = ?, held = 0"
        " WHERE seq = ?",
        (CODES[standing.state], *standing[1:], seq),
    )
    transaction.move(before.state, standing.state)
    transaction.tell("delivery", before.id)


def cancel_all(transaction: Transaction, subscription_id: str, now: float, words: str) -> None:
    """Give up everything of a subscription that has not ended and is not on its way."""
    connection = transaction.connection
    for state in (DeliveryState.PENDING, DeliveryState.WAITING):
        count = connection.execute(
            "UPDATE delivery AS d SET state = ?, next_at = NULL, next_words = ?, ended = ?,"
            " held = 0"
            " WHERE state = ? AND subscription = (SELECT seq FROM subscription WHERE id = ?)"
            f" AND NOT {SENDING}",
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
                id,
                started,
                nonce,
                signed,
                request.method,
                request.url,
                rows.write_headers(request.headers),
                None if same_body else request.body,
            )
            for id, started, nonce, signed, request, same_body in requests
        ],
    )


def depart(transaction: Transaction, departures: Iterable[Departure]) -> None:
    """Have deliveries set off whose requests have been recorded in the same transaction."""
    departing = list(departures)
    connection = transaction.connection
    again = [(attempt_id(each.seq, each.attempts),) for each in departing if each.attempts]
    if again:
        columns = ", ".join(OUTCOME)
        connection.executemany(
            f"UPDATE attempt SET ({columns}) = (SELECT {columns} FROM delivery"
            f" WHERE seq = attempt.id >> {ATTEMPT_BITS}) WHERE id = ?",
            again,
        )
    held = [(each.seq,) for each in departing if each.held]
    if held:
        connection.executemany("UPDATE delivery SET held = 0 WHERE seq = ?", held)
    for before, count in Counter(each.before for each in departing).items():
        transaction.move(before, DeliveryState.SENDING, count)
    transaction.tell_all("delivery", [each.id for each in departing])


def arrive(transaction: Transaction, arrivals: Iterable[Arrival]) -> None:
    """Write where deliveries stand after they were on their way, and what came of the last try."""
    arriving = list(arrivals)
    transaction.connection.executemany(
        "UPDATE delivery SET attempts = ?, tries = tries + 1, state = ?, next_at = ?,"
        " next_words = ?, ended = ?, seconds = ?, status = ?, succeeded = ?, failure = ?,"
        " answer_headers = ?, answer_body = ?, cut = ? WHERE seq = ?",
        [
            (attempts, CODES[state], at, words, ended, *_outcome(outcome), seq)
            for seq, _, attempts, (state, at, words, ended), outcome in arriving
        ],
    )
    for after, count in Counter(each.standing.state for each in arriving).items():
        transaction.move(DeliveryState.SENDING, after, count)
    transaction.tell_all("delivery", [each.id for each in arriving])


def record_outcomes(transaction: Transaction, outcomes: Iterable[tuple[int, Outcome]]) -> None:
    """Write what came of requests, by row id, that are not the last of their delivery."""
    transaction.connection.executemany(
        "UPDATE attempt SET seconds = ?, status = ?, succeeded = ?, failure = ?,"
        " answer_headers = ?, answer_body = ?, cut = ? WHERE id = ?",
        [(*_outcome(outcome), id) for id, outcome in outcomes],
    )


def _outcome(outcome: Outcome) -> tuple[object, ...]:
    seconds, response, failure, succeeded = outcome
    if response is None:
        return seconds, None, succeeded, failure, None, None, False
    headers = rows.write_headers(response.headers)
    return (seconds, response.status, succeeded, failure, headers, response.body, response.cut)


INTERRUPTED = "tries again at once: the sender was ended before an answer came"


def interrupted(transaction: Transaction, now: float) -> int:
    """Make everything due that was on its way when the process ended; return how much that was."""
    found = transaction.connection.execute(
        f"SELECT d.seq, d.id, d.attempts, d.state, {LAST} FROM delivery d WHERE {SENDING}"
        " AND d.state IN (0, 2) AND d.subscription IN (SELECT seq FROM subscription)"
    ).fetchall()
    none = Outcome(0.0, None, "interrupted", succeeded=False)
    due = Standing(DeliveryState.WAITING, now, INTERRUPTED, None)
    earlier = [
        (attempt_id(seq, number), none)
        for seq, _, counted, _, last in found
        for number in range(counted + 1, number_of(last))
    ]
    record_outcomes(transaction, earlier)
    for _, _, _, state, _ in found:
        transaction.move(STATES[state], DeliveryState.SENDING)
    back = [Arrival(seq, id, number_of(last), due, none) for seq, id, *_, last in found]
    arrive(transaction, back)
    return len(found)
