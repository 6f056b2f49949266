"""What is wrong with a webhook's schema and with the values it gives as examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import jsonschema_rs

from hookproof_spec import keywords, payloads
from hookproof_spec.building import FORMATS as TEXT_FORMATS
from hookproof_spec.documents.bundle import Bundle
from hookproof_spec.errors import Problem, Severity, did_you_mean
from hookproof_spec.nodes import shown
from hookproof_spec.pointers import join, split

if TYPE_CHECKING:
    from hookproof_spec.documents.resolve import Place
    from hookproof_spec.webhook import JsonValue

_METASCHEMA = "https://json-schema.org/draft/2020-12/schema"
_FORMATS = frozenset(
    (*TEXT_FORMATS, "binary", "byte", "double", "float", "int32", "int64", "password")
)


@lru_cache(maxsize=1)
def _metaschema() -> jsonschema_rs.Draft202012Validator:
    return payloads.compiled({"$ref": _METASCHEMA})


def schema_problems(bundle: Bundle) -> list[Problem]:
    """Return what is wrong with a schema: its words, its recursion, its own examples."""
    found = [_told(bundle, problem) for problem in _broken_words(bundle)]
    found += _endless(bundle)
    if not found:
        found += _unusable(bundle)
    if not found:
        found += _bad_values(bundle)
    return [*found, *_spelling(bundle)]


def value_problems(bundle: Bundle, place: Place) -> list[Problem]:
    """Return how an example breaks the schema it illustrates, told at the example."""
    return [
        place.problem(f"the example breaks its schema at {_at(problem)}: {problem.message}")
        for problem in payloads.problems(payloads.compiled(bundle.schema), place.value)  # type: ignore[arg-type]
    ]


def _at(problem: Problem) -> str:
    return problem.pointer or "its root"


def _broken_words(bundle: Bundle) -> Iterator[Problem]:
    seen = set()
    for problem in payloads.problems(_metaschema(), bundle.schema):
        if problem.pointer not in seen:
            seen.add(problem.pointer)
            yield problem


def _told(bundle: Bundle, problem: Problem) -> Problem:
    place = bundle.origin(problem.pointer)
    word = (split(problem.pointer) or ("",))[-1]
    value = place.value
    known = ("array", "boolean", "integer", "null", "number", "object", "string")
    if word == "type" and isinstance(value, str):
        hint = did_you_mean(value[:60], known) or "allowed: " + ", ".join(known)
        return place.problem(f"unknown type {shown(value)}", hint)
    return place.problem(f"not a JSON Schema: {problem.message}")


def _endless(bundle: Bundle) -> list[Problem]:
    """Find schemas that refer back to themselves without going into the value."""
    definitions = bundle.schema.get("$defs")
    schemas: dict[str, object] = {"": bundle.schema}
    if isinstance(definitions, dict):
        schemas |= {join("$defs", name): schema for name, schema in definitions.items()}
    edges = {pointer: set(_in_place_refs(schema)) for pointer, schema in schemas.items()}
    return [
        bundle.origin(pointer).problem(
            "the schema refers back to itself for the same value", "let a property or item do so"
        )
        for pointer in edges
        if _reaches(edges, pointer)
    ]


def _in_place_refs(schema: object) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("$ref"), str):
        yield schema["$ref"][1:]
    for way, part in keywords.subschemas(schema):
        if way[0] in keywords.IN_PLACE:
            yield from _in_place_refs(part)


def _reaches(edges: Mapping[str, set[str]], start: str) -> bool:
    waiting, seen = list(edges[start]), set[str]()
    while waiting:
        pointer = waiting.pop()
        if pointer == start:
            return True
        if pointer not in seen:
            seen.add(pointer)
            waiting += edges.get(pointer, ())
    return False


def _unusable(bundle: Bundle) -> list[Problem]:
    """Compile the schema, and see whether any value can satisfy it."""
    try:
        payloads.compiled(bundle.schema)
        if _satisfiable(bundle.schema):
            return []
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        reason = shown(str(error))
        return [bundle.origin("").problem(f"the schema cannot be compiled: {reason}")]
    culprits = [pointer for pointer, schema in bundle.parts() if not _possible(bundle, schema)]
    deepest = [p for p in culprits if not any(q.startswith(p + "/") for q in culprits if p)]
    return [
        bundle.origin(pointer).problem("no value can satisfy this schema", "its limits exclude all")
        for pointer in [pointer for pointer in deepest if pointer] or [""]
    ]


def _satisfiable(schema: dict[str, JsonValue]) -> bool:
    return str(jsonschema_rs.canonicalize(schema).satisfiability()) != "no"


def _possible(bundle: Bundle, schema: dict[str, JsonValue]) -> bool:
    # A part that reaches the culprit through a $ref only repeats what the target tells.
    local = {word: value for word, value in schema.items() if word != "$ref"}
    return _satisfiable(local | {"$defs": bundle.schema.get("$defs", {})})


def _bad_values(bundle: Bundle) -> list[Problem]:
    return [
        problem
        for pointer, schema in bundle.parts()
        for way in _own_values(schema)
        for problem in _bad_value(bundle, pointer, schema, way)
    ]


def _own_values(schema: Mapping[str, JsonValue]) -> Iterator[tuple[str | int, ...]]:
    yield from ((word,) for word in ("default", "example") if word in schema)
    examples = schema.get("examples")
    if isinstance(examples, list):
        yield from (("examples", place) for place in range(len(examples)))


def _bad_value(
    bundle: Bundle, pointer: str, schema: dict[str, JsonValue], way: tuple[str | int, ...]
) -> list[Problem]:
    whole = {**schema, "$defs": bundle.schema.get("$defs", {})}
    place = bundle.origin(pointer).child(*way)
    return [
        place.problem(f"{way[0]!r} breaks its schema at {_at(problem)}: {problem.message}")
        for problem in payloads.problems(payloads.compiled(whole), place.value)  # type: ignore[arg-type]
    ]


def _spelling(bundle: Bundle) -> Iterator[Problem]:
    """Warn of words that are silently ignored and look like known ones."""
    for pointer, schema in bundle.parts():
        place = bundle.origin(pointer)
        yield from _odd_words(place, schema)
        kind = schema.get("format")
        if isinstance(kind, str) and kind not in _FORMATS:
            yield place.child("format").problem(
                f"the format {shown(kind)} is unknown and not checked",
                did_you_mean(kind[:60], _FORMATS),
                Severity.WARNING,
            )


def _odd_words(place: Place, schema: Mapping[str, JsonValue]) -> Iterator[Problem]:
    for word in schema:
        near = did_you_mean(word[:60], keywords.KNOWN)
        if word == "nullable":
            yield place.child(word).problem(
                "'nullable' is a word of OpenAPI 3.0 and is ignored",
                "write type: [string, 'null']",
                Severity.WARNING,
            )
        elif word not in keywords.KNOWN and word[:1] not in "$x" and near:
            yield place.child(word).problem(
                f"the word {shown(word)} is unknown and ignored", near, Severity.WARNING
            )
