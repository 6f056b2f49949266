"""Spare parts: what there is, taking some out, and saying how much there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookproof_mockserver.api import views
from hookproof_mockserver.api.calls import Answer, Call, created

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookproof_mockserver.model import Event, Part


def listed(call: Call) -> Answer:
    """Show all parts."""
    return Answer(200, {"items": [views.part(each) for each in call.sender.parts()]})


def add(call: Call) -> Answer:
    """Add a part."""
    made = call.sender.add_part(
        name=str(call.members["name"]),
        article_code=str(call.members["article_code"]),
        locations=tuple(_locations(call)),
    )
    return created(f"/api/parts/{made.id}", views.part(made))


def _locations(call: Call) -> Iterator[tuple[str, int]]:
    given = call.members["locations"]
    for each in given if isinstance(given, list) else []:
        if isinstance(each, dict) and isinstance(each["quantity"], int | float):
            yield str(each["name"]), int(each["quantity"])


def shown(call: Call) -> Answer:
    """Show one part."""
    return Answer(200, views.part(call.sender.part(call.ids["part"])))


def remove(call: Call) -> Answer:
    """Remove a part."""
    call.sender.remove_part(call.ids["part"])
    return Answer(204, None)


def consume(call: Call) -> Answer:
    """Take some of a part out of a location."""
    return _changed(
        *call.sender.consume(
            call.ids["part"], str(call.members["location"]), call.whole("quantity", 1)
        )
    )


def set_quantity(call: Call) -> Answer:
    """Say how much of a part a location holds."""
    return _changed(
        *call.sender.set_stock(call.ids["part"], call.ids["location"], call.whole("quantity", 0))
    )


def _changed(part: Part, event: Event | None) -> Answer:
    return Answer(
        200,
        {"part": views.part(part), "event": None if event is None else views.event(event)},
    )
