"""The account's plan, and which of the document's webhooks it has."""

from __future__ import annotations

import sqlite3

from hookproof_mockserver.engine.context import Context
from hookproof_mockserver.model import Account
from hookproof_mockserver.sender_errors import Invalid, PlanError
from hookproof_mockserver.store import subscriptions
from hookproof_spec.errors import did_you_mean
from hookproof_spec.webhook import Document, Webhook


def plans(document: Document) -> dict[str, bool]:
    """Return from each plan that the document names to whether it has any webhook."""
    known: dict[str, bool] = {}
    for webhook in document.webhooks.values():
        for plan in (*webhook.other_plans, *webhook.plans):
            known[plan] = known.get(plan, False) or plan in webhook.plans
    return known


def account(context: Context) -> Account:
    """Return the account; without a choice it has the last plan named that has webhooks."""
    with context.store.reading() as connection:
        return Account(plan=_plan(context, connection), plans=plans(context.document))


def _plan(context: Context, connection: sqlite3.Connection) -> str:
    known = plans(context.document)
    chosen = subscriptions.plan(connection)
    if chosen in known:
        return str(chosen)
    return next((plan for plan in reversed(known) if known[plan]), "")


def checked_plan(document: Document, plan: str) -> str:
    """Return a plan that the document names.

    Raises:
        Invalid: it names none of that name.
    """
    known = plans(document)
    if plan not in known:
        hint = did_you_mean(plan, known) or (f"there are: {', '.join(known)}" if known else "")
        raise Invalid("/plan", f"no plan {plan!r}", hint=hint)
    return plan


def has(context: Context, connection: sqlite3.Connection, webhook: Webhook) -> bool:
    """Tell whether the account's plan has a webhook."""
    named = (*webhook.plans, *webhook.other_plans)
    return not named or _plan(context, connection) in webhook.plans


def refuse_without(context: Context, webhook: Webhook) -> None:
    """Refuse what the account's plan does not have.

    Raises:
        PlanError: it has not this webhook.
    """
    with context.store.reading() as connection:
        if has(context, connection, webhook):
            return
        plan = _plan(context, connection)
    with_it = ", ".join(webhook.plans)
    raise PlanError(
        f"the plan {plan} has no webhook {webhook.name}",
        hint=f"change the plan to one of: {with_it}" if with_it else "no plan has it",
    )
