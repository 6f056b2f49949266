"""Values from the wire: JSON texts and the texts of parameters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookproof_mockserver.problems import Kind, refuse
from hookproof_spec import payloads
from hookproof_spec.errors import Problem

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

MOST_DEPTH = 64
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")
_BOOLEANS = {"true": True, "false": False}


def read_json(body: bytes) -> JsonValue:
    """Return the value of a JSON text.

    Raises:
        Refused: it is no JSON text in UTF-8, or is nested more than `MOST_DEPTH` deep.
    """
    value = payloads.decode(body)
    if isinstance(value, Problem):
        raise refuse(Kind.BAD_REQUEST, f"the body is {value.message}")
    if not _shallow(value):
        raise refuse(Kind.BAD_REQUEST, f"the body is nested more than {MOST_DEPTH} deep")
    if not _writable(body, value):
        raise refuse(Kind.BAD_REQUEST, "a text of the body holds half a surrogate pair")
    return value


def _shallow(value: JsonValue) -> bool:
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return True
    return False


def _children(value: JsonValue) -> list[JsonValue]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _writable(body: bytes, value: JsonValue) -> bool:
    """Tell whether UTF-8 can write every text; only an escape can make one that it cannot."""
    if rb"\u" not in body:
        return True
    try:
        payloads.encode(value)
    except ValueError:
        return False
    return True


def read_text(text: str, types: frozenset[str]) -> JsonValue:
    """Return a parameter's value: the number or boolean it names where one may stand, or the text.

    `types` are JSON Schema's. A text that names none stays a text, which the schema refuses.
    """
    if "boolean" in types and text in _BOOLEANS:
        return _BOOLEANS[text]
    if types & {"integer", "number"} and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text):
        return float(text)
    return text
