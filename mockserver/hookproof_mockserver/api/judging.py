"""Judging values by schemas of the API's document.

What breaks a schema is told by its place and never by its value, which might be a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import jsonschema_rs

from hookproof_mockserver.problems import Breach
from hookproof_spec import pointers

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

kinds = jsonschema_rs.ValidationErrorKind


@final
@dataclass(frozen=True, slots=True)
class Judge:
    """A compiled schema. `words` say what is meant by a pattern."""

    validator: jsonschema_rs.Draft202012Validator
    words: Mapping[str, str]

    def fits(self, value: JsonValue) -> bool:
        """Tell whether a value fits the schema."""
        return next(self.breaches(value), None) is None

    def breaches(self, value: JsonValue) -> Iterator[Breach]:
        """Yield what breaks the schema, with its place; the value itself is not repeated."""
        try:
            if self.validator.is_valid(value):
                return
            for error in self.validator.iter_errors(value):
                for cause in _causes(error):
                    place = pointers.join(*cause.instance_path)
                    yield Breach(detail=self._told(cause), pointer=place)
        except ValueError:  # a number or a nesting that the validator cannot hold
            yield Breach(detail="the value cannot be judged", pointer="")

    def _told(self, error: jsonschema_rs.ValidationError) -> str:
        match error.kind:
            case kinds.Not():
                return "two members exclude each other"
            case kinds.Pattern(pattern=pattern):
                words = self.words.get(pattern, "")
                return f"the value is not of the form that is asked for{words and ': ' + words}"
            case _:
                return error.message


def judge(schema: Mapping[str, JsonValue], words: Mapping[str, str]) -> Judge:
    """Compile a schema that stands alone; it checks formats and fetches nothing."""
    compiled = jsonschema_rs.Draft202012Validator(
        dict(schema), validate_formats=True, offline=True, mask="the value"
    )
    return Judge(compiled, words)


def words_of_patterns(document: JsonValue) -> Mapping[str, str]:
    """Return what a document's schemas say of their patterns, by pattern."""
    found: dict[str, str] = {}
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
            pattern, words = value.get("pattern"), value.get("description")
            if isinstance(pattern, str) and isinstance(words, str):
                found[pattern] = words
        elif isinstance(value, list):
            waiting += value
    return found


def _causes(error: jsonschema_rs.ValidationError) -> list[jsonschema_rs.ValidationError]:
    """Return what a failed choice failed for: the causes of the form that was nearest."""
    kind = error.kind
    if not isinstance(kind, kinds.AnyOf | kinds.OneOfNotValid):
        return [error]
    depth = len(error.instance_path)
    forms = [[cause for found in form for cause in _causes(found)] for form in kind.context]
    return min(forms, key=lambda causes: _distance(causes, depth))


def _distance(causes: list[jsonschema_rs.ValidationError], depth: int) -> tuple[int, int]:
    """Say how far a value is from one of several forms: by its members first, then by all else."""
    return sum(_weight(cause, len(cause.instance_path) - depth) for cause in causes), len(causes)


def _weight(cause: jsonschema_rs.ValidationError, depth: int) -> int:
    match cause.kind:
        case kinds.AdditionalProperties(unexpected=names) if depth == 0:
            return 2 * len(names)
        case kinds.Constant() | kinds.Enum() if depth == 1:
            return 2
        case kinds.Required() | kinds.Type() if depth == 0:
            return 1
        case _:
            return 0
