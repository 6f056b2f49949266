"""What carries the signature, as its items, to be left out, doubled, re-ordered and re-typed.

Most often it is a header; in some schemes it is a parameter, a field of a form or a JSON member.
"""

from __future__ import annotations

from hookproof_spec import placing
from hookproof_spec.request import Request
from hookproof_spec.scheme import Carried, CarriedHeader
from hookproof_spec.signing import Delivery
from hookproof_spec.stamps import text_at
from hookproof_spec.templates import ItemsHeader


def header_of(delivery: Delivery) -> Carried:
    """Return the place that carries the signature."""
    return delivery.scheme.signature_place


def value_of(delivery: Delivery) -> str:
    """Return what stands there; nothing where it is not readable."""
    text = text_at(header_of(delivery), delivery.request)
    return text if isinstance(text, str) else ""


def separator_of(delivery: Delivery) -> str:
    """Return what separates the items; a comma where there are none."""
    shape = header_of(delivery).shape
    return shape.separator if isinstance(shape, ItemsHeader) else ","


def items_of(delivery: Delivery) -> tuple[str, ...]:
    """Return the items, `key=value` each."""
    return tuple(item.strip() for item in value_of(delivery).split(separator_of(delivery)))


def key_of(delivery: Delivery, name: str) -> str | None:
    """Return the key of the item that carries a value: `t` for `timestamp`."""
    shape = header_of(delivery).shape
    if not isinstance(shape, ItemsHeader):
        return None
    return next((key for key, carried in shape.keys.items() if carried == name), None)


def item(delivery: Delivery, name: str, value: str) -> str:
    """Return an item that carries a value under the key of `name`."""
    return f"{key_of(delivery, name)}={value}"


def with_items(delivery: Delivery, items: tuple[str, ...]) -> Request:
    """Return the request in which the signature's place has these items."""
    return with_value(delivery, separator_of(delivery).join(items))


def with_value(delivery: Delivery, value: str) -> Request:
    """Return the request in which the signature's place holds this text, and no second one is."""
    return placing.put(_without_second(delivery), header_of(delivery), value)


def without(delivery: Delivery, place: Carried | None = None) -> Request:
    """Return the request without any signature, or without another place."""
    if place is not None:
        return placing.without(delivery.request, place)
    return placing.without(_without_second(delivery), header_of(delivery))


def _without_second(delivery: Delivery) -> Request:
    """Return the request without the signature by a second key, which would do by itself."""
    second = delivery.scheme.place_of("signature2")
    return delivery.request if second is None else placing.without(delivery.request, second)


def name_of(place: Carried) -> str:
    """Name a place in a note: a header by its name alone."""
    return place.name if isinstance(place, CarriedHeader) else f"the {place}"
