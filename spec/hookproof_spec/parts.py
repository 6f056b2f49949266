"""Parts of a request by name, read and written without touching the bytes around them.

Everything is total: what is not there, or not of the expected form, is None, or stays as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes, unquote_to_bytes

from hookproof_spec import json_body, pointers
from hookproof_spec.errors import Problem

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

_space = re.compile(r"[ \t\n\r]*").match
_raw_decode = json.JSONDecoder().raw_decode
_AUTHORITY = re.compile(r"[^/?]*://[^/?]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def utf8(text: str) -> bytes:
    """Return a text's bytes, whatever it holds."""
    return text.encode("utf-8", "surrogatepass")


# --- names and values as forms and queries write them -------------------------------------------


def pairs(encoded: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the names and values of a form or a query, decoded."""
    for item in encoded.split(b"&"):
        if item:
            name, _, value = item.partition(b"=")
            yield _unquoted(name), _unquoted(value)


def _unquoted(part: bytes) -> bytes:
    return unquote_to_bytes(part.replace(b"+", b" "))


def values(encoded: bytes, name: str) -> tuple[bytes, ...]:
    """Return all values that stand under a name."""
    wanted = utf8(name)
    return tuple(value for found, value in pairs(encoded) if found == wanted)


def with_pair(encoded: bytes, name: str, value: str) -> bytes:
    """Return a form or query in which a name stands once, where it first stood or at the end."""
    item = f"{_quoted(name)}={_quoted(value)}".encode()
    items: list[bytes] = []
    for old in encoded.split(b"&") if encoded else ():
        if not _is_called(old, name):
            items.append(old)
        elif item not in items:
            items.append(item)
    return b"&".join(items if item in items else [*items, item])


def without_pair(encoded: bytes, name: str) -> bytes:
    """Return a form or query without a name."""
    return b"&".join(item for item in encoded.split(b"&") if not _is_called(item, name))


def _is_called(item: bytes, name: str) -> bool:
    return _unquoted(item.partition(b"=")[0]) == utf8(name)


def _quoted(text: str) -> str:
    return quote_from_bytes(utf8(text), safe="")


def fields(encoded: bytes) -> bytes:
    """Return a form's fields, sorted by name, each name followed by its value; each pair once."""
    return b"".join(name + value for name, value in sorted(set(pairs(encoded))))


# --- addresses ----------------------------------------------------------------------------------


def path(url: str) -> str:
    """Return a URL's path with its query."""
    bare = url.partition("#")[0]
    found = _AUTHORITY.match(bare)
    rest = bare[found.end() :] if found else bare
    return rest if rest.startswith("/") or not found else f"/{rest}"


def query(url: str) -> bytes:
    """Return a URL's query as it is written."""
    return utf8(url.partition("#")[0].partition("?")[2])


def with_query(url: str, encoded: bytes) -> str:
    """Return a URL with another query; none where it is empty."""
    bare, mark, fragment = url.partition("#")
    written = encoded.decode("utf-8", "surrogatepass")
    return bare.partition("?")[0] + (f"?{written}" if written else "") + mark + fragment


# --- JSON ---------------------------------------------------------------------------------------


def json_text(body: bytes, pointer: str) -> str | None:
    """Return a text of a JSON body, or any other value but null as it is written there.

    None where nothing is there, and where the body is no JSON that names each member once.
    """
    value = json_body.decode(body)
    if isinstance(value, Problem):
        return None
    for name in pointers.split(pointer):
        value = _member(value, name)
    if value is None or isinstance(value, str):
        return value
    text = body.decode()
    span = _locate(text, pointers.split(pointer))
    return None if span is None else text[slice(*span)]


def _member(value: JsonValue, name: str) -> JsonValue:
    """Return a member or an item, or None; unlike `pointers.get`, at no cost where none is."""
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list) and pointers.INDEX.fullmatch(name) and int(name) < len(value):
        return value[int(name)]
    return None


def with_json(body: bytes, pointer: str, value: str, *, number: bool = False) -> bytes:
    """Return a JSON body with a text (or a number, if it is one) at a place.

    All other bytes stay. A missing member is added, and the objects on the way to it; where that
    cannot be, the body stays as it is.
    """
    text = _sound(body)
    if text is None:
        return body
    written = value if number and _NUMBER.fullmatch(value) else json.dumps(value)
    return _written(text, pointers.split(pointer), written).encode()


def without_json(body: bytes, pointer: str) -> bytes:
    """Return a JSON body without a member; the bytes of all values stay."""
    text = _sound(body)
    *way, name = pointers.split(pointer)
    parent = None if text is None else _locate(text, tuple(way))
    if text is None or parent is None or text[parent[0]] != "{":
        return body
    spans = [(key, at, _end(text, at)) for key, at in _children(text, parent[0])]
    kept = [json.dumps(key) + ":" + text[start:end] for key, start, end in spans if key != name]
    return (text[: parent[0]] + "{" + ",".join(kept) + "}" + text[parent[1] :]).encode()


def _sound(body: bytes) -> str | None:
    return None if isinstance(json_body.decode(body), Problem) else body.decode()


def _written(text: str, names: tuple[str, ...], written: str) -> str:
    span = _locate(text, names)
    if span is not None:
        return text[: span[0]] + written + text[span[1] :]
    if not names:
        return text
    parent = _locate(text, names[:-1])
    member = f"{json.dumps(names[-1])}:{written}"
    if parent is None:
        return _written(text, names[:-1], f"{{{member}}}")
    start, end = parent
    if text[start] != "{":
        return text
    comma = "," if text[start + 1 : end - 1].strip() else ""
    return text[: end - 1] + comma + member + text[end - 1 :]


def _locate(text: str, names: tuple[str, ...]) -> tuple[int, int] | None:
    """Return where a value begins and ends in a sound JSON text."""
    start = _after_space(text, 0)
    for name in names:
        if text[start] == "[" and not pointers.INDEX.fullmatch(name):
            return None
        inner = next((at for key, at in _children(text, start) if key == name), None)
        if inner is None:
            return None
        start = inner
    return start, _end(text, start)


def _children(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Yield each member's name, or item's number, and where its value begins."""
    opening, at, number = text[start], _after_space(text, start + 1), 0
    if opening not in "{[":
        return
    while text[at] not in "}]":
        key = str(number)
        if opening == "{":
            key, at = _raw_decode(text, at)
            at = _after_space(text, _after_space(text, at) + 1)
        yield key, at
        at = _after_space(text, _end(text, at))
        at = _after_space(text, at + 1) if text[at] == "," else at
        number += 1


def _end(text: str, start: int) -> int:
    return int(_raw_decode(text, start)[1])


def _after_space(text: str, at: int) -> int:
    found = _space(text, at)
    return found.end() if found else at
