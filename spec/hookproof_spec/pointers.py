"""JSON pointers (RFC 6901) into payloads and documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hookproof_spec.errors import HookproofError

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

INDEX = re.compile(r"0|[1-9][0-9]{0,9}")


class PointerError(HookproofError):
    """A pointer that is no pointer, or that leads nowhere; the hint names the nearest place."""


def token(name: str | int) -> str:
    """Return `/name` with the two characters escaped that a pointer reserves."""
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


def join(*names: str | int) -> str:
    """Return the pointer that goes through these names and indices."""
    return "".join(map(token, names))


def split(pointer: str) -> tuple[str, ...]:
    """Return a pointer's names, unescaped.

    Raises:
        PointerError: it is neither empty nor begins with a slash, or holds a bare tilde.
    """
    if pointer and not pointer.startswith("/"):
        raise PointerError(
            f"{pointer!r} is no JSON pointer", hint=f"begin with a slash: /{pointer}"
        )
    if re.search(r"~(?![01])", pointer):
        raise PointerError(f"{pointer!r} is no JSON pointer", hint="write ~ as ~0 and / as ~1")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def get(value: JsonValue, pointer: str) -> JsonValue:
    """Return what a pointer points to.

    Raises:
        PointerError: there is nothing.
    """
    found = value
    for name in split(pointer):
        found = _child(found, name, value, pointer)
    return found


def replace(value: JsonValue, pointer: str, new: JsonValue) -> JsonValue:
    """Return a copy of a value that differs at one place; what is not on the way is shared.

    Raises:
        PointerError: nothing stands there that could be replaced.
    """
    return _replaced(value, split(pointer), new, (value, pointer))


def leaves(value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    """Yield the pointer and value of everything that holds nothing else, in document order.

    Empty objects and arrays are leaves too.
    """
    stack: list[tuple[str, JsonValue]] = [("", value)]
    while stack:
        pointer, found = stack.pop()
        children = _children(found)
        if children:
            stack += [(pointer + token(name), child) for name, child in reversed(children)]
        else:
            yield pointer, found


def places(value: JsonValue) -> Iterator[str]:
    """Yield every pointer of a value: its root, its members, their members."""
    stack: list[tuple[str, JsonValue]] = [("", value)]
    while stack:
        pointer, found = stack.pop()
        yield pointer
        stack += [(pointer + token(name), child) for name, child in reversed(_children(found))]


def _children(value: JsonValue) -> list[tuple[str | int, JsonValue]]:
    if isinstance(value, Mapping):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _child(value: JsonValue, name: str, root: JsonValue, pointer: str) -> JsonValue:
    if isinstance(value, Mapping) and name in value:
        return value[name]
    if isinstance(value, list) and INDEX.fullmatch(name) and int(name) < len(value):
        return value[int(name)]
    raise _nowhere(root, pointer)


def _replaced(
    value: JsonValue, names: tuple[str, ...], new: JsonValue, whole: tuple[JsonValue, str]
) -> JsonValue:
    if not names:
        return new
    child = _replaced(_child(value, names[0], *whole), names[1:], new, whole)
    if isinstance(value, list):
        place = int(names[0])
        return [*value[:place], child, *value[place + 1 :]]
    return {**value, names[0]: child} if isinstance(value, Mapping) else child


def _nowhere(root: JsonValue, pointer: str) -> PointerError:
    import difflib

    known = list(places(root))
    near = difflib.get_close_matches(pointer, known, n=1, cutoff=0.0)
    return PointerError(f"nothing is at {pointer}", hint=f"the nearest place is {near[0] or '/'!r}")
