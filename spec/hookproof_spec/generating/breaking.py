"""Payloads that break one constraint of the schema, which is named, and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from hookproof_spec import payloads, pointers, shapes

if TYPE_CHECKING:
    import jsonschema_rs

    from hookproof_spec.webhook import JsonValue

Schema = Mapping[str, "JsonValue"]
Broken = Iterator["JsonValue"]
_OTHERS: Final[tuple[JsonValue, ...]] = (None, True, 7, "text", [], {})
_ODD_TEXTS: Final = ("", "~", " ", "0", "x" * 80)
STRANGER: Final = "hookproof-unknown"


@final
@dataclass(frozen=True, slots=True)
class Negative:
    """A payload with one breach: of `constraint`, a keyword, at the place `pointer`.

    `valid` is the payload that it was made of.
    """

    value: JsonValue
    pointer: str
    constraint: str
    valid: JsonValue

    def __str__(self) -> str:
        return f"#{self.pointer} breaks {self.constraint!r}"


@final
@dataclass(frozen=True, slots=True)
class Attempt:
    """What could stand at a place of a payload to break a constraint there.

    Others may break with it, or none does: `made` tells.
    """

    pointer: str
    constraint: str
    other: JsonValue

    def made(
        self, validator: jsonschema_rs.Draft202012Validator, value: JsonValue
    ) -> Negative | None:
        """Break a valid payload; return None where that is no breach, or more than one."""
        whole = pointers.replace(value, self.pointer, self.other)
        problems = payloads.problems(validator, whole)
        if len(problems) != 1 or not problems[0].pointer.startswith(self.pointer):
            return None
        return Negative(whole, self.pointer, self.constraint, value)


def attempts(schema: Schema, value: JsonValue) -> list[Attempt]:
    """Return what could break each constraint at each place of a valid payload, inmost first."""
    return [
        Attempt(pointer, constraint, other)
        for pointer in reversed(list(pointers.places(value)))
        for part in shapes.at(schema, pointer)
        for constraint, other in _breaches(part, pointers.get(value, pointer))
    ]


def _breaches(schema: Schema, value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    for word, said in schema.items():
        breaker = _BREAKERS.get(word)
        if breaker is not None:
            yield from ((word, other) for other in breaker(said, value))


# --- any value ----------------------------------------------------------------------------------


def _type(said: JsonValue, value: JsonValue) -> Broken:
    allowed = said if isinstance(said, list) else [said]
    yield from (other for other in _OTHERS if not any(_is(other, kind) for kind in allowed))


def _is(value: JsonValue, kind: JsonValue) -> bool:
    match value:
        case None:
            return kind == "null"
        case bool():
            return kind == "boolean"
        case int():
            return kind in ("integer", "number")
        case float():
            return kind == "number"
        case str():
            return kind == "string"
    return kind == ("array" if isinstance(value, list) else "object")


def _enum(said: JsonValue, value: JsonValue) -> Broken:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
        case str():
            yield f"{value}~"
        case _:
            yield "text"


# --- texts --------------------------------------------------------------------------------------


def _pattern(_: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, str):
        yield from (f"{value}~", f"~{value}", *_ODD_TEXTS)


def _format(said: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, str):
        yield f"no {said} at all"
        yield ""


def _min_length(said: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, str) and isinstance(said, int | float) and said >= 1:
        yield value[: int(said) - 1]


def _max_length(said: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, str) and isinstance(said, int | float):
        yield value + "x" * (int(said) + 1 - len(value))


# --- numbers ------------------------------------------------------------------------------------


def _moved(by: float) -> Callable[[JsonValue, JsonValue], Broken]:
    def move(said: JsonValue, value: JsonValue) -> Broken:
        if _is_number(value) and isinstance(said, int | float):
            yield said + by

    return move


def _multiple_of(said: JsonValue, value: JsonValue) -> Broken:
    if _is_number(value) and isinstance(value, int | float) and isinstance(said, int | float):
        yield value + 1
        yield value + said / 2


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# --- arrays -------------------------------------------------------------------------------------


def _min_items(said: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, list) and isinstance(said, int | float) and said >= 1:
        yield value[: int(said) - 1]


def _max_items(said: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, list) and isinstance(said, int | float):
        yield (value * (int(said) + 1) or [None] * (int(said) + 1))[: int(said) + 1]


def _unique_items(said: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, list) and value and said is True:
        yield [*value, value[0]]
        yield [value[0], *value[:-1]]


def _contains(_: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, list):
        yield []
        yield from ([item] for item in value)


# --- objects ------------------------------------------------------------------------------------


def _required(said: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, dict) and isinstance(said, list):
        yield from (_without(value, name) for name in said if name in value)


def _without(value: dict[str, JsonValue], left_out: JsonValue) -> dict[str, JsonValue]:
    return {name: member for name, member in value.items() if name != left_out}


def _stranger(said: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, dict) and said is not True:
        yield from ({**value, STRANGER: other} for other in _OTHERS)


def _property_names(_: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, dict):
        yield from ({**value, name: None} for name in (STRANGER, *_ODD_TEXTS))


def _min_properties(said: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, dict) and isinstance(said, int | float) and said >= 1:
        yield dict(list(value.items())[: int(said) - 1])


def _max_properties(said: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, dict) and isinstance(said, int | float):
        missing = int(said) + 1 - len(value)
        yield {**value, **{f"{STRANGER}-{number}": None for number in range(missing)}}


def _dependent_required(said: JsonValue, value: JsonValue) -> Broken:
    if isinstance(value, dict) and isinstance(said, Mapping):
        for name, others in said.items():
            if name in value and isinstance(others, list):
                yield from (_without(value, other) for other in others)


_BREAKERS: Final[Mapping[str, Callable[[JsonValue, JsonValue], Broken]]] = {
    "additionalProperties": _stranger,
    "const": _enum,
    "contains": _contains,
    "dependentRequired": _dependent_required,
    "enum": _enum,
    "exclusiveMaximum": _moved(0),
    "exclusiveMinimum": _moved(0),
    "format": _format,
    "maxItems": _max_items,
    "maxLength": _max_length,
    "maxProperties": _max_properties,
    "maximum": _moved(1),
    "minItems": _min_items,
    "minLength": _min_length,
    "minProperties": _min_properties,
    "minimum": _moved(-1),
    "multipleOf": _multiple_of,
    "pattern": _pattern,
    "propertyNames": _property_names,
    "required": _required,
    "type": _type,
    "unevaluatedProperties": _stranger,
    "uniqueItems": _unique_items,
}
