"""From an operation of a document to a `Webhook`, or to what keeps it from being one."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from hookproof_spec import shapes
from hookproof_spec.documents.bundle import Bundle, bundle
from hookproof_spec.documents.lint import schema_problems, value_problems
from hookproof_spec.documents.offering import read_plans, read_stock
from hookproof_spec.documents.parameters import read_headers
from hookproof_spec.documents.resolve import Library, Place
from hookproof_spec.documents.security import signature_of
from hookproof_spec.errors import DocumentError, Problem, Severity
from hookproof_spec.nodes import nearest, shown, str_of
from hookproof_spec.payloads import built
from hookproof_spec.pointers import PointerError, get
from hookproof_spec.webhook import Webhook

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_OURS = (
    "x-webhook-assumptions",
    "x-webhook-marker",
    "x-webhook-plans",
    "x-webhook-stock",
    "x-webhook-signature",
)
_JSON = re.compile(r"(?i)(application|\*)/(\*|json|[a-z0-9.+-]+\+json)(\s*;.*)?")
_FORM = re.compile(r"(?i)application/x-www-form-urlencoded(\s*;.*)?")
_STATUS = re.compile(r"[1-5]([0-9]{2}|XX)|default")


def operations(item: Place) -> list[tuple[str, Place]]:
    """Return the methods of a path item, each with its operation."""
    return [(method, item.child(method)) for method in METHODS if item.has(method)]


def read_operation(
    name: str, method: str, operation: Place, library: Library
) -> tuple[Webhook | None, tuple[Problem, ...]]:
    """Read one operation.

    Returns:
        The webhook, or None when there is an error, and all problems, warnings among them.
    """
    found: list[Problem] = []
    if operation.node(found).mapping("an operation") is None:
        return None, tuple(found)
    scheme, unsigned = signature_of(operation, library, found)
    carried = frozenset() if scheme is None else scheme.header_names
    headers = read_headers(operation, library, found, carried=carried)
    media_type, content = _content(operation, library, found)
    bundled = _schema(content, library, found)
    example = _example(content, bundled, library, found)
    responses = _responses(operation, library, found)
    apart = () if scheme is None else scheme.body_places
    marker = _marker(name, operation, bundled, example, found, apart)
    plans = read_plans(operation, found)
    stock = None if bundled is None else read_stock(operation, bundled.schema, found)
    assumptions = _list_of_texts(operation, "x-webhook-assumptions", found)
    _check_extensions(operation, found)
    errors = any(problem.severity is Severity.ERROR for problem in found)
    if errors or scheme is None or bundled is None:
        return None, tuple(found)
    webhook = Webhook(
        name=name,
        method=method.upper(),
        summary=str_of(operation.child("summary").value),
        description=str_of(operation.child("description").value),
        media_type=media_type,
        headers=headers,
        schema=bundled.schema,
        example=example,
        responses=responses,
        scheme=scheme,
        unsigned_allowed=unsigned,
        plans=tuple(plan for plan, has in plans.items() if has),
        other_plans=tuple(plan for plan, has in plans.items() if not has),
        stock=stock,
        marker=marker,
        assumptions=assumptions,
    )
    return webhook, tuple(found)


def _content(operation: Place, library: Library, found: list[Problem]) -> tuple[str, Place | None]:
    """Return the media type of the request body, JSON or a form, and what is said of it."""
    body = library.settle(operation.child("requestBody"), found)
    if body is None:
        return "", None
    content = body.child("content")
    if not isinstance(content.value, dict):
        operation.node(found).error(
            "no payload is described", "add requestBody: {content: {application/json: …}}"
        )
        return "", None
    for media_type in content.value:
        if _JSON.fullmatch(media_type):
            written = "application/json" if "*" in media_type else media_type
            return written, library.settle(content.child(media_type), found)
    for media_type in filter(_FORM.fullmatch, content.value):
        return media_type, library.settle(content.child(media_type), found)
    content.node(found).error(
        f"no payload in JSON: {', '.join(map(shown, content.value)) or 'nothing'}",
        "only application/json, application/…+json and application/x-www-form-urlencoded can be"
        " sent",
    )
    return "", None


def _schema(content: Place | None, library: Library, found: list[Problem]) -> Bundle | None:
    if content is None:
        return None
    if not content.has("schema"):
        content.node(found).error("the payload has no schema", "add 'schema'")
        return None
    bundled = bundle(content.child("schema"), library, found)
    if bundled is None:
        return None
    problems = schema_problems(bundled)
    found.extend(problems)
    return None if any(p.severity is Severity.ERROR for p in problems) else bundled


def _example(
    content: Place | None, bundled: Bundle | None, library: Library, found: list[Problem]
) -> JsonValue:
    """Return the first example of the payload, all of them checked; None when there is none."""
    if content is None or bundled is None:
        return None
    places = [*_examples(content, library, found)]
    for place in places:
        found.extend(value_problems(bundled, place))
    places += [bundled.origin("").child(word) for word in ("example", "default")]
    places.append(bundled.origin("").child("examples", 0))
    return next((place.value for place in places if place.value is not None), None)  # type: ignore[return-value]


def _examples(content: Place, library: Library, found: list[Problem]) -> list[Place]:
    places = [content.child("example")] if content.has("example") else []
    named = content.child("examples")
    if isinstance(named.value, dict):
        for name in named.value:
            example = library.settle(named.child(name), found)
            if example is not None:
                places += [
                    example.child(word) for word in ("value", "dataValue") if example.has(word)
                ]
    return places


def _responses(operation: Place, library: Library, found: list[Problem]) -> tuple[str, ...]:
    listed = operation.child("responses")
    if listed.value is None:
        return ()
    if not isinstance(listed.value, dict):
        listed.node(found).error(f"responses must be a mapping, not {shown(listed.value)}")
        return ()
    statuses = [status for status in listed.value if not status.startswith("x-")]
    for status in statuses:
        response = listed.child(status)
        library.settle(response, found)
        if not _STATUS.fullmatch(status):
            response.node(found).error(f"{shown(status)} is no status", "as in '200', 2XX, default")
    return tuple(statuses)


def _marker(
    name: str,
    operation: Place,
    bundled: Bundle | None,
    example: JsonValue,
    found: list[Problem],
    apart: Collection[str],
) -> str | None:
    """Return the declared marker, or the likeliest one; not one of those that are apart."""
    if bundled is None:
        return None
    if example is None:
        example = _built(name, operation, bundled, found)
    declared = operation.child("x-webhook-marker")
    if not operation.has("x-webhook-marker"):
        return shapes.marker(bundled.schema, example, apart)
    pointer = declared.node(found).text("x-webhook-marker")
    if pointer is None:
        return None
    try:
        marked = get(example, pointer)
    except PointerError as error:
        declared.node(found).error(error.problem, error.hint)
        return None
    if not isinstance(marked, str):
        declared.node(found).error(f"no text is at {pointer}: {shown(marked)}")
    elif pointer in apart:
        declared.node(found).error(
            f"the text at {pointer} carries a value of the signature", "mark another text"
        )
    elif pointer not in shapes.free_texts(bundled.schema, example):
        declared.node(found).error(f"the text at {pointer} is not free: the schema binds its form")
    return pointer


def _built(name: str, operation: Place, bundled: Bundle, found: list[Problem]) -> JsonValue:
    try:
        return built(bundled.schema, name)
    except DocumentError as error:
        operation.node(found).error(error.problem, error.hint)
        return None


def _list_of_texts(operation: Place, word: str, found: list[Problem]) -> tuple[str, ...]:
    return operation.child(word).node(found).texts(word) if operation.has(word) else ()


def _check_extensions(operation: Place, found: list[Problem]) -> None:
    words = operation.value if isinstance(operation.value, dict) else {}
    for word in words:
        if word.startswith("x-webhook-") and word not in _OURS:
            operation.child(word).node(found).warning(
                f"unknown extension {shown(word)}", nearest(word, _OURS[:-1])
            )
    if "x-webhook-signature" in words:
        operation.child("x-webhook-signature").node(found).error(
            "the extension stands on an operation", "move it to a security scheme"
        )
