"""Whether a value is one of a node's, and how deep a value may become."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, final

import jsonschema_rs
from jsonschema_rs import CanonicalSchema

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

Judge = Callable[["JsonValue"], bool]

SHALLOW: Final = 3
"""Through so many references what may be left out is drawn; deeper, only what must be there."""


@final
class UnmodelledError(ValueError):
    """A part of the schema that the canonical form does not take apart."""

    def __init__(self, pointer: str, why: str) -> None:
        super().__init__(why)
        self.pointer = pointer


@final
class ExcessiveError(ValueError):
    """A keyword of the schema that asks for more than can be drawn."""

    def __init__(self, word: str, asked: int) -> None:
        super().__init__(f"{word} of {asked} is more than can be drawn")
        self.word = word
        self.asked = asked


def accepts(node: CanonicalSchema) -> Judge:
    """Return what tells whether a value is one of a node's."""
    schema = node.to_json_schema()
    if not isinstance(schema, dict | bool):
        raise UnmodelledError("", "a part of it has no form of its own")
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, offline=True).is_valid


def of_type(name: str) -> Judge:
    """Return what tells whether a value has a type of JSON Schema."""
    return jsonschema_rs.Draft202012Validator({"type": name}).is_valid
