"""Deliveries that are made from others: sent again, or forged."""

from __future__ import annotations

from dataclasses import replace

from hookproof_mockserver.engine import checks
from hookproof_mockserver.engine.context import Context
from hookproof_mockserver.engine.ids import new_id
from hookproof_mockserver.engine.registering import webhook_of
from hookproof_mockserver.model import Delivery, Fault, FaultKind
from hookproof_mockserver.sender_errors import Conflict
from hookproof_mockserver.store import deliveries, lists, rows, subscriptions
from hookproof_mockserver.store.lists import Filter
from hookproof_mockserver.store.records import New
from hookproof_mockserver.store.rows import first
from hookproof_mockserver.store.writer import Transaction

MOST = 1_000
"""How many deliveries are sent again at once at most."""


def resend(context: Context, id: str, *, verbatim: bool) -> Delivery:
    """Send a delivery's event once more.

    Raises:
        NotFound, Conflict: there is none of that id, its webhook takes nothing now, or there is
            nothing to copy.
    """
    return context.store.write(
        lambda transaction: _again(context, transaction, id, verbatim=verbatim)
    )


def resend_many(context: Context, which: Filter) -> tuple[Delivery, ...]:
    """Send the events of all deliveries that fit once more, signed anew, the oldest first.

    Those of webhooks that are not active, or were removed, are left out.

    Raises:
        NotFound, Conflict: the webhook that is named is not there or not active, or there are
            more than can be sent again at once.
    """
    which = replace(which, served=True)

    def write(transaction: Transaction) -> tuple[Delivery, ...]:
        if which.subscription is not None:
            _refuse_inactive(transaction, which.subscription)
        found = lists.deliveries(transaction.connection, None, MOST, which, context.underway.all)
        if found.after is not None:
            raise Conflict(
                f"more than {MOST:,} deliveries fit, which is the most that are sent again at once",
                hint="narrow it to one webhook, or to a shorter time",
            )
        return tuple(
            _again(context, transaction, each.id, verbatim=False) for each in reversed(found.items)
        )

    return context.store.write(write)


def forge(context: Context, id: str, rule: str) -> Delivery:
    """Send what a rule of the contract would send, to the receiver of a delivery.

    Raises:
        NotFound, Conflict, Invalid: there is none of that id, its webhook takes nothing now or has
            no secret, or the rule has no forgery.
    """
    with context.store.reading() as connection:
        _, delivery = deliveries.found(connection, id)
    checks.rule("/rule", rule, context.forge.rules(webhook_of(context, delivery.webhook)))
    fault = Fault(kind=FaultKind.RULE, rule=rule)

    def write(transaction: Transaction) -> Delivery:
        seq, delivery = deliveries.found(transaction.connection, id)
        event, subscription, signed = _open(transaction, seq, delivery)
        if not signed:
            raise Conflict(
                "a forgery needs a secret key, and this webhook has none",
                hint="create one by rotating its secret",
            )
        return _added(context, transaction, event, subscription, fault=fault)

    return context.store.write(write)


def _refuse_inactive(transaction: Transaction, id: str) -> None:
    row = subscriptions.found(transaction.connection, id)
    subscription = rows.subscription(row, secrets=False, now=0.0)
    if not subscription.active or subscription.disabled:
        why = f": {subscription.disabled}" if subscription.disabled else ""
        raise Conflict(f"the webhook {id} is not active{why}", hint="activate it first")


def _again(context: Context, transaction: Transaction, id: str, *, verbatim: bool) -> Delivery:
    seq, delivery = deliveries.found(transaction.connection, id)
    if verbatim and not delivery.attempts:
        raise Conflict(
            f"the delivery {id} has not been sent yet, so there is nothing to copy",
            hint="have it signed anew",
        )
    event, subscription, _ = _open(transaction, seq, delivery)
    return _added(context, transaction, event, subscription, resend_of=seq, verbatim=verbatim)


def _open(transaction: Transaction, seq: int, delivery: Delivery) -> tuple[int, int, bool]:
    """Return a delivery's event and subscription, and whether that has a secret."""
    row = first(
        transaction.connection,
        "SELECT d.event, s.seq, s.secret IS NOT NULL, s.removed, s.active, s.disabled"
        " FROM delivery d JOIN subscription s ON s.seq = d.subscription WHERE d.seq = ?",
        seq,
    )
    event, subscription, signed, removed, active, disabled = row or (0, 0, 0, 1, 0, "")
    if removed:
        raise Conflict(f"the webhook of {delivery.id} was removed", hint="trigger the event anew")
    if not active or disabled:
        why = f": {disabled}" if disabled else ""
        raise Conflict(f"the webhook of {delivery.id} is not active{why}", hint="activate it first")
    return event, subscription, bool(signed)


def _added(
    context: Context,
    transaction: Transaction,
    event: int,
    subscription: int,
    *,
    fault: Fault | None = None,
    resend_of: int | None = None,
    verbatim: bool = False,
) -> Delivery:
    now = context.clock()
    new = New(
        id=new_id("dlv", now, context.random),
        event=event,
        subscription=subscription,
        created=now,
        fault=fault,
        resend_of=resend_of,
        verbatim=verbatim,
    )
    deliveries.add(transaction, new)
    return deliveries.found(transaction.connection, new.id)[1]
