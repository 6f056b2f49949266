"""JSON bodies: bytes to values, strictly, and values to bytes."""

from __future__ import annotations

import codecs
import json
import math
from typing import TYPE_CHECKING

from hookproof_spec.errors import Problem

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

_MAX_MESSAGE = 240


def cut(message: str) -> str:
    """Return a message short enough to be shown."""
    return message if len(message) <= _MAX_MESSAGE else message[: _MAX_MESSAGE - 1] + "…"


class _JsonError(ValueError):
    """What Python's parser takes and JSON does not."""


def _members(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    value = {}
    for name, member in pairs:  # quicker than dict(pairs)
        value[name] = member
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
        text = body.decode()
        value: JsonValue
        if text[:1] in ("{", "["):  # `decode` looks for space around the text, which takes longer
            value, end = _decoder.raw_decode(text)
            if end == len(text):
                return value
        value = _decoder.decode(text)
    except UnicodeDecodeError as error:
        return Problem("", f"not UTF-8: byte {error.start} is {body[error.start]:#04x}")
    except json.JSONDecodeError as error:
        if body.startswith(codecs.BOM_UTF8):
            return Problem("", "not JSON: a byte order mark stands before it")
        return Problem("", f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}")
    except _JsonError as error:
        return Problem("", f"not JSON: {cut(str(error))}")
    except RecursionError:
        return Problem("", "nested too deeply")
    except ValueError:
        return Problem("", "not readable: a number has too many digits")
    return value


def encode(value: JsonValue) -> bytes:
    """Write a value as JSON: UTF-8, no spaces, members in their order.

    Raises:
        ValueError: it holds NaN, an infinity or half a surrogate pair, which JSON does not have.
    """
    return _encoder.encode(value).encode()
