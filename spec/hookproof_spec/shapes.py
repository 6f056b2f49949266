"""What a self-contained schema says of one place of a payload."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from hookproof_spec import pointers

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

Schema = Mapping[str, "JsonValue"]

_SHORTEST_FREE = 64
"""A text that must be shorter than this has no room for a marker beside its own words."""
_BINDING = ("const", "contentEncoding", "contentMediaType", "enum", "format", "pattern")


def referred(root: Schema, schema: Schema) -> JsonValue:
    """Return what the `$ref` of a schema points to; None where that is nothing."""
    ref = schema.get("$ref")
    if not isinstance(ref, str) or not ref.startswith("#"):
        return None
    try:
        return pointers.get(dict(root), ref[1:])
    except pointers.PointerError:
        return None


def in_force(root: Schema, schema: JsonValue) -> tuple[Schema, ...]:
    """Return a schema and all that judge the same value with it, `$ref`s followed.

    Alternatives (`anyOf`, `oneOf`) are all in the list: one of them may be the one that counts.
    """
    found: list[Schema] = []
    waiting = [schema]
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, Mapping) and not any(current is other for other in found):
            found.append(current)
            waiting.append(referred(root, current))
            waiting += _alternatives(current)
    return tuple(found)


def _alternatives(schema: Schema) -> list[JsonValue]:
    lists = (schema.get(word) for word in ("allOf", "anyOf", "oneOf"))
    parts = [part for value in lists if isinstance(value, list) for part in value]
    return [*parts, schema.get("then"), schema.get("else")]


def at(root: Schema, pointer: str) -> tuple[Schema, ...]:
    """Return the schemas that judge the value at a pointer of a payload."""
    current = in_force(root, dict(root))
    for name in pointers.split(pointer):
        children = [child for schema in current for child in _children(schema, name)]
        current = tuple(part for child in children for part in in_force(root, child))
    return current


def _children(schema: Schema, name: str) -> Iterator[JsonValue]:
    properties, prefix = schema.get("properties"), schema.get("prefixItems")
    if isinstance(properties, Mapping) and name in properties:
        yield properties[name]
    elif isinstance(prefix, list) and name.isdecimal() and int(name) < len(prefix):
        yield prefix[int(name)]
    elif name.isdecimal() and "items" in schema:
        yield schema["items"]
    elif "additionalProperties" in schema:
        yield schema["additionalProperties"]


def free_texts(root: Schema, example: JsonValue) -> tuple[str, ...]:
    """Return the pointers of an example's texts that the schema lets be any text."""
    return tuple(
        pointer
        for pointer, value in pointers.leaves(example)
        if isinstance(value, str) and _is_free(at(root, pointer))
    )


def _is_free(schemas: tuple[Schema, ...]) -> bool:
    typed = any(_allows_text(schema.get("type")) for schema in schemas)
    return typed and not any(_binds(schema) for schema in schemas)


def _allows_text(kind: JsonValue) -> bool:
    return kind == "string" or (isinstance(kind, list) and "string" in kind)


def _binds(schema: Schema) -> bool:
    longest = schema.get("maxLength")
    short = isinstance(longest, int | float) and longest < _SHORTEST_FREE
    return short or any(word in schema for word in _BINDING)


def dates(root: Schema, example: JsonValue) -> tuple[tuple[str, str], ...]:
    """Return the pointers and formats of an example's dates and times."""
    found = []
    for pointer, value in pointers.leaves(example):
        formats = [schema.get("format") for schema in at(root, pointer)]
        known = [word for word in formats if word in ("date-time", "date", "time")]
        if isinstance(value, str) and known:
            found.append((pointer, str(known[0])))
    return tuple(found)


def marker(root: Schema, example: JsonValue, apart: Collection[str] = ()) -> str | None:
    """Return the free text that most likely identifies an event; None where there is none.

    `apart` are the pointers of those that are used for something else.
    """
    free = [pointer for pointer in free_texts(root, example) if pointer not in apart]
    named = (pointer for pointer in free if pointer.endswith(("id", "Id", "ID")))
    return next(named, None) or next(iter(free), None)
