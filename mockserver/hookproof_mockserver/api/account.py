"""The account, the sender's health, and its own document."""

from __future__ import annotations

import time

from hookproof_mockserver.api import views
from hookproof_mockserver.api.calls import Answer, Call


def document(call: Call) -> Answer:
    """Show the API's own document."""
    return Answer(200, dict(call.document))


def health(call: Call) -> Answer:
    """Show that the sender is well."""
    counts = call.sender.counts()
    return Answer(
        200,
        {
            "status": "ok",
            "document": call.sender.document.name,
            "seconds": round(max(0.0, time.time() - call.site.started), 3),
            "deliveries": {state.value: count for state, count in counts.items()},
        },
    )


def account(call: Call) -> Answer:
    """Show the plan."""
    return Answer(200, views.account(call.sender.account))


def set_plan(call: Call) -> Answer:
    """Take another plan."""
    call.sender.set_plan(str(call.members["plan"]))
    return account(call)
