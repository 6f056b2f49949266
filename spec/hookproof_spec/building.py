"""A payload built from a schema: always the same one, and a valid one or none."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from hookproof_spec import keywords, shapes
from hookproof_spec.pointers import token

if TYPE_CHECKING:
    from hookproof_spec.shapes import Schema
    from hookproof_spec.webhook import JsonValue

FORMATS = {
    "date": "2024-07-29",
    "date-time": "2024-07-29T15:51:28Z",
    "duration": "PT1H",
    "email": "someone@example.org",
    "hostname": "example.org",
    "idn-email": "someone@example.org",
    "idn-hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "iri": "https://example.org/",
    "iri-reference": "/place",
    "json-pointer": "/place",
    "regex": "[a-z]+",
    "relative-json-pointer": "0",
    "time": "15:51:28Z",
    "uri": "https://example.org/",
    "uri-reference": "/place",
    "uri-template": "https://example.org/{id}",
    "uuid": "6f1c1b9e-3f0a-4c56-9d2b-0a1b2c3d4e5f",
}
_INFERRED = (
    ("object", ("properties", "required", "additionalProperties", "minProperties")),
    ("array", ("items", "prefixItems", "minItems", "contains")),
    ("string", ("pattern", "format", "minLength", "maxLength")),
    ("number", ("minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum")),
)
_MAX_ITEMS = 1_000
_MAX_TEXT = 100_000


class BuildError(ValueError):
    """No value could be built; `pointer` is where in the schema."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


def build(root: Schema) -> JsonValue:
    """Build a value from a self-contained schema.

    Takes `const`, `enum`, `default` and `examples` where they stand, else what the type and the
    format ask for. The result has every property that is not endless. It is a proposal: keywords
    that forbid combinations (`not`, `if`, `oneOf`) are for the caller to check.

    Raises:
        BuildError: the schema asks for something endless, or for what cannot be guessed.
    """
    return _Builder(root).value(dict(root), "", ())


@final
class _Builder:
    def __init__(self, root: Schema) -> None:
        self._root = root

    def value(
        self, schema: JsonValue, pointer: str, way: tuple[str, ...], turn: int = 0
    ) -> JsonValue:
        """Return the value number `turn` for a schema; `way` are the `$ref`s that led here."""
        if schema is False:
            raise BuildError(pointer, "nothing is allowed here")
        if not isinstance(schema, Mapping):
            return "text"
        merged, pointer, way = self._merged(schema, pointer, way)
        given = _given(merged)
        if given:
            return given[turn % len(given)]
        return self._typed(merged, pointer, way, turn)

    def _merged(
        self, schema: Schema, pointer: str, way: tuple[str, ...]
    ) -> tuple[dict[str, JsonValue], str, tuple[str, ...]]:
        """Return one schema that joins a schema with what it refers to."""
        merged: dict[str, JsonValue] = {}
        ref = schema.get("$ref")
        if isinstance(ref, str):
            if ref in way:
                raise BuildError(pointer, "this is endless: the schema contains itself")
            target = shapes.referred(self._root, schema)
            if isinstance(target, Mapping):
                merged, pointer, way = self._merged(target, ref[1:], (*way, ref))
        merged = _joined(merged, schema)
        for word in ("allOf", "oneOf", "anyOf"):
            parts = schema.get(word)
            for part in parts if isinstance(parts, list) and word == "allOf" else _first(parts):
                if isinstance(part, Mapping):
                    merged = _joined(merged, self._merged(part, pointer, way)[0])
        return merged, pointer, way

    def _typed(self, schema: Schema, pointer: str, way: tuple[str, ...], turn: int) -> JsonValue:
        match _kind(schema):
            case "object":
                return self._object(schema, pointer, way)
            case "array":
                return self._array(schema, pointer, way)
            case "string":
                return _text(schema, pointer, turn)
            case "integer":
                return int(_number(schema, 1, turn))
            case "number":
                return _number(schema, 0, turn)
            case "boolean":
                return turn % 2 == 0
            case _:
                return None

    def _object(self, schema: Schema, pointer: str, way: tuple[str, ...]) -> JsonValue:
        properties = schema.get("properties")
        known = properties if isinstance(properties, Mapping) else {}
        required = [name for name in _list(schema.get("required")) if isinstance(name, str)]
        value: dict[str, JsonValue] = {}
        for name in dict.fromkeys((*known, *required)):
            part = known.get(name, schema.get("additionalProperties", True))
            try:
                value[name] = self.value(part, f"{pointer}/properties{token(name)}", way)
            except BuildError:
                if name in required:
                    raise
        self._fill(value, schema, pointer, way)
        return value

    def _fill(
        self, value: dict[str, JsonValue], schema: Schema, pointer: str, way: tuple[str, ...]
    ) -> None:
        """Add members of no special name until there are enough."""
        rest = schema.get("additionalProperties", True)
        for number in range(_whole(schema.get("minProperties")) - len(value)):
            value[f"member{number + 1}"] = self.value(rest, pointer, way)

    def _array(self, schema: Schema, pointer: str, way: tuple[str, ...]) -> JsonValue:
        prefix = _list(schema.get("prefixItems"))
        value = [
            self.value(part, f"{pointer}/prefixItems/{place}", way)
            for place, part in enumerate(prefix)
        ]
        least = _whole(schema.get("minItems"))
        rest = schema.get("items", schema.get("contains", True))
        wanted = max(least, 1) if "items" in schema or "contains" in schema else least
        if "maxItems" in schema:
            wanted = max(least, min(wanted, _whole(schema["maxItems"])))
        try:
            for turn in range(wanted - len(value)):
                value.append(self.value(rest, f"{pointer}/items", way, turn))
        except BuildError:
            if len(value) < least:
                raise
        return value


def _given(schema: Schema) -> list[JsonValue]:
    """Return the values that a schema names itself."""
    if "const" in schema:
        return [schema["const"]]
    if "default" in schema:
        return [schema["default"]]
    if "example" in schema:
        return [schema["example"]]
    return _list(schema.get("examples")) or _list(schema.get("enum"))


def _joined(left: Mapping[str, JsonValue], right: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return both schemas' words; properties and required names of both, else the right's."""
    joined = {**left, **right}
    for word in keywords.NAMED:
        both = [part for part in (left.get(word), right.get(word)) if isinstance(part, Mapping)]
        if len(both) == 2:
            joined[word] = {**both[0], **both[1]}
    if "required" in left and "required" in right:
        joined["required"] = [*_list(left["required"]), *_list(right["required"])]
    return joined


def _first(parts: JsonValue) -> list[JsonValue]:
    return parts[:1] if isinstance(parts, list) else []


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _whole(value: JsonValue) -> int:
    return min(int(value), _MAX_ITEMS) if isinstance(value, int | float) else 0


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((word for word in kind if word != "null"), "null")
    if isinstance(kind, str):
        return kind
    guesses = (name for name, words in _INFERRED if any(word in schema for word in words))
    return next(guesses, "string")


def _text(schema: Schema, pointer: str, turn: int) -> str:
    pattern, kind = schema.get("pattern"), schema.get("format")
    if isinstance(pattern, str):
        return _matching(pattern, pointer, turn)
    if isinstance(kind, str) and kind in FORMATS:
        return FORMATS[kind]
    text = "text" if turn == 0 else f"text {turn + 1}"
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int | float):
        text = text.ljust(min(int(least), _MAX_TEXT), "x")
    return text[: int(most)] if isinstance(most, int | float) else text


def _matching(pattern: str, pointer: str, turn: int) -> str:
    """Return a text that a pattern matches; the same one for the same turn."""
    import rstr

    try:
        text = rstr.Rstr(random.Random(turn)).xeger(pattern)
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise BuildError(pointer, f"no text could be made for the pattern {pattern!r}") from error
    return str(text)


def _number(schema: Schema, step: float, turn: int) -> float:
    """Return the smallest number that the bounds allow, or a later one."""
    step = _real(schema.get("multipleOf")) or step
    above = _real(schema.get("exclusiveMinimum"))
    low = _real(schema.get("minimum"))
    start = max((bound for bound in (low, above) if bound is not None), default=None)
    if start is None:
        start = _below(schema, step)
    number = math.ceil(start / step) * step if step else start
    if above is not None and number <= above:
        number += step or _above(above, schema)
    return _plain(number + turn * (step or 1))


def _below(schema: Schema, step: float) -> float:
    """Return one, or the largest number that the upper bounds allow."""
    high, under = _real(schema.get("maximum")), _real(schema.get("exclusiveMaximum"))
    bounds = [bound for bound in (high, under) if bound is not None]
    start = min([1, *bounds])
    if start == under:
        start -= step or 1
    return math.floor(start / step) * step if step else start


def _above(bound: float, schema: Schema) -> float:
    """Return half the way to the upper bound, or one."""
    high = _real(schema.get("maximum")) or _real(schema.get("exclusiveMaximum"))
    return (high - bound) / 2 if high is not None else 1


def _real(value: JsonValue) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if number else None  # type: ignore[return-value]


def _plain(number: float) -> float:
    return int(number) if float(number).is_integer() else number
