"""Stock that runs out: when that is, and the payload that tells of it.

Pure: records and a moment in, values out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import final

from hookproof_mockserver.model import Location, Part
from hookproof_mockserver.sender_errors import Conflict, Invalid, NotFound
from hookproof_spec.payloads import example
from hookproof_spec.pointers import INDEX, split
from hookproof_spec.webhook import JsonValue, Webhook

MOST = 1_000_000_000
"""The largest quantity that can lie in one place."""


@final
@dataclass(frozen=True, slots=True)
class Movement:
    """Something was taken from a place, or counted there, at `at` in Unix seconds."""

    part: Part
    location: Location
    at: float


def runs_out(before: int, after: int) -> bool:
    """Tell whether a quantity has just come to zero; what was zero before has not."""
    return before > 0 and after == 0


def place(part: Part, id: str) -> Location:
    """Return a part's location.

    Raises:
        NotFound: the part has no such location.
    """
    for location in part.locations:
        if location.id == id:
            return location
    raise NotFound("location", id, (location.id for location in part.locations))


def consumed(part: Part, location: Location, quantity: int) -> int:
    """Return how much is left when some is taken away.

    Raises:
        Conflict: there is not so much.
        Invalid: it is no number above zero.
    """
    check_quantity("/quantity", quantity, least=1)
    if quantity > location.quantity:
        raise Conflict(
            f"{quantity} of {part.name!r} cannot be consumed: there are {location.quantity}"
            f" at {location.name!r}",
            where="/quantity",
            hint="consume less, or set the stock first",
        )
    return location.quantity - quantity


def check_quantity(field: str, quantity: int, *, least: int = 0) -> None:
    """Refuse what is no quantity.

    Raises:
        Invalid: it is below `least` or too large.
    """
    if not least <= quantity <= MOST:
        raise Invalid(field, f"a quantity is from {least} to {MOST:,}, not {quantity:,}")


def written(moment: float) -> str:
    """Write a moment as RFC 3339 has it, in UTC, with milliseconds."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def facts(movement: Movement) -> Mapping[str, str]:
    """Return the facts of a movement, by the names that documents use."""
    part, location, moment = movement.part, movement.location, written(movement.at)
    return {
        "event.time": moment,
        "location.id": location.id,
        "location.name": location.name,
        "movement.time": moment,
        "part.article-code": part.article_code,
        "part.id": part.id,
        "part.name": part.name,
    }


def payload(webhook: Webhook, movement: Movement) -> JsonValue:
    """Return the webhook's example with the facts of a movement in their places.

    Raises:
        DocumentError: the document has no example and none can be built.
    """
    known = facts(movement)
    value = example(webhook)
    for pointer, fact in (webhook.stock or {}).items():
        value = _put(value, split(pointer), known[fact])
    return value


def _put(value: JsonValue, names: tuple[str, ...], new: str) -> JsonValue:
    """Return a copy with a text at one place, which is made where the example lacks it."""
    if not names:
        return new
    name, rest = names[0], names[1:]
    if isinstance(value, list) and INDEX.fullmatch(name) and int(name) < len(value):
        index = int(name)
        return [*value[:index], _put(value[index], rest, new), *value[index + 1 :]]
    members = value if isinstance(value, dict) else {}
    return {**members, name: _put(members.get(name), rest, new)}
