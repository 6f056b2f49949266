"""Payloads that are forms (application/x-www-form-urlencoded), as values and as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from hookproof_spec import json_body, parts
from hookproof_spec.errors import Problem

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

MEDIA_TYPE = "application/x-www-form-urlencoded"


def decode(body: bytes) -> JsonValue | Problem:
    """Return a form's fields as an object of texts; a name that stands twice has a list of them."""
    fields: dict[str, list[JsonValue]] = {}
    try:
        for name, value in parts.pairs(body):
            fields.setdefault(name.decode(), []).append(value.decode())
    except UnicodeDecodeError:
        return Problem("", "a field of the form is not UTF-8")
    return {name: found[0] if len(found) == 1 else found for name, found in fields.items()}


def encode(value: JsonValue) -> bytes:
    """Write an object as a form; what is no text, and no list of texts, as JSON writes it."""
    if not isinstance(value, Mapping):
        return json_body.encode(value)
    return urlencode(
        [(name, _text(item)) for name, found in value.items() for item in _listed(found)],
        encoding="utf-8",
        errors="surrogatepass",
    ).encode()


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json_body.encode(value).decode()
