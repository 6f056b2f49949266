"""Reading a request's signature: what stands where the scheme carries it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple, final

from hookproof_spec import parts
from hookproof_spec.content import later
from hookproof_spec.placing import unit_of
from hookproof_spec.request import Header, Request
from hookproof_spec.scheme import Carried, CarriedHeader, CarriedInside, SignatureScheme, Where
from hookproof_spec.templates import ItemsHeader
from hookproof_spec.verification import Reason, Verification

_NOTHING: Mapping[str, str] = MappingProxyType({})
_CORE = ("timestamp", "nonce", "signature")


@final
class Stamp(NamedTuple):
    """What a request said of its signature, in its own text."""

    timestamp: str
    nonce: str
    signatures: tuple[str, ...]
    second: str
    """The signature by a second key."""
    others: Mapping[str, str]
    """Every value by its placeholder, where there are others: the key's name, digests."""


_stamp = tuple.__new__  # what Stamp(…) calls, twice as fast
Reader = Callable[[Request], "Stamp | Verification"]


def stamp_reader(scheme: SignatureScheme) -> Reader:
    """Return the function that reads a request's signature, or tells why it cannot; it is total."""

    def exactly(request: Request) -> Stamp | Verification:
        return _read(scheme, request)

    return _quick(scheme, exactly) or exactly


def _quick(scheme: SignatureScheme, exactly: Reader) -> Reader | None:
    """Return a reader of headers that are laid out as the scheme writes them.

    All that is odd in any way is left to the exact reader.
    """
    names = [name for header in scheme.headers for name in header.template.names]
    if scheme.inside or not set(names) <= set(_CORE):
        return None
    headers = [(_finder(header.name), _pattern(header).fullmatch) for header in scheme.headers]
    order = itemgetter(*(names.index(name) if name in names else -1 for name in _CORE))

    def read(request: Request) -> Stamp | Verification:
        groups: tuple[str, ...] = ()
        for find, match in headers:
            lines = find(request.headers)
            found = match(lines[0]) if len(lines) == 1 else None
            if found is None:
                return exactly(request)
            groups += found.groups()
        timestamp, nonce, signature = order((*groups, ""))
        return _stamp(Stamp, (timestamp, nonce, (signature,), "", _NOTHING))

    return read


def _finder(name: str) -> Callable[[Iterable[Header]], list[str]]:
    size, wanted = len(name), name.lower()

    def find(headers: Iterable[Header]) -> list[str]:
        return [value for key, value in headers if len(key) == size and key.lower() == wanted]

    return find


def _pattern(header: CarriedHeader) -> re.Pattern[str]:
    separator = header.shape.separator if isinstance(header.shape, ItemsHeader) else ""
    value = rf"([^{re.escape(separator)}\x00-\x20\x7f-\U0010ffff]+)"
    return re.compile(value.join(map(re.escape, header.template.literals)))


def _read(scheme: SignatureScheme, request: Request) -> Stamp | Verification:
    values: dict[str, str] = {}
    signatures: tuple[str, ...] = ()
    for place in scheme.carried:
        text = text_at(place, request)
        if isinstance(text, str):
            fields = place.shape.read(text.strip(" \t"), scheme.repeat)
            if isinstance(fields, str):
                return Verification(Reason.MALFORMED_HEADER, f"{place.name}: {fields}")
            values.update(fields.values)
            signatures += fields.signatures
        elif "signature2" not in place.template.names:  # one key's signature is enough
            return text
    if "signature" in values:
        signatures = (values["signature"], *signatures)
    if not signatures:
        return Verification(Reason.MALFORMED_HEADER, "no signature of the declared kind")
    timestamp = values["timestamp"] if "timestamp" in values else _earlier(scheme, values)
    return Stamp(
        timestamp, values.get("nonce", ""), signatures, values.get("signature2", ""), values
    )


def readable_values(scheme: SignatureScheme, request: Request) -> tuple[str, str]:
    """Return timestamp and nonce of a request, or "" for what it does not say readably."""
    values: dict[str, str] = {}
    for place in scheme.carried:
        text = text_at(place, request)
        fields = place.shape.read(text.strip(" \t"), scheme.repeat) if isinstance(text, str) else ""
        if not isinstance(fields, str):
            values.update(fields.values)
    return values.get("timestamp") or _earlier(scheme, values), values.get("nonce", "")


def _earlier(scheme: SignatureScheme, values: Mapping[str, str]) -> str:
    """Return the timestamp where only a later time travels, or nothing."""
    name = next((name for name in values if name.startswith("timestamp:")), None)
    if name is None:
        return ""
    return later(values[name], -int(name.partition(":")[2]), unit_of(scheme))


def text_at(place: Carried, request: Request) -> str | Verification:
    """Return what stands at a place, or why nothing can be read there."""
    if isinstance(place, CarriedHeader):
        return _header(place.name, request)
    if place.where is Where.JSON:
        return _json(place, request)
    encoded = parts.query(request.url) if place.where is Where.QUERY else request.body
    found = parts.values(encoded, place.name)
    if not found or not found[0].strip():
        return Verification(Reason.MISSING_HEADER, f"no {place}")
    if len(found) > 1:
        return Verification(Reason.MALFORMED_HEADER, f"the {place} stands twice")
    return _decoded(found[0], place)


def _header(name: str, request: Request) -> str | Verification:
    lines = request.header_values(name)
    if not lines or not lines[0].strip():
        return Verification(Reason.MISSING_HEADER, f"no {name} header")
    if len(lines) > 1:
        return Verification(Reason.MALFORMED_HEADER, f"{name} stands twice")
    if not lines[0].isascii() and max(lines[0]) > "\xff":
        return Verification(Reason.MALFORMED_HEADER, f"{name} is not made of bytes")
    return lines[0]


def _json(place: CarriedInside, request: Request) -> str | Verification:
    text = parts.json_text(request.body, place.name)
    if text is None or not text.strip():
        return Verification(Reason.MISSING_HEADER, f"nothing at {place}")
    return text


def _decoded(raw: bytes, place: CarriedInside) -> str | Verification:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return Verification(Reason.MALFORMED_HEADER, f"the {place} is not UTF-8")
