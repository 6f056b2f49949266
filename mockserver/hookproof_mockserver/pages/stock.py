"""Spare parts and how much of each lies where; taking the last one sends the event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from werkzeug import Response

from hookproof_mockserver.model import Event, Part
from hookproof_mockserver.pages.forms import Form, sentence
from hookproof_mockserver.pages.notes import Note
from hookproof_mockserver.pages.visit import Visit, stock_webhook
from hookproof_mockserver.sender_errors import Conflict, Invalid, NotFound
from hookproof_spec import payloads, pointers

if TYPE_CHECKING:
    from hookproof_spec.webhook import Webhook

MOST = 1_000_000
READY = 3
"""How many of the example part are in stock."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplePart:
    """The part of the document's example."""

    name: str
    article_code: str
    location: str


def example_part(webhook: Webhook) -> ExamplePart:
    """Return the part that the document's example is about."""
    value = payloads.example(webhook)
    facts = {fact: pointer for pointer, fact in (webhook.stock or {}).items()}

    def told(fact: str, otherwise: str) -> str:
        found = pointers.get(value, facts[fact]) if fact in facts else None
        return found if isinstance(found, str) and found else otherwise

    return ExamplePart(
        name=told("part.name", "Ball bearing"),
        article_code=told("part.article-code", "BRG-1"),
        location=told("location.name", "Main workshop"),
    )


def _stocked(visit: Visit) -> Webhook:
    webhook = stock_webhook(visit.document)
    if webhook is None:
        raise NotFound("page", "/stock", ())
    return webhook


def show(visit: Visit) -> Response:
    """Show all parts."""
    return _page(visit, Form())


def _page(visit: Visit, form: Form, failed: str = "") -> Response:
    webhook = _stocked(visit)
    return visit.page(
        "stock.html",
        status=200 if form.good else 422,
        form=form,
        failed=failed,
        parts=visit.sender.parts(),
        example=example_part(webhook),
        stock_event=webhook.name,
    )


def add(visit: Visit) -> Response:
    """Add the example part, or the one that was typed."""
    form = visit.form()
    example = example_part(_stocked(visit))
    if "example" in form.typed:
        places: list[tuple[str, int]] = [(example.location, READY)]
        part = visit.sender.add_part(
            name=example.name, article_code=example.article_code, locations=tuple(places)
        )
        return visit.back("/stock", Note(text=f"{part.name} is there: {READY} in stock."))
    name = form.text("name", needed="Give the part a name.")
    code = form.text("article_code", needed="Give the part an article code.")
    places = _places(form)
    if not form.good:
        return _page(visit, form)
    try:
        part = visit.sender.add_part(name=name, article_code=code, locations=tuple(places))
    except Invalid as error:
        form.blame(error, {"article_code": "article_code"}, "name")
        return _page(visit, form)
    return visit.go(f"/stock#{part.id}", Note(text=f"{part.name} is added."))


def _places(form: Form) -> list[tuple[str, int]]:
    first = form.text("location_name", needed="Say where the part lies.")
    places = [(first, form.whole("count", 0, MOST))]
    second = form.text("location_name_2")
    if second:
        places.append((second, form.whole("count_2", 0, MOST)))
    return places


def consume(visit: Visit, id: str) -> Response:
    """Take some of a part; say what it led to."""
    form = visit.form()
    location, quantity = form.text("location"), form.whole("quantity", 1, MOST)
    before = visit.sender.part(id)
    if not form.good:
        return _page(visit, form, f"take-{id}-{location}")
    try:
        after, event = visit.sender.consume(id, location, quantity)
    except (Conflict, Invalid) as error:
        form.refuse("quantity", sentence(error))
        return _page(visit, form, f"take-{id}-{location}")
    return visit.back(f"/stock#{id}", _told(visit, (before, after), location, event))


def set_quantity(visit: Visit, id: str) -> Response:
    """Set how much there is of a part; say what it led to."""
    form = visit.form()
    location, quantity = form.text("location"), form.whole("quantity", 0, MOST)
    before = visit.sender.part(id)
    if not form.good:
        return _page(visit, form, f"set-{id}-{location}")
    after, event = visit.sender.set_stock(id, location, quantity)
    return visit.back(f"/stock#{id}", _told(visit, (before, after), location, event))


def _told(visit: Visit, parts: tuple[Part, Part], location: str, event: Event | None) -> Note:
    before, after = (_quantity(part, location) for part in parts)
    change = f"{parts[1].name}: {before} → {after}"
    if event is None:
        return Note(text=f"{change}.")
    sent = visit.sender.deliveries(event=event.id, limit=100).items
    if not sent:
        text = f"{change}: {event.webhook} happened, but no active webhook takes it."
        return Note(text=text, good=False, link="/webhooks/new", link_text="Register one")
    count = f"{len(sent)} webhook{'' if len(sent) == 1 else 's'}"
    link = f"/deliveries/{sent[0].id}" if len(sent) == 1 else f"/events/{event.id}"
    text = f"{change}: {event.webhook} sent to {count}."
    return Note(text=text, link=link, link_text="Look at it")


def _quantity(part: Part, location: str) -> int:
    return next((place.quantity for place in part.locations if place.id == location), 0)


def remove(visit: Visit, id: str) -> Response:
    """Remove a part from every location."""
    name = visit.sender.part(id).name
    visit.sender.remove_part(id)
    return visit.go("/stock", Note(text=f"{name} is removed."))
