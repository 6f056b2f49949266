"""A signature header as its items, to be left out, doubled, re-ordered and re-typed."""

from __future__ import annotations

from hookproof_spec.request import Request
from hookproof_spec.scheme import CarriedHeader
from hookproof_spec.signing import Delivery
from hookproof_spec.templates import ItemsHeader


def header_of(delivery: Delivery) -> CarriedHeader:
    """Return the header that carries the signature."""
    return delivery.scheme.signature_header


def value_of(delivery: Delivery) -> str:
    """Return the signature header's value."""
    return delivery.request.header(header_of(delivery).name) or ""


def separator_of(delivery: Delivery) -> str:
    """Return what separates the items; a comma where the header has none."""
    shape = header_of(delivery).shape
    return shape.separator if isinstance(shape, ItemsHeader) else ","


def items_of(delivery: Delivery) -> tuple[str, ...]:
    """Return the header's items, `key=value` each."""
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
    """Return the request whose signature header has these items."""
    return with_value(delivery, separator_of(delivery).join(items))


def with_value(delivery: Delivery, value: str) -> Request:
    """Return the request whose signature header is this text."""
    return delivery.request.with_header(header_of(delivery).name, value)
