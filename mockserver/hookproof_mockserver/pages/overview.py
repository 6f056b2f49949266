"""The first page: what to do next, and what is going on."""

from __future__ import annotations

from werkzeug import Response

from hookproof_mockserver.model import Location, Part
from hookproof_mockserver.pages import commands
from hookproof_mockserver.pages.lists import said
from hookproof_mockserver.pages.stock import example_part
from hookproof_mockserver.pages.visit import Visit, stock_webhook

RECENT = 10


def show(visit: Visit) -> Response:
    """Show the steps from nothing to a delivery, the counts and the latest deliveries."""
    sender = visit.sender
    stocked = stock_webhook(visit.document)
    webhooks = sender.subscriptions()
    parts = sender.parts() if stocked else ()
    recent = sender.deliveries(limit=RECENT).items
    consumable = _consumable(parts)
    emptied = any(place.quantity == 0 for part in parts for place in part.locations)
    first = stocked or next(iter(visit.document.webhooks.values()))
    return visit.page(
        "overview.html",
        webhooks=webhooks,
        parts=parts,
        recent=recent,
        consumable=consumable,
        emptied=emptied,
        first=first,
        example=example_part(stocked) if stocked else None,
        stock_event=stocked.name if stocked else "",
        listen=commands.listen(visit.document, first, webhooks[0].url if webhooks else ""),
        said=said(sender.counts()),
        next=_next(bool(webhooks), bool(recent), parts if stocked else None),
    )


def _consumable(parts: tuple[Part, ...]) -> tuple[Part, Location] | None:
    """Return the part that is out the soonest, and where it lies."""
    there = [(part, place) for part in parts for place in part.locations if place.quantity > 0]
    return min(there, key=lambda found: found[1].quantity, default=None)


def _next(registered: bool, sent: bool, parts: tuple[Part, ...] | None) -> str:
    """Name the step to be taken next; "" when all were."""
    if not registered:
        return "register"
    if sent:
        return ""
    if parts is None:
        return "trigger"
    if not parts:
        return "part"
    return "consume" if _consumable(parts) else "refill"
