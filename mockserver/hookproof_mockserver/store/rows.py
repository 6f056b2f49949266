"""Between rows of the store and records: the forms in which policies, faults and headers lie."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from itertools import chain
from typing import Any

from hookproof_mockserver.model import (
    Attempt,
    Delivery,
    DeliveryPolicy,
    DeliveryState,
    Event,
    Fault,
    FaultKind,
    Response,
    RetryPolicy,
    Schedule,
    Secrets,
    SignWith,
    Source,
    Subscription,
)
from hookproof_mockserver.store.schema import ATTEMPT_BITS
from hookproof_spec.request import Header, Request
from hookproof_spec.scheme import OnRetry

Row = tuple[Any, ...]
"""What SQLite returns: only the STRICT tables know the types."""

STATES = (
    DeliveryState.PENDING,
    DeliveryState.SENDING,
    DeliveryState.WAITING,
    DeliveryState.DELIVERED,
    DeliveryState.FAILED,
    DeliveryState.CANCELLED,
)
"""A state is stored as its place here; but `sending` is not stored, see `SENDING` below."""

CODES = {state: code for code, state in enumerate(STATES)}


def attempt_id(delivery: int, number: int) -> int:
    """Return the row id of a delivery's attempt."""
    return delivery << ATTEMPT_BITS | number


def number_of(attempt: int) -> int:
    """Return an attempt's number in its delivery, from its row id."""
    return attempt & (1 << ATTEMPT_BITS) - 1


def write_policy(policy: DeliveryPolicy) -> str:
    """Write a policy as JSON."""
    return json.dumps(asdict(policy))


@lru_cache(maxsize=1_024)
def read_policy(text: str) -> DeliveryPolicy:
    """Read what `write_policy` wrote."""
    members = json.loads(text)
    retry = members.pop("retry")
    return DeliveryPolicy(
        retry=RetryPolicy(schedule=Schedule(retry.pop("schedule")), **retry),
        nonce=OnRetry(members.pop("nonce")),
        success=tuple(members.pop("success")),
        **members,
    )


def write_faults(faults: Iterable[Fault]) -> str:
    """Write faults as JSON."""
    return json.dumps([asdict(fault) for fault in faults])


@lru_cache(maxsize=1_024)
def read_faults(text: str) -> tuple[Fault, ...]:
    """Read what `write_faults` wrote."""
    return tuple(
        Fault(kind=FaultKind(each["kind"]), seconds=each["seconds"], rule=each["rule"])
        for each in json.loads(text)
    )


def write_headers(headers: tuple[Header, ...]) -> str:
    """Write header lines, two lines of text for each; odd ones, as forgeries have, as JSON."""
    text = "\n".join(chain.from_iterable(headers))
    plain = text.count("\n") == 2 * len(headers) - 1 and not text.startswith("[")
    return text if plain else json.dumps(headers)


def read_headers(text: str) -> tuple[Header, ...]:
    """Read what `write_headers` wrote."""
    if text.startswith("["):
        return tuple((name, value) for name, value in json.loads(text))
    lines = text.split("\n")
    return tuple(zip(lines[::2], lines[1::2], strict=True))


SUBSCRIPTION = (
    "seq, id, url, event, active, secret, previous, overlap_until, sign_with, policy, faults,"
    " created, description, disabled, failures"
)


def subscription(row: Row, *, secrets: bool, now: float) -> Subscription:
    """Make a subscription of a row of `SUBSCRIPTION`, with or without the secrets' texts."""
    (_, id, url, event, active, secret, previous, until, sign_with, *rest) = row
    policy, faults, created, description, disabled, failures = rest
    rotating = previous is not None and until is not None and until > now
    return Subscription(
        id=id,
        url=url,
        event=event,
        active=bool(active),
        secrets=Secrets(
            current=secret if secrets else None,
            previous=previous if secrets and rotating else None,
            overlap_until=until if rotating else None,
            sign_with=SignWith(sign_with),
        ),
        policy=read_policy(policy),
        created=created,
        description=description,
        disabled=disabled,
        failures=failures,
        signed=secret is not None,
        rotating=rotating,
        faults=read_faults(faults),
    )


EVENT = "id, webhook, body, source, created, valid"


def event(row: Row) -> Event:
    """Make an event of a row of `EVENT`."""
    id, webhook, body, source, created, valid = row
    return Event(
        id=id,
        webhook=webhook,
        body=body,
        source=Source(source),
        created=created,
        valid=bool(valid),
    )


LAST = f"""(
    SELECT max(id) FROM attempt
    WHERE id BETWEEN d.seq << {ATTEMPT_BITS} AND (d.seq + 1 << {ATTEMPT_BITS}) - 1
)"""
"""The row id of the last attempt of the delivery `d`, NULL where there is none."""

SENDING = f"EXISTS (SELECT 1 FROM attempt WHERE id = (d.seq << {ATTEMPT_BITS} | d.attempts + 1))"
"""Whether the delivery `d` is on its way."""

DELIVERY = f"""
SELECT d.seq, d.id, e.id, s.id, e.webhook, coalesce(a.url, s.url), d.created, d.fault, o.id,
    d.verbatim, coalesce(a.id, 0), s.active AND s.disabled = '',
    d.state, d.attempts, d.next_at, d.next_words, d.status, d.failure, d.seconds
FROM delivery d
JOIN event e ON e.seq = d.event
JOIN subscription s ON s.seq = d.subscription
LEFT JOIN delivery o ON o.seq = d.resend_of
LEFT JOIN attempt a ON a.id = {LAST}
"""


HELD_UP = "waits until its webhook is active again"


def delivery(row: Row) -> Delivery:
    """Make a delivery of a row of `DELIVERY`."""
    (_, id, event_id, subscription_id, webhook, url, created, fault, resend_of, *rest) = row
    verbatim, last, served, state, counted, next_at, next_words, status, failure, seconds = rest
    attempts = number_of(last)
    now = STATES[state]
    if attempts > counted:
        now, next_at, next_words = DeliveryState.SENDING, None, ""
        status, failure, seconds = None, "", None
    elif not served and now in (DeliveryState.PENDING, DeliveryState.WAITING):
        next_words = HELD_UP
    return Delivery(
        id=id,
        event_id=event_id,
        subscription_id=subscription_id,
        webhook=webhook,
        url=url,
        state=now,
        created=created,
        attempts=attempts,
        next_at=next_at,
        next_words=next_words,
        fault=read_faults(fault)[0] if fault else None,
        resend_of=resend_of,
        verbatim=bool(verbatim),
        last_status=status,
        last_failure=failure,
        last_seconds=seconds,
    )


OUTCOME = (
    "status",
    "answer_headers",
    "answer_body",
    "cut",
    "failure",
    "seconds",
    "succeeded",
    "next_words",
)
"""What both an attempt's row and its delivery's have columns for; the latter has the last one's."""

_COUNTED_LAST = f"a.id = (d.seq << {ATTEMPT_BITS} | d.attempts)"

ATTEMPT = f"""
SELECT d.id, a.id, a.method, a.url, a.headers, coalesce(a.body, e.body), a.started, a.nonce,
    a.signed, {", ".join(f"iif({_COUNTED_LAST}, d.{name}, a.{name})" for name in OUTCOME)}
FROM attempt a, delivery d, event e
"""


def attempt(row: Row) -> Attempt:
    """Make an attempt of a row of `ATTEMPT`."""
    (delivery_id, id, method, url, headers, body, started, nonce, signed, *rest) = row
    status, answer_headers, answer_body, cut, failure, seconds, succeeded, next_words = rest
    response = None
    if status is not None:
        response = Response(
            status=status,
            headers=read_headers(answer_headers),
            body=answer_body,
            cut=bool(cut),
        )
    return Attempt(
        delivery_id=delivery_id,
        number=number_of(id),
        request=Request(method, url, read_headers(headers), body),
        started=started,
        nonce=nonce,
        signed=bool(signed),
        response=response,
        failure=failure,
        seconds=seconds,
        succeeded=bool(succeeded),
        next_words=next_words,
    )


def first(connection: sqlite3.Connection, sql: str, *values: object) -> Row | None:
    """Return the first row of a question."""
    row: Row | None = connection.execute(sql, values).fetchone()
    return row
