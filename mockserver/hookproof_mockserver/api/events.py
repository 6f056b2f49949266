"""Events: listing them and bringing them about."""

from __future__ import annotations

import base64
import threading
from typing import TYPE_CHECKING

from hookproof_mockserver.api import views
from hookproof_mockserver.api.calls import Answer, Call
from hookproof_mockserver.api.paging import page
from hookproof_mockserver.api.webhooks import faults_from

if TYPE_CHECKING:
    from hookproof_mockserver.model import Event
    from hookproof_spec.webhook import JsonValue

_CHANGES = 100_000
"""More than can happen while one event is stored."""
_keyed = threading.Lock()
"""Held while an event with a key is stored, so that a change that is told is this request's own."""


def listed(call: Call) -> Answer:
    """Show a page of events, newest first."""
    return page(
        call,
        lambda: call.sender.events(
            after=call.text("after"), limit=call.whole("limit", 50), webhook=call.text("event")
        ),
        views.event_in_brief,
    )


def shown(call: Call) -> Answer:
    """Show one event."""
    return Answer(200, views.event(call.sender.event(call.ids["event"])))


def trigger(call: Call) -> Answer:
    """Bring an event about, once for each idempotency key."""
    if call.text("Idempotency-Key") is None:
        made, new = _triggered(call), True
    else:
        made, new = _triggered_once(call)
    headers = {"Location": f"/api/events/{made.id}"}
    return Answer(201 if new else 200, views.event(made), headers)


def _triggered_once(call: Call) -> tuple[Event, bool]:
    """Bring an event about, and tell whether it is new: a new one is told of when it is stored."""
    with _keyed, call.sender.hub.listen(_CHANGES) as heard:
        made = _triggered(call)
        told = iter(lambda: heard.get(0), None)
        return made, any(each is not None and each.id == made.id for each in told)


def _triggered(call: Call) -> Event:
    return call.sender.trigger(
        call.text("event"),
        payload=_payload(call),
        random=call.flag("random", False),
        allow_invalid=call.flag("allow_invalid", False),
        idempotency_key=call.text("Idempotency-Key"),
        faults=faults_from(call.members.get("faults")),
    )


def _payload(call: Call) -> JsonValue | bytes:
    """Return what is to be sent; None means the example, so that null is given as bytes."""
    if "payload_base64" in call.members:
        return base64.b64decode(str(call.members["payload_base64"]))
    value = call.members.get("payload")
    return b"null" if value is None and "payload" in call.members else value
