"""Subscriptions: made, changed, rotated, removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import final

from hookproof_mockserver.engine import accounts, checks, secrets
from hookproof_mockserver.engine.addresses import checked_url
from hookproof_mockserver.engine.context import Context
from hookproof_mockserver.engine.ids import new_id
from hookproof_mockserver.model import (
    DeliveryPolicy,
    Fault,
    Secrets,
    SignWith,
    Subscription,
)
from hookproof_mockserver.sender_errors import Conflict, Invalid
from hookproof_mockserver.store import deliveries, rows, subscriptions
from hookproof_mockserver.store.writer import Transaction
from hookproof_spec.drawing import drawn_secret
from hookproof_spec.errors import DocumentError
from hookproof_spec.webhook import Webhook


class Generate(Enum):
    """Says that a secret is to be made."""

    GENERATE = "generate"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A subscription that is asked for."""

    url: str
    event: str | None
    secret: str | Generate | None = field(repr=False)
    policy: DeliveryPolicy
    active: bool
    description: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """A new secret that is asked for; None has one made. `overlap` is in seconds."""

    secret: str | None = field(repr=False)
    overlap: float
    sign_with: SignWith


def webhook_of(context: Context, event: str | None) -> Webhook:
    """Return a webhook of the document by name, or the only one.

    Raises:
        Invalid: there is none of that name, or one has to be named.
    """
    try:
        return context.document.webhook(event)
    except DocumentError as error:
        known = ", ".join(context.document.webhooks)
        hint = error.hint if event is not None else f"name one of: {known}"
        raise Invalid("/event", error.problem, hint=hint) from error


def register(context: Context, asked: Registration) -> Subscription:
    """Add a subscription; the result alone holds its secret.

    Raises:
        Invalid, PlanError: a value cannot be taken, or the plan has not this webhook.
    """
    webhook = webhook_of(context, asked.event)
    accounts.refuse_without(context, webhook)
    checks.policy(asked.policy)
    secret = _secret(context, webhook, asked.secret)
    now = context.clock()
    subscription = Subscription(
        id=new_id("wh", now, context.random),
        url=checked_url(asked.url, context.allowed_receivers),
        event=webhook.name,
        active=asked.active,
        secrets=Secrets(current=secret),
        policy=asked.policy,
        created=now,
        description=checks.text("/description", asked.description, most=500, empty=True),
        signed=secret is not None,
    )
    context.store.write(lambda transaction: subscriptions.add(transaction, subscription))
    return subscription


def _secret(context: Context, webhook: Webhook, asked: str | Generate | None) -> str | None:
    if isinstance(asked, Generate):
        return drawn_secret(webhook.scheme, context.random)
    if asked is not None:
        return secrets.checked(webhook.scheme, asked)
    if not webhook.unsigned_allowed:
        raise Invalid(
            "/secret",
            f"{webhook.name} is always signed: the document allows no unsigned requests",
            hint="give a secret, or have one made",
        )
    return None


def found(context: Context, id: str) -> Subscription:
    """Return a subscription without its secrets.

    Raises:
        NotFound: there is none of that id.
    """
    with context.store.reading() as connection:
        row = subscriptions.found(connection, id)
    return rows.subscription(row, secrets=False, now=context.clock())


def every(context: Context) -> tuple[Subscription, ...]:
    """Return all subscriptions without their secrets, in the order in which they were made."""
    with context.store.reading() as connection:
        listed = subscriptions.every(connection)
    now = context.clock()
    return tuple(rows.subscription(row, secrets=False, now=now) for row in listed)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to be different of a subscription; None leaves it."""

    url: str | None = None
    active: bool | None = None
    policy: DeliveryPolicy | None = None
    description: str | None = None
    faults: tuple[Fault, ...] | None = None


def change(context: Context, id: str, changes: Changes) -> Subscription:
    """Change a subscription. To activate one that was disabled forgets why it was.

    Raises:
        NotFound, Invalid: there is none of that id, or a value cannot be taken.
    """
    webhook = context.document.webhooks.get(found(context, id).event)
    columns = dict(_columns(context, webhook, changes))

    def write(transaction: Transaction) -> None:
        row = subscriptions.found(transaction.connection, id)
        subscriptions.change(transaction, id, columns)
        transaction.woken.add(row[0])

    context.store.write(write)
    return found(context, id)


def _columns(context: Context, webhook: Webhook | None, changes: Changes) -> Mapping[str, object]:
    columns: dict[str, object] = {}
    if changes.url is not None:
        columns["url"] = checked_url(changes.url, context.allowed_receivers)
    if changes.description is not None:
        text = checks.text("/description", changes.description, most=500, empty=True)
        columns["description"] = text
    if changes.policy is not None:
        checks.policy(changes.policy)
        columns["policy"] = rows.write_policy(changes.policy)
    if changes.faults is not None:
        check_faults(context, webhook, changes.faults)
        columns["faults"] = rows.write_faults(changes.faults)
    if changes.active is not None:
        columns["active"] = changes.active
        if changes.active:
            columns |= {"disabled": "", "failures": 0}
    return columns


def check_faults(context: Context, webhook: Webhook | None, faults: tuple[Fault, ...]) -> None:
    """Refuse faults that cannot be done.

    Raises:
        Invalid: a time is out of bounds, or a rule unknown.
    """
    forged = webhook is not None and any(fault.rule for fault in faults)
    rules = context.forge.rules(webhook) if forged and webhook else {}
    checks.faults(faults, rules)


def rotate(context: Context, id: str, asked: Rotation) -> Subscription:
    """Give a subscription a new secret; the old one stays valid during the overlap.

    Raises:
        NotFound, Invalid, Conflict: there is none of that id, a value cannot be taken, or the
            scheme or the subscription has no room for two signatures.
    """
    webhook = webhook_of(context, found(context, id).event)
    checks.number("/overlap", asked.overlap, 0, checks.LONGEST_OVERLAP)
    if asked.sign_with is SignWith.BOTH and webhook.scheme.repeat is None:
        raise Invalid(
            "/sign_with",
            f"{webhook.scheme.signature_header.name} carries one signature only",
            hint="sign with the new secret or the old one",
        )
    new = _secret(context, webhook, asked.secret or Generate.GENERATE)

    def write(transaction: Transaction) -> Subscription:
        now = context.clock()
        before = _with_secrets(transaction, id, now)
        rotated = _rotated(before, asked, new, now)
        subscriptions.rotate(transaction, id, rotated.secrets)
        return rotated

    rotated = context.store.write(write)
    return replace(rotated, secrets=replace(rotated.secrets, previous=None))


def _with_secrets(transaction: Transaction, id: str, now: float) -> Subscription:
    row = subscriptions.found(transaction.connection, id)
    return rows.subscription(row, secrets=True, now=now)


def _rotated(before: Subscription, asked: Rotation, new: str | None, now: float) -> Subscription:
    old = before.secrets.current if asked.overlap > 0 else None
    if old is None and asked.sign_with is not SignWith.NEW:
        raise Conflict(
            "there is no old secret to sign with"
            if before.secrets.current is None
            else "without an overlap, the old secret is no longer valid",
            where="/sign_with",
            hint="sign with the new secret",
        )
    secrets = Secrets(
        current=new,
        previous=old,
        overlap_until=now + asked.overlap if old is not None else None,
        sign_with=asked.sign_with,
    )
    return replace(before, secrets=secrets, signed=True, rotating=old is not None)


def remove(context: Context, id: str) -> None:
    """Remove a subscription and its secrets; what has not been sent yet is cancelled.

    Raises:
        NotFound: there is none of that id.
    """

    def write(transaction: Transaction) -> None:
        subscriptions.found(transaction.connection, id)
        deliveries.cancel_all(
            transaction, id, context.clock(), "cancelled: its webhook was removed"
        )
        subscriptions.rotate(transaction, id, Secrets())
        subscriptions.change(transaction, id, {"removed": 1, "active": 0})

    context.store.write(write)
