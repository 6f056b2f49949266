"""What an operation says to the mock sender: the plans that have it, and the stock it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hookproof_spec import pointers
from hookproof_spec.errors import one_of
from hookproof_spec.nodes import Node, nearest, shown, str_of
from hookproof_spec.pointers import PointerError

if TYPE_CHECKING:
    from hookproof_spec.documents.resolve import Place
    from hookproof_spec.errors import Problem
    from hookproof_spec.webhook import JsonValue

FACTS = (
    "event.time",
    "location.id",
    "location.name",
    "movement.time",
    "part.article-code",
    "part.id",
    "part.name",
)
"""What is known of a stock change. Times are written as RFC 3339 has them, in UTC."""


def read_plans(operation: Place, found: list[Problem]) -> Mapping[str, bool]:
    """Return from each plan that `x-webhook-plans` names to whether it has the webhook."""
    if not operation.has("x-webhook-plans"):
        return {}
    node = operation.child("x-webhook-plans").node(found)
    if not isinstance(node.value, Mapping):
        return dict.fromkeys(node.texts("x-webhook-plans"), True)
    plans = node.mapping("x-webhook-plans") or {}
    for plan, has in plans.items():
        if not isinstance(has, bool):
            node.child(plan, has).error(
                f"a plan has webhooks or not: {shown(has)}", one_of(("true", "false"))
            )
    return {plan: has is True for plan, has in plans.items()}


def read_stock(
    operation: Place, schema: Mapping[str, JsonValue], found: list[Problem]
) -> Mapping[str, str] | None:
    """Return from JSON pointers into the payload to facts; None where no stock is told of."""
    if not operation.has("x-webhook-stock"):
        return None
    node = operation.child("x-webhook-stock").node(found)
    mapping = node.mapping("x-webhook-stock")
    if mapping is None:
        return None
    for pointer, fact in mapping.items():
        _check(node.child(pointer, fact), pointer, schema)
    return {pointer: str_of(fact) for pointer, fact in mapping.items()}


def _check(place: Node, pointer: str, schema: Mapping[str, JsonValue]) -> None:
    if place.value not in FACTS:
        place.error(f"unknown fact {shown(place.value)}", nearest(str_of(place.value), FACTS))
    try:
        names = pointers.split(pointer)
    except PointerError as error:
        place.error(error.problem, error.hint)
        return
    known = _described(schema)
    if not names or pointer not in known:
        hint = nearest(pointer, known) if known else "it names no members"
        place.error(f"the payload's schema describes nothing at {pointer}", hint)


def _described(schema: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Return the pointers of the members that a schema names, as deep as it does not recur."""
    return tuple(_members(dict(schema), schema, "", ()))


def _members(
    part: JsonValue, root: Mapping[str, JsonValue], pointer: str, way: tuple[str, ...]
) -> list[str]:
    if not isinstance(part, Mapping):
        return []
    found: list[str] = []
    reference = part.get("$ref")
    if isinstance(reference, str) and reference.startswith("#") and reference not in way:
        target = pointers.get(dict(root), reference[1:])
        found += _members(target, root, pointer, (*way, reference))
    for word in ("allOf", "anyOf", "oneOf"):
        listed = part.get(word)
        for branch in listed if isinstance(listed, list) else ():
            found += _members(branch, root, pointer, way)
    properties = part.get("properties")
    for name, inner in properties.items() if isinstance(properties, Mapping) else ():
        place = pointer + pointers.token(name)
        found += [place, *_members(inner, root, place, way)]
    return found
