"""Deliveries: listing, looking into one, sending again, forging, cancelling."""

from __future__ import annotations

from hookproof_mockserver.api import views
from hookproof_mockserver.api.calls import Answer, Call, created
from hookproof_mockserver.api.paging import page
from hookproof_mockserver.model import DeliveryState
from hookproof_mockserver.moments import seconds_of


def listed(call: Call) -> Answer:
    """Show a page of deliveries, newest first."""
    return page(
        call,
        lambda: call.sender.deliveries(
            after=call.text("after"),
            limit=call.whole("limit", 50),
            state=_state(call),
            subscription=call.text("webhook"),
            event=call.text("event"),
            failed_since=_time(call, "failed_since"),
            text=call.text("text"),
        ),
        views.delivery,
    )


def _state(call: Call) -> DeliveryState | None:
    name = call.text("state")
    return None if name is None else DeliveryState(name)


def _time(call: Call, name: str) -> float | None:
    text = call.text(name)
    return None if text is None else seconds_of(text)


def shown(call: Call) -> Answer:
    """Show one delivery with its attempts."""
    id = call.ids["delivery"]
    found = call.sender.delivery(id)
    return Answer(200, views.delivery_in_full(found, call.sender.attempts(id)))


def resend(call: Call) -> Answer:
    """Send one once more."""
    made = call.sender.resend(call.ids["delivery"], verbatim=call.flag("verbatim", True))
    return created(f"/api/deliveries/{made.id}", views.delivery(made))


def resend_many(call: Call) -> Answer:
    """Send once more all that match; without a condition, all that failed."""
    conditions = {"state", "webhook", "since", "until"} & call.members.keys()
    made = call.sender.resend_many(
        state=_state(call) if conditions else DeliveryState.FAILED,
        subscription=call.text("webhook"),
        since=_time(call, "since"),
        until=_time(call, "until"),
    )
    return Answer(200, {"items": [views.delivery(each) for each in made]})


def forge(call: Call) -> Answer:
    """Send what a rule of the contract would send."""
    made = call.sender.forge(call.ids["delivery"], str(call.members["rule"]))
    return created(f"/api/deliveries/{made.id}", views.delivery(made))


def cancel(call: Call) -> Answer:
    """Give up on one."""
    return Answer(200, views.delivery(call.sender.cancel(call.ids["delivery"])))


def retry(call: Call) -> Answer:
    """Try one now."""
    return Answer(200, views.delivery(call.sender.retry_now(call.ids["delivery"])))


def forgeries(call: Call) -> Answer:
    """Show the rules whose requests can be sent."""
    webhook = call.sender.document.webhook(call.text("event"))
    rules = call.sender.forgeries(webhook)
    return Answer(200, {"items": [{"rule": rule, "title": title} for rule, title in rules.items()]})
