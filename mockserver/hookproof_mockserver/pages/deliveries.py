"""All deliveries, filtered, and sending the failed ones again."""

from __future__ import annotations

from werkzeug import Response

from hookproof_mockserver.model import DeliveryState
from hookproof_mockserver.pages.lists import PER_PAGE, pager, said
from hookproof_mockserver.pages.notes import Note
from hookproof_mockserver.pages.visit import Visit

FILTERS = ("text", "state", "webhook")


def show(visit: Visit) -> Response:
    """Show the deliveries that fit the filter, newest first."""
    asked = {name: visit.asked(name)[:200] for name in FILTERS}
    known = [state.value for state in DeliveryState]
    if asked["state"] not in known:
        asked["state"] = ""
    found = visit.sender.deliveries(
        after=visit.asked("after") or None,
        limit=PER_PAGE,
        state=DeliveryState(asked["state"]) if asked["state"] else None,
        subscription=asked["webhook"] or None,
        text=asked["text"] or None,
    )
    return visit.page(
        "deliveries.html",
        deliveries=found.items,
        webhooks=visit.sender.subscriptions(),
        asked=asked,
        filtered=any(asked.values()),
        pager=pager(visit, "/deliveries", asked, found.after),
        said=said(visit.sender.counts()),
    )


def resend_failed(visit: Visit) -> Response:
    """Send the failed deliveries of one webhook, or of all, once more."""
    webhook = visit.form().text("webhook")
    sent = visit.sender.resend_many(state=DeliveryState.FAILED, subscription=webhook or None)
    if not sent:
        return visit.go("/deliveries", Note(text="Nothing had failed.", good=False))
    count = f"{len(sent)} {'delivery is' if len(sent) == 1 else 'deliveries are'}"
    return visit.go("/deliveries", Note(text=f"{count} sent again, signed anew."))
