"""Everything that is wrong with a payload, as openapi-core and jsonschema see it.

Both are slow to import and to ask, so that only what was refused comes here. Their ways are kept
inside: errors that are raised instead of yielded, and texts that repeat the whole payload.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, final

from jsonschema.exceptions import ValidationError
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters

from hookproof_spec import keywords, pointers
from hookproof_spec.errors import Problem

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue, Webhook

_PLACE = "#/components/schemas/payload"
_MAX_VALUE = 80


@final
@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains the payloads of one webhook; made once, as checking a document takes a while."""

    api: OpenAPI
    webhook: Webhook

    @classmethod
    def of(cls, webhook: Webhook) -> Explainer:
        """Make one from the webhook alone: from its schema, which has been read with care.

        The document's own text would be read as YAML 1.1, where a member `on` is `true`.
        """
        return cls(OpenAPI.from_dict(_document(webhook)), webhook)

    def problems(self, body: bytes) -> tuple[Problem, ...]:
        """Return what is wrong with a body of the right media type; nothing for a good one.

        Pointers lead into the payload; values of the payload are not repeated.
        """
        request = _Arrived(
            name=self.webhook.name,
            method=self.webhook.method.lower(),
            content_type=_essence(self.webhook),
            body=body,
            parameters=RequestParameters(),
        )
        try:
            errors = list(self.api.iter_webhook_request_errors(request))
        except RecursionError:
            return (Problem("", "nested too deeply"),)
        except ValueError as error:
            return (Problem("", f"it cannot be judged ({type(error).__name__})"),)
        return tuple(problem for error in errors for problem in _told(error))


@final
@dataclass(slots=True)
class _Arrived:
    """A request in the form that openapi-core asks for, which must be mutable."""

    name: str
    method: str
    content_type: str
    body: bytes
    parameters: RequestParameters


def _essence(webhook: Webhook) -> str:
    return webhook.media_type.partition(";")[0].strip().lower()


def _document(webhook: Webhook) -> dict[str, object]:
    content = {_essence(webhook): {"schema": {"$ref": _PLACE}}}
    operation = {
        "requestBody": {"required": True, "content": content},
        "responses": {"default": {"description": "whatever it answers"}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": webhook.name, "version": "1"},
        "webhooks": {webhook.name: {webhook.method.lower(): operation}},
        "components": {"schemas": {"payload": _moved(webhook.schema)}},
    }


def _moved(schema: object) -> object:
    """Return a schema whose references still hold where it stands in the document."""
    if not isinstance(schema, Mapping):
        return schema
    return {word: _moved_part(word, value) for word, value in schema.items()}


def _moved_part(word: str, value: object) -> object:
    if word == "$ref" and isinstance(value, str):
        return _PLACE + value.removeprefix("#") if value.startswith("#") else value
    if word in keywords.ONE:
        return _moved(value)
    if word in keywords.MANY and isinstance(value, list):
        return [_moved(part) for part in value]
    if word in (*keywords.NAMED, *keywords.DEFINITIONS) and isinstance(value, Mapping):
        return {name: _moved(part) for name, part in value.items()}
    return value


def _told(error: Exception) -> Iterator[Problem]:
    """Yield an error of openapi-core in words of our own: its text holds the payload."""
    breaches: Iterable[ValidationError] = getattr(error.__cause__, "schema_errors", ())
    found = [_breach(breach) for breach in breaches]
    yield from found or [Problem("", f"refused ({type(error.__cause__ or error).__name__})")]


def _breach(error: ValidationError) -> Problem:
    return Problem(pointers.join(*error.absolute_path), _words(error))


def _words(error: ValidationError) -> str:
    wanted = cast("JsonValue", error.validator_value)
    match error.validator:
        case "required":
            return error.message  # names a member of the schema, nothing of the payload
        case "type":
            kinds = " or ".join(map(str, wanted if isinstance(wanted, list) else [wanted]))
            return f"{_kind(cast('JsonValue', error.instance))} stands where {kinds} belongs"
        case "format":
            return f"no {wanted}"
        case word:
            return f"it breaks {word!r}{_shown(wanted)}"


def _kind(value: JsonValue) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _shown(wanted: JsonValue) -> str:
    text = json.dumps(wanted)
    return f", {text}" if len(text) <= _MAX_VALUE else ""
