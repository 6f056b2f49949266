"""Regular expressions of a document: whether they can be compiled, and what they let through."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterable, Iterator

_CATEGORIES = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}


def complaint(pattern: str) -> str:
    """Say why a text is no regular expression; "" when it is one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern, re.ASCII)
    except re.error as error:
        place = "" if error.pos is None else f" at position {error.pos}"
        return f"{error.msg}{place}"
    except (OverflowError, RecursionError, Warning) as error:
        return str(error)
    return ""


def may_contain(pattern: str, text: str) -> bool:
    """Tell whether what a pattern matches may hold all characters of a text.

    An estimate on the safe side: False is certain, True may be wrong for patterns whose parts
    exclude each other.
    """
    atoms = list(_atoms(_parsed(pattern)))
    return all(any(_accepts(op, value, char) for op, value in atoms) for char in text)


def _parsed(pattern: str) -> object:
    # The parser is private to `re`, which offers no other view of a pattern's parts.
    parser = importlib.import_module("re._parser")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return parser.parse(pattern, re.ASCII)


def _atoms(part: object) -> Iterator[tuple[str, object]]:
    """Yield all parts of a parsed pattern that stand for one character."""
    if isinstance(part, tuple) and len(part) == 2 and str(part[0]) in _ACCEPTS:
        yield str(part[0]), part[1]
    for inner in _inside(part):
        yield from _atoms(inner)


def _inside(part: object) -> Iterable[object]:
    if isinstance(part, tuple) and len(part) == 2 and str(part[0]) in _ACCEPTS:
        return ()
    if isinstance(part, tuple | list):
        return part
    data: list[object] = getattr(part, "data", [])
    return data


def _accepts(op: str, value: object, char: str) -> bool:
    return _ACCEPTS[op](value, char)


def _literal(value: object, char: str) -> bool:
    return isinstance(value, int) and chr(value).lower() == char.lower()


def _range(value: object, char: str) -> bool:
    low, high = value if isinstance(value, tuple) else (0, 0x10FFFF)
    return any(low <= ord(form) <= high for form in {char, char.lower(), char.upper()})


def _category(value: object, char: str) -> bool:
    name = str(value).removeprefix("CATEGORY_")
    negated = name.startswith("NOT_")
    wanted = _CATEGORIES.get(name.removeprefix("NOT_"), ".")
    return (re.fullmatch(wanted, char, re.ASCII) is not None) != negated


def _set(value: object, char: str) -> bool:
    items = list(value) if isinstance(value, list) else []
    negated = any(str(op) == "NEGATE" for op, _ in items)
    inside = any(_accepts(str(op), item, char) for op, item in items if str(op) in _ACCEPTS)
    return inside != negated


_ACCEPTS = {
    "ANY": lambda _value, _char: True,
    "CATEGORY": _category,
    "IN": _set,
    "LITERAL": _literal,
    "NOT_LITERAL": lambda value, char: not _literal(value, char),
    "RANGE": _range,
}
