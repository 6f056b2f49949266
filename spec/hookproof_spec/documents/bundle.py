"""From a schema spread over a document and its files to one that stands alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from hookproof_spec import keywords
from hookproof_spec.documents.resolve import Library, Place, RefError
from hookproof_spec.errors import Problem
from hookproof_spec.nodes import shown
from hookproof_spec.pointers import join, split

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

_UNSUPPORTED = ("$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveRef")
_DIALECTS = (
    "https://json-schema.org/draft/2020-12/schema",
    "https://spec.openapis.org/oas/3.1/dialect/base",
)


@final
@dataclass(frozen=True, slots=True)
class Bundle:
    """A schema that stands alone, and where each of its parts stood in the document.

    `origins` goes from a pointer into `schema` to the place of the subschema there.
    """

    schema: dict[str, JsonValue]
    origins: Mapping[str, Place]

    def origin(self, pointer: str) -> Place:
        """Return the place in the document of anything in the schema."""
        names = split(pointer)
        for length in range(len(names), -1, -1):
            start = join(*names[:length])
            if start in self.origins:
                return self.origins[start].child(*_indices(names[length:]))
        return self.origins[""]

    def parts(self) -> Iterator[tuple[str, dict[str, JsonValue]]]:
        """Yield the pointer and the bundled form of every subschema that is no boolean."""
        stack: list[tuple[str, object]] = [("", self.schema)]
        definitions = self.schema.get("$defs")
        if isinstance(definitions, dict):
            stack += [(join("$defs", name), value) for name, value in definitions.items()]
        while stack:
            pointer, value = stack.pop()
            if isinstance(value, dict):
                yield pointer, value
                stack += [(pointer + join(*way), part) for way, part in keywords.subschemas(value)]


def _indices(names: tuple[str, ...]) -> tuple[str | int, ...]:
    return tuple(int(name) if name.isdecimal() else name for name in names)


def bundle(place: Place, library: Library, found: list[Problem]) -> Bundle | None:
    """Return a schema with all it refers to; None when it is no schema or a `$ref` fails."""
    start = library.settle(place, found) if _only_refers(place) else place
    if start is None:
        return None
    if not isinstance(start.value, dict):
        found.append(start.problem(f"a schema must be a mapping, not {shown(start.value)}"))
        return None
    before = len(found)
    schema, origins = _Bundler(library, found).run(start)
    return Bundle(schema, origins) if len(found) == before else None


def _only_refers(place: Place) -> bool:
    value = place.value
    return isinstance(value, dict) and set(value) <= {"$ref", "description", "summary", "title"}


@final
class _Bundler:
    """Copies schemas; each target of a `$ref` becomes one entry of `$defs`."""

    def __init__(self, library: Library, found: list[Problem]) -> None:
        self._library = library
        self._found = found
        self._names: dict[tuple[Path, str], str] = {}
        self._waiting: list[tuple[str, Place]] = []
        self._origins: dict[str, Place] = {}

    def run(self, start: Place) -> tuple[dict[str, JsonValue], dict[str, Place]]:
        schema: dict[str, JsonValue] = self._mapping(start, "")
        definitions: dict[str, JsonValue] = {}
        while self._waiting:
            name, place = self._waiting.pop()
            definitions[name] = self._copy(place, join("$defs", name))
        if definitions:
            schema["$defs"] = dict(sorted(definitions.items()))
        return schema, self._origins

    def _copy(self, place: Place, pointer: str) -> JsonValue:
        value = place.value
        if isinstance(value, dict):
            return self._mapping(place, pointer)
        if not isinstance(value, bool):
            self._found.append(
                place.problem(f"a schema must be a mapping or a boolean, not {shown(value)}")
            )
        return bool(value)

    def _mapping(self, place: Place, pointer: str) -> dict[str, JsonValue]:
        value = place.value
        if not isinstance(value, dict):
            return {}
        self._origins[pointer] = place
        self._check_dialect(place)
        copy = {word: part for word, part in value.items() if word not in keywords.DEFINITIONS}
        for way, _ in keywords.subschemas(value):
            inner = self._copy(place.child(*way), pointer + join(*way))
            copy[way[0]] = _with(copy[way[0]], way[1:], inner)
        if "$ref" in copy:
            copy["$ref"] = self._reference(place)
        return copy

    def _reference(self, place: Place) -> str:
        try:
            target = self._library.follow(place)
        except RefError as error:
            self._found.append(place.child("$ref").problem(str(error), error.hint))
            return "#"
        return "#" + join("$defs", self._name(target))

    def _name(self, target: Place) -> str:
        key = (target.file, target.pointer)
        if key not in self._names:
            last = target.pointer.rpartition("/")[2] or target.file.stem
            stem = re.sub(r"[^A-Za-z0-9._-]", "_", last)
            taken = set(self._names.values())
            name = next(n for n in _numbered(stem) if n not in taken)
            self._names[key] = name
            self._waiting.append((name, target))
        return self._names[key]

    def _check_dialect(self, place: Place) -> None:
        for word in _UNSUPPORTED:
            if place.has(word):
                self._found.append(
                    place.child(word).problem(f"{word} is not supported", "use $ref with a pointer")
                )
        dialect = place.child("$schema")
        if dialect.value is not None and dialect.value not in _DIALECTS:
            self._found.append(
                dialect.problem(f"the dialect {shown(dialect.value)} is not supported")
            )


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    number = 2
    while True:
        yield f"{stem}-{number}"
        number += 1


def _with(whole: JsonValue, way: keywords.Path, part: JsonValue) -> JsonValue:
    """Return a copy of a keyword's value in which one schema is replaced."""
    if not way:
        return part
    if isinstance(whole, list):
        return [part if place == way[0] else item for place, item in enumerate(whole)]
    return {**whole, str(way[0]): part} if isinstance(whole, dict) else part
