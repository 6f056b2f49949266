"""The reference page: the API's document as a person reads it, made on the server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from hookproof_mockserver.api.document import Object, operations
from hookproof_mockserver.problems import Kind
from hookproof_spec import pointers

if TYPE_CHECKING:
    from werkzeug import Request, Response

    from hookproof_mockserver.site import Site
    from hookproof_spec.webhook import JsonValue

_MARKED = re.compile(r"`([^`]+)`")


@final
@dataclass(frozen=True, slots=True)
class Row:
    """One parameter or member: what it is called, of what kind it is, what it means."""

    name: str
    kind: str
    words: str
    needed: bool


@final
@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer of an operation."""

    status: str
    words: str
    schema: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One operation as the page shows it."""

    name: str
    method: str
    path: str
    summary: str
    words: str
    needs_token: bool
    parameters: tuple[Row, ...]
    body: str
    example: str
    good: tuple[Outcome, ...]
    refusals: tuple[Outcome, ...]


@final
@dataclass(frozen=True, slots=True)
class Chapter:
    """The operations with one tag."""

    name: str
    words: str
    entries: tuple[Entry, ...]


@final
@dataclass(frozen=True, slots=True)
class Form:
    """One schema of the document, by its name."""

    name: str
    words: str
    rows: tuple[Row, ...]
    kind: str


def page(document: Object, site: Site, request: Request) -> Response:
    """Return the reference page in the look of the other pages."""
    from hookproof_mockserver.pages.notes import Notes
    from hookproof_mockserver.pages.visit import Visit

    return Visit(site, request, Notes()).page(
        "reference.html",
        info=document["info"],
        chapters=chapters(document),
        forms=(every := forms(document)),
        names={form.name for form in every},
        kinds=tuple(Kind),
        pieces=pieces,
    )


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the parts of a description, and whether each is code."""
    for number, part in enumerate(_MARKED.split(text)):
        yield number % 2 == 1, part


def chapters(document: Object) -> tuple[Chapter, ...]:
    """Return the operations by tag, in the order of the tags."""
    entries = [
        (_list(found["tags"])[0], _entry(document, path, method, found))
        for path, method, found in operations(document)
    ]
    return tuple(
        Chapter(
            str(tag["name"]),
            str(tag["description"]),
            tuple(entry for name, entry in entries if name == tag["name"]),
        )
        for tag in map(_object, _list(document["tags"]))
    )


def _entry(document: Object, path: str, method: str, found: Object) -> Entry:
    item = _object(_object(document["paths"])[path])
    given = [*_list(item.get("parameters", [])), *_list(found.get("parameters", []))]
    outcomes = [
        _outcome(document, status, answer)
        for status, answer in sorted(_object(found["responses"]).items())
    ]
    media = _object(_object(_object(found.get("requestBody", {})).get("content", {})))
    body = _object(media.get("application/json", {}))
    return Entry(
        name=str(found["operationId"]),
        method=method.upper(),
        path=path,
        summary=str(found["summary"]),
        words=str(found.get("description", "")),
        needs_token="security" in found,
        parameters=tuple(_parameter(_resolved(document, each)) for each in given),
        body=_schema_text(body.get("schema")),
        example=_pretty(body.get("example")),
        good=tuple(outcome for outcome in outcomes if outcome.status < "400"),
        refusals=tuple(outcome for outcome in outcomes if outcome.status >= "400"),
    )


def _parameter(found: Object) -> Row:
    name = f"{found['name']} ({found['in']})"
    words = str(found.get("description", ""))
    return Row(name, kind_of(_object(found["schema"])), words, found.get("required") is True)


def _outcome(document: Object, status: str, answer: JsonValue) -> Outcome:
    found = _resolved(document, answer)
    media = next(iter(_object(found.get("content", {})).values()), {})
    return Outcome(status, str(found["description"]), _schema_text(_object(media).get("schema")))


def forms(document: Object) -> tuple[Form, ...]:
    """Return every schema that is more than a word."""
    schemas = _object(pointers.get(document, "/components/schemas"))
    return tuple(_form(name, _object(schema)) for name, schema in schemas.items())


def _form(name: str, schema: Object) -> Form:
    needed = _list(schema.get("required", []))
    rows = tuple(
        Row(
            member,
            kind_of(_object(each)),
            str(_object(each).get("description", "")),
            member in needed,
        )
        for member, each in _object(schema.get("properties", {})).items()
    )
    words = str(schema.get("description", schema.get("title", "")))
    return Form(name, words, rows, "" if rows else kind_of(schema))


def kind_of(schema: Mapping[str, JsonValue]) -> str:
    """Say in one line what values a schema takes; a form of the document by its name."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    choices = schema.get("oneOf", schema.get("anyOf"))
    if choices is not None:
        return " or ".join(kind_of(_object(each)) for each in _list(choices))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " or ".join(json.dumps(word) for word in _list(schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {kind_of(_object(schema.get('items', {})))}"
    return f"{_type(schema.get('type'))}{_bounds(schema)}"


def _type(found: JsonValue) -> str:
    return " or ".join(map(str, found)) if isinstance(found, list) else str(found or "anything")


def _bounds(schema: Mapping[str, JsonValue]) -> str:
    parts = [
        f"{words} {_shown(schema[name])}"
        for name, words in (
            ("format", "as"),
            ("minimum", "from"),
            ("maximum", "to"),
            ("minLength", "at least"),
            ("maxLength", "at most"),
            ("default", "else"),
        )
        if name in schema
    ]
    return f", {', '.join(parts)}" if parts else ""


def _shown(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _schema_text(schema: JsonValue) -> str:
    return _members(_object(schema)) if isinstance(schema, dict) else ""


def _members(schema: Object) -> str:
    if "properties" not in schema:
        return kind_of(schema)
    members = _object(schema["properties"]).items()
    return "{" + ", ".join(f"{name}: {kind_of(_object(each))}" for name, each in members) + "}"


def _pretty(example: JsonValue) -> str:
    return "" if example is None else json.dumps(example, indent=2)


def _resolved(document: Object, value: JsonValue) -> Object:
    found = _object(value)
    target = found.get("$ref")
    return found if target is None else _object(pointers.get(document, str(target)[1:]))


def _object(value: JsonValue) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
