"""The dashboard: server-rendered pages that work without JavaScript and are live with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from werkzeug import Request, Response
from werkzeug.routing import Rule

from hookproof_mockserver.pages import (
    deliveries,
    delivery,
    events,
    overview,
    settings,
    stock,
    webhook,
    webhooks,
)
from hookproof_mockserver.pages.assets import serve
from hookproof_mockserver.pages.failing import error_page, telling
from hookproof_mockserver.pages.notes import Notes
from hookproof_mockserver.pages.visit import Visit

if TYPE_CHECKING:
    from hookproof_mockserver.site import Site

__all__ = ["error_page", "routes"]

Page = Callable[..., Response]

_READ: tuple[tuple[str, Page], ...] = (
    ("/", overview.show),
    ("/webhooks", webhooks.show),
    ("/webhooks/new", webhooks.new),
    ("/webhooks/<id>", webhook.show),
    ("/stock", stock.show),
    ("/events", events.show),
    ("/events/new", events.new),
    ("/events/<id>", events.one),
    ("/events/<id>/body", events.body),
    ("/deliveries", deliveries.show),
    ("/deliveries/<id>", delivery.show),
    ("/deliveries/<id>/attempts/<int:number>/<any(request,response):which>", delivery.body),
    ("/settings", settings.show),
)
_CHANGE: tuple[tuple[str, Page], ...] = (
    ("/webhooks", webhooks.register),
    ("/webhooks/<id>", webhook.change),
    ("/webhooks/<id>/active", webhook.activate),
    ("/webhooks/<id>/rotate", webhook.rotate),
    ("/webhooks/<id>/test", webhook.test),
    ("/webhooks/<id>/remove", webhook.remove),
    ("/stock", stock.add),
    ("/stock/<id>/consume", stock.consume),
    ("/stock/<id>/set", stock.set_quantity),
    ("/stock/<id>/remove", stock.remove),
    ("/events", events.trigger),
    ("/events/<id>/again", events.again),
    ("/deliveries/resend", deliveries.resend_failed),
    ("/deliveries/<id>/resend", delivery.resend),
    ("/deliveries/<id>/forge", delivery.forge),
    ("/deliveries/<id>/retry", delivery.retry),
    ("/deliveries/<id>/cancel", delivery.cancel),
    ("/settings/plan", settings.plan),
)


def routes() -> list[Rule]:
    """Return the pages' rules; each endpoint is a handler `(site, request, **values)`."""
    notes = Notes()
    reading = [
        Rule(path, endpoint=partial(_answer, notes, page), methods=["GET"]) for path, page in _READ
    ]
    changing = [
        Rule(path, endpoint=partial(_answer, notes, page), methods=["POST"])
        for path, page in _CHANGE
    ]
    return [*reading, *changing, Rule("/static/<name>", endpoint=serve, methods=["GET"])]


def _answer(notes: Notes, page: Page, site: Site, request: Request, **values: object) -> Response:
    visit = Visit(site, request, notes)
    return telling(visit, lambda: page(visit, **values))
