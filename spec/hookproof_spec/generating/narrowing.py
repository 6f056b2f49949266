"""A schema as its readers take it: OpenAPI's number formats become bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hookproof_spec import keywords, pointers
from hookproof_spec.generating.formats import RANGES

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue


def narrowed(schema: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a schema in which `int32` and its like are bounds: a typed receiver has them."""
    found = {word: _narrowed_under(word, value) for word, value in schema.items()}
    bounds = RANGES.get(str(schema.get("format")))
    kinds = schema.get("type")
    numeric = kinds in ("integer", "number") or (isinstance(kinds, list) and "integer" in kinds)
    if bounds is None or not numeric:
        return found
    parts = found.get("allOf")
    bound: JsonValue = {"minimum": bounds[0], "maximum": bounds[1]}
    return {**found, "allOf": [*(parts if isinstance(parts, list) else []), bound]}


def _narrowed_under(word: str, value: JsonValue) -> JsonValue:
    if word in keywords.ONE and isinstance(value, Mapping):
        return narrowed(value)
    if word in keywords.MANY and isinstance(value, list):
        return [narrowed(part) if isinstance(part, Mapping) else part for part in value]
    if word in (*keywords.NAMED, *keywords.DEFINITIONS) and isinstance(value, Mapping):
        return {
            name: narrowed(part) if isinstance(part, Mapping) else part
            for name, part in value.items()
        }
    return value


def place_of(schema: Mapping[str, JsonValue] | bool, word: str, value: JsonValue) -> str:
    """Return the pointer of the first place of a schema where a keyword has this value."""
    found = () if isinstance(schema, bool) else _places(dict(schema), "", word, value)
    return next(iter(found), "")


def _places(value: JsonValue, pointer: str, word: str, wanted: JsonValue) -> Iterator[str]:
    if isinstance(value, Mapping):
        if value.get(word) == wanted:
            yield pointer + pointers.token(word)
        for name, part in value.items():
            yield from _places(part, pointer + pointers.token(name), word, wanted)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _places(part, pointer + pointers.token(place), word, wanted)
