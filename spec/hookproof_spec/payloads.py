"""Payloads of a webhook: an example, what is wrong with a body, and bytes from values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import jsonschema_rs

from hookproof_spec import forms, pointers, shapes
from hookproof_spec.building import BuildError, build
from hookproof_spec.errors import DocumentError, Problem
from hookproof_spec.json_body import cut, decode, encode

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue, Webhook


__all__ = [
    "built",
    "compiled",
    "dates",
    "decode",
    "encode",
    "example",
    "free_texts",
    "is_form",
    "judge_of",
    "problems",
    "read",
    "validate",
    "write",
]

Judge = Callable[[bytes], tuple[Problem, ...]]
"""Returns everything that is wrong with a body."""


def example(webhook: Webhook) -> JsonValue:
    """Return the document's example of a payload, or else one built from the schema.

    Raises:
        DocumentError: the document has none and none can be built; the place is in the schema.
    """
    if webhook.example is not None:
        return webhook.example
    return built(webhook.schema, webhook.name)


def compiled(schema: Mapping[str, JsonValue]) -> jsonschema_rs.Draft202012Validator:
    """Return a validator that checks formats and fetches nothing."""
    return jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True, offline=True)


def built(schema: Mapping[str, JsonValue], name: str) -> JsonValue:
    """Build a valid value from a self-contained schema.

    Raises:
        DocumentError: none could be built, and where in the schema.
    """
    try:
        value = build(schema)
    except BuildError as error:
        raise _not_built(name, error.pointer, str(error)) from error
    problem = next(iter(problems(compiled(schema), value)), None)
    if problem is not None:
        raise _not_built(name, problem.pointer, problem.message)
    return value


def _not_built(name: str, pointer: str, message: str) -> DocumentError:
    return DocumentError(
        f"no example of {name!r} can be built: {message}",
        where=f"#{pointer}",
        hint="give one in the document",
    )


def validate(webhook: Webhook, body: bytes) -> tuple[Problem, ...]:
    """Return everything that is wrong with a body; nothing for a good one. Never raises.

    Bytes that are no JSON text in UTF-8, that name a member twice, hold a number JSON does not
    have or nest too deeply have one problem; else each breach of the schema is one.
    """
    return judge_of(webhook)(body)


@lru_cache(maxsize=256)
def judge_of(webhook: Webhook) -> Judge:
    """Return `validate` for one webhook, for those who call it often."""
    read = forms.decode if is_form(webhook) else decode
    validator = compiled(webhook.schema)

    def judge(body: bytes) -> tuple[Problem, ...]:
        value = read(body)
        if isinstance(value, Problem):
            return (value,)
        try:
            return () if validator.is_valid(value) else problems(validator, value)
        except ValueError as error:
            return (_unjudged(error),)

    return judge


def problems(
    validator: jsonschema_rs.Draft202012Validator, value: JsonValue
) -> tuple[Problem, ...]:
    """Return each breach of a schema, with the pointer of the value that breaks it."""
    try:
        return tuple(
            Problem(pointers.join(*error.instance_path), cut(error.message))
            for error in validator.iter_errors(value)
        )
    except ValueError as error:
        return (_unjudged(error),)


def _unjudged(error: ValueError) -> Problem:
    if isinstance(error, UnicodeEncodeError):
        return Problem("", "a text holds half a surrogate pair, which UTF-8 cannot write")
    return Problem("", f"the value cannot be judged: {cut(str(error))}")


def read(webhook: Webhook, body: bytes) -> JsonValue | Problem:
    """Return a body's value, or the one problem that keeps it from being JSON, or a form."""
    return forms.decode(body) if is_form(webhook) else decode(body)


def write(webhook: Webhook, value: JsonValue) -> bytes:
    """Write a value as the webhook's media type asks for.

    Raises:
        ValueError: the media type cannot hold it.
    """
    return forms.encode(value) if is_form(webhook) else encode(value)


def is_form(webhook: Webhook) -> bool:
    """Tell whether the payload is a form and not JSON."""
    return webhook.media_type.partition(";")[0].strip().lower() == forms.MEDIA_TYPE


def free_texts(webhook: Webhook) -> tuple[str, ...]:
    """Return the pointers of the example's texts that may be any text, and carry no signature."""
    found = shapes.free_texts(webhook.schema, example(webhook))
    return tuple(pointer for pointer in found if pointer not in webhook.scheme.body_places)


def dates(webhook: Webhook) -> tuple[tuple[str, str], ...]:
    """Return the pointers and formats of the example's dates and times."""
    found = shapes.dates(webhook.schema, example(webhook))
    return tuple(date for date in found if date[0] not in webhook.scheme.body_places)
