"""Payloads of a webhook: an example, what is wrong with a body, and bytes from values."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import jsonschema_rs

from hookproof_spec import pointers, shapes
from hookproof_spec.building import BuildError, build
from hookproof_spec.errors import DocumentError, Problem

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue, Webhook

_MAX_MESSAGE = 240


def example(webhook: Webhook) -> JsonValue:
    """Return the document's example of a payload, or else one built from the schema.

    Raises:
        DocumentError: the document has none and none can be built; the place is in the schema.
    """
    if webhook.example is not None:
        return webhook.example
    return built(webhook.schema, webhook.name)


@lru_cache(maxsize=256)
def _validator(webhook: Webhook) -> jsonschema_rs.Draft202012Validator:
    return compiled(webhook.schema)


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
    value = decode(body)
    if isinstance(value, Problem):
        return (value,)
    validator = _validator(webhook)
    try:
        return () if validator.is_valid(value) else problems(validator, value)
    except ValueError as error:
        return (_unjudged(error),)


def problems(
    validator: jsonschema_rs.Draft202012Validator, value: JsonValue
) -> tuple[Problem, ...]:
    """Return each breach of a schema, with the pointer of the value that breaks it."""
    try:
        return tuple(
            Problem(pointers.join(*error.instance_path), _cut(error.message))
            for error in validator.iter_errors(value)
        )
    except ValueError as error:
        return (_unjudged(error),)


def _unjudged(error: ValueError) -> Problem:
    if isinstance(error, UnicodeEncodeError):
        return Problem("", "a text holds half a surrogate pair, which UTF-8 cannot write")
    return Problem("", f"the value cannot be judged: {_cut(str(error))}")


def _cut(message: str) -> str:
    return message if len(message) <= _MAX_MESSAGE else message[: _MAX_MESSAGE - 1] + "…"


class _JsonError(ValueError):
    """What Python's parser takes and JSON does not."""


def _members(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in value if names.count(name) > 1)
        raise _JsonError(f"the member {twice!r} stands twice in one object")
    return value


def _constant(text: str) -> JsonValue:
    raise _JsonError(f"{text} is no JSON value")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _JsonError("a number is too large for what reads it")
    return number


_decoder = json.JSONDecoder(
    object_pairs_hook=_members, parse_constant=_constant, parse_float=_float
)
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def decode(body: bytes) -> JsonValue | Problem:
    """Return the value of a JSON text, or the one problem that keeps it from being one."""
    try:
        value: JsonValue = _decoder.decode(body.decode())
    except UnicodeDecodeError as error:
        return Problem("", f"not UTF-8: byte {error.start} is {body[error.start]:#04x}")
    except json.JSONDecodeError as error:
        if body.startswith(codecs.BOM_UTF8):
            return Problem("", "not JSON: a byte order mark stands before it")
        return Problem("", f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}")
    except _JsonError as error:
        return Problem("", f"not JSON: {_cut(str(error))}")
    except RecursionError:
        return Problem("", "nested too deeply")
    except ValueError:
        return Problem("", "a number has too many digits")
    return value


def encode(value: JsonValue) -> bytes:
    """Write a value as JSON: UTF-8, no spaces, members in their order.

    Raises:
        ValueError: it holds NaN, an infinity or half a surrogate pair, which JSON does not have.
    """
    return _encoder.encode(value).encode()


def free_texts(webhook: Webhook) -> tuple[str, ...]:
    """Return the pointers of the example's texts that may be any text."""
    return shapes.free_texts(webhook.schema, example(webhook))


def dates(webhook: Webhook) -> tuple[tuple[str, str], ...]:
    """Return the pointers and formats of the example's dates and times."""
    return shapes.dates(webhook.schema, example(webhook))
