"""YAML 1.2 and JSON text as plain JSON values.

PyYAML speaks YAML 1.1, in which `on:` is a boolean, `12:30:00` a number and `2024-07-29` a date.
Here scalars mean what YAML 1.2's core schema says, a key may stand once, and every tag that JSON
has no value for is refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable
from typing import TYPE_CHECKING

import yaml

from hookproof_spec.errors import DocumentError

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

_CORE = (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("merge", r"<<", "<"),
)
_MAX_NODES = 200_000
_MAX_DEPTH = 100

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc,valid-type]
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012
    yaml_constructors: dict[str | None, object] = {}  # noqa: RUF012


def _tag(kind: str) -> str:
    return f"tag:yaml.org,2002:{kind}"


def _int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    try:
        return int(text, base)
    except ValueError:
        raise _at(node, "a number that cannot be read") from None


def _float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    text = loader.construct_scalar(node)
    try:
        number = float(text)
    except ValueError:
        raise _at(node, "a number that JSON cannot hold") from None
    if not math.isfinite(number):
        raise _at(node, "a number that JSON cannot hold")
    return number


def _bool(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> bool:
    return loader.construct_scalar(node).lower() == "true"


def _null(_loader: yaml.SafeLoader, _node: yaml.ScalarNode) -> None:
    return None


def _text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return loader.construct_scalar(node)


def _list(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> list[object]:
    return loader.construct_sequence(node, deep=True)


def _dict(loader: yaml.SafeLoader, node: yaml.Node) -> dict[Hashable, object]:
    if not isinstance(node, yaml.MappingNode):
        raise _at(node, "a mapping was announced here, and something else stands here")
    seen: dict[tuple[str, str], yaml.Node] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _at(key, "a key that is no text")
        name = (key.tag, key.value)
        if name in seen:
            line = seen[name].start_mark.line + 1
            raise _at(key, f"the key {key.value!r} stands twice (first in line {line})")
        seen[name] = key
    return loader.construct_mapping(node, deep=True)


def _other(_loader: yaml.SafeLoader, node: yaml.Node) -> object:
    raise _at(node, f"the tag {node.tag.removeprefix(_tag(''))!r}, for which JSON has no value")


def _at(node: yaml.Node, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


for _kind, _pattern, _first in _CORE:
    _Loader.add_implicit_resolver(
        _tag(_kind), re.compile(f"(?:{_pattern})\\Z"), [c.replace("\0", "") for c in _first]
    )
for _kind, _constructor in {
    "null": _null,
    "bool": _bool,
    "int": _int,
    "float": _float,
    "str": _text,
    "seq": _list,
    "map": _dict,
}.items():
    _Loader.add_constructor(_tag(_kind), _constructor)
_Loader.add_constructor(None, _other)


def parse_yaml(text: str, where: str) -> JsonValue:
    """Read YAML 1.2 text; keys that are no strings stay as they are.

    Raises:
        DocumentError: a syntax error (with line and column), a key that stands twice, a value
            that JSON does not have, or aliases that contain themselves or explode.
    """
    try:
        value: JsonValue = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _bad_yaml(where, mark, error.problem or str(error)) from error
    except yaml.YAMLError as error:
        raise DocumentError(f"not YAML: {_one_line(error)}", where=where) from error
    except RecursionError as error:
        raise DocumentError("nested too deeply", where=where) from error
    return _bounded(value, where)


def parse_json(text: str, where: str) -> JsonValue:
    """Read JSON text.

    Raises:
        DocumentError: a syntax error (with line and column), a member that stands twice, or a
            number that cannot be held.
    """
    try:
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse,
            parse_float=_finite,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DocumentError(f"not JSON: {error.msg} at {place}", where=where) from error
    except ValueError as error:
        raise DocumentError(f"not JSON: {error}", where=where) from error
    except RecursionError as error:
        raise DocumentError("nested too deeply", where=where) from error
    return _bounded(value, where)


def _unique(members: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    value = dict(members)
    if len(value) != len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {twice!r} stands twice")
    return value


def _refuse(constant: str) -> JsonValue:
    raise ValueError(f"{constant} is no JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:20]} is too large")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"a number of {len(text):,} digits is too long") from None


def _bad_yaml(where: str, mark: yaml.Mark | None, problem: str) -> DocumentError:
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return DocumentError(f"not YAML 1.2: {problem}{place}", where=where)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _bounded(value: JsonValue, where: str) -> JsonValue:
    """Refuse what would exhaust those who walk it."""
    size, depth = _measure(value, {})
    if depth > _MAX_DEPTH:
        raise DocumentError("nested too deeply", where=where)
    if size > _MAX_NODES:
        raise DocumentError(
            f"more than {_MAX_NODES:,} values once its aliases are written out",
            where=where,
            hint="refer to the repeated parts with $ref",
        )
    return value


def _measure(value: object, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Count the values, aliases written out, and the levels; shared parts are walked once."""
    if not isinstance(value, dict | list):
        return 1, 1
    if id(value) not in known:
        parts = value.values() if isinstance(value, dict) else value
        try:
            measures = [_measure(part, known) for part in parts]
        except RecursionError:
            return 1, _MAX_DEPTH + 1
        size = 1 + sum(size for size, _ in measures)
        known[id(value)] = size, 1 + max((depth for _, depth in measures), default=0)
    return known[id(value)]
