"""Events that somebody brings about, by stock or directly."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from hookproof_mockserver import stock
from hookproof_mockserver.engine import accounts, checks, payloads
from hookproof_mockserver.engine.context import Context
from hookproof_mockserver.engine.ids import new_id
from hookproof_mockserver.engine.registering import check_faults, webhook_of
from hookproof_mockserver.model import Event, Fault, Location, Part, Source
from hookproof_mockserver.sender_errors import Conflict, Invalid, InvalidPayload, StockError
from hookproof_mockserver.stock import Movement
from hookproof_mockserver.store import events
from hookproof_mockserver.store import stock as shelves
from hookproof_mockserver.store.events import Birth, Idempotency
from hookproof_mockserver.store.writer import Transaction
from hookproof_spec.payloads import validate
from hookproof_spec.webhook import JsonValue, Webhook


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """An event that is asked for. `payload` None is the document's example, dated now."""

    event: str | None
    payload: JsonValue | bytes
    random: bool
    allow_invalid: bool
    idempotency_key: str | None
    faults: tuple[Fault, ...]


def trigger(context: Context, asked: Trigger) -> Event:
    """Bring an event about, once for each idempotency key; it is on disk when this returns.

    Raises:
        Invalid, InvalidPayload, PlanError, Conflict: a value cannot be taken, the payload breaks
            the schema, the plan has not this webhook, or the key was used for something else.
    """
    webhook = webhook_of(context, asked.event)
    accounts.refuse_without(context, webhook)
    check_faults(context, webhook, asked.faults)
    same = _idempotency(webhook, asked)
    if same is not None and (before := _before(context, same)) is not None:
        return before
    body = _body(context, webhook, asked)
    problems = validate(webhook, body)
    if problems and not asked.allow_invalid:
        raise InvalidPayload(webhook.name, problems)
    event = _event(context, webhook, body, Source.TRIGGER, valid=not problems)
    birth = Birth(event=event, faults=asked.faults, idempotency=same)
    return context.store.write(lambda transaction: _born(context, transaction, birth))


def _body(context: Context, webhook: Webhook, asked: Trigger) -> bytes:
    if asked.random:
        if asked.payload is not None:
            raise Invalid("/random", "a payload is given and a random one is asked for")
        return payloads.written(webhook, payloads.random_payload(webhook, context.random))
    if asked.payload is None:
        return payloads.written(webhook, payloads.fresh_example(webhook, context.clock()))
    return payloads.written(webhook, asked.payload)


def _idempotency(webhook: Webhook, asked: Trigger) -> Idempotency | None:
    if asked.idempotency_key is None:
        return None
    payload = asked.payload
    what = (webhook.name, asked.random, asked.allow_invalid, asked.faults)
    body = b"" if payload is None else b"=" + payloads.written(webhook, payload)
    digest = hashlib.sha256(repr(what).encode() + b"\n" + body).digest()
    return Idempotency(checks.idempotency_key(asked.idempotency_key), digest)


def _before(context: Context, same: Idempotency) -> Event | None:
    with context.store.reading() as connection:
        return _checked_before(events.of_key(connection, same.key), same)


def _checked_before(found: tuple[Event, bytes] | None, same: Idempotency) -> Event | None:
    if found is None:
        return None
    event, asked = found
    if asked != same.asked:
        raise Conflict(
            f"the key {same.key!r} was used for another event, {event.id}",
            where="/idempotency_key",
            hint="take a new key for each event",
        )
    return event


def _born(context: Context, transaction: Transaction, birth: Birth) -> Event:
    """Write an event, unless another call with its key has done so meanwhile."""
    same = birth.idempotency
    if same is not None:
        before = _checked_before(events.of_key(transaction.connection, same.key), same)
        if before is not None:
            return before
    events.add(transaction, birth, _delivery_ids(context))
    return birth.event


def _delivery_ids(context: Context) -> Callable[[], str]:
    return lambda: new_id("dlv", context.clock(), context.random)


def _event(
    context: Context, webhook: Webhook, body: bytes, source: Source, *, valid: bool = True
) -> Event:
    now = context.clock()
    return Event(
        id=new_id("evt", now, context.random),
        webhook=webhook.name,
        body=body,
        source=source,
        created=now,
        valid=valid,
    )


def stock_webhooks(context: Context) -> tuple[Webhook, ...]:
    """Return the webhooks that tell of stock.

    Raises:
        StockError: there is none.
    """
    found = tuple(each for each in context.document.webhooks.values() if each.stock is not None)
    if not found:
        raise StockError(
            f"no webhook of {context.document.name} tells of stock",
            hint="say where its facts stand with x-webhook-stock, or trigger an event directly",
        )
    return found


def add_part(context: Context, part: Part) -> Part:
    """Add a part.

    Raises:
        StockError, Invalid, Conflict: the document knows no stock, a value cannot be taken, or
            there is a part of that id.
    """
    webhooks = stock_webhooks(context)
    for location in part.locations:
        for webhook in webhooks:
            _payload(webhook, Movement(part, location, context.clock()))
    context.store.write(lambda transaction: shelves.add(transaction, part))
    return part


def _payload(webhook: Webhook, movement: Movement) -> bytes:
    body = payloads.written(webhook, stock.payload(webhook, movement))
    problems = validate(webhook, body)
    if problems:
        raise Invalid(
            "", f"the event of this part would break the schema of {webhook.name}: {problems[0]}"
        )
    return body


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A change of how much of a part lies at a location, worked out from what lies there."""

    part: str
    location: str
    source: Source
    after: Callable[[Part, Location], int]


def move(context: Context, asked: Move) -> tuple[Part, Event | None]:
    """Change a quantity; what has just run out brings an event about, in the same transaction.

    Raises:
        StockError, NotFound, Invalid, Conflict: it cannot be done.
    """
    webhooks = stock_webhooks(context)

    def write(transaction: Transaction) -> tuple[Part, Event | None]:
        part = shelves.found(transaction.connection, asked.part)
        location = stock.place(part, asked.location)
        after = asked.after(part, location)
        shelves.set_quantity(transaction, part.id, location.id, after)
        told: list[Event] = []
        if stock.runs_out(location.quantity, after):
            movement = Movement(part, location, context.clock())
            told = _told(context, transaction, webhooks, (movement, asked.source))
        return shelves.found(transaction.connection, part.id), next(iter(told), None)

    return context.store.write(write)


def _told(
    context: Context,
    transaction: Transaction,
    webhooks: tuple[Webhook, ...],
    what: tuple[Movement, Source],
) -> list[Event]:
    movement, source = what
    told: list[Event] = []
    for webhook in webhooks:
        if accounts.has(context, transaction.connection, webhook):
            event = _event(context, webhook, _payload(webhook, movement), source)
            events.add(transaction, Birth(event=event), _delivery_ids(context))
            told.append(event)
    return told
