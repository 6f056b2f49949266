"""Reading a request's signature: what stands where the scheme carries it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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
Values = tuple[str, ...]
Take = Callable[[Iterable[Header]], "Values | None"]


def stamp_reader(scheme: SignatureScheme) -> Reader:
    """Return the function that reads a request's signature, or tells why it cannot; it is total."""

    def exactly(request: Request) -> Stamp | Verification:
        return _read(scheme, request)

    return _quick(scheme, exactly) or exactly


def _quick(scheme: SignatureScheme, exactly: Reader) -> Reader | None:
    """Return a reader of headers that are laid out as the scheme writes them.

    All that is odd in any way is left to the exact reader.
    """
    names = [name for header in scheme.headers for name in (*header.template.names, "")]
    if scheme.inside or not set(names) <= {*_CORE, ""}:
        return None
    take = _joined([_taker(header) for header in scheme.headers])
    order = itemgetter(*(names.index(name) if name in names else -1 for name in _CORE))

    def read(request: Request) -> Stamp | Verification:
        values = take(request.headers)
        if values is None:
            return exactly(request)
        timestamp, nonce, signature = order(values)
        return _stamp(Stamp, (timestamp, nonce, (signature,), "", _NOTHING))

    return read


def _taker(header: CarriedHeader) -> Take:
    """Return what takes a header's values, and "" after them; None for what may be odd.

    A line that fits has as many spaces as its template, and so its values have none.
    """
    size, wanted = len(header.name), header.name.lower()
    spaces = "".join(header.template.literals).count(" ")
    match = _pattern(header).fullmatch

    def take(headers: Iterable[Header]) -> Values | None:
        line = None
        for name, value in headers:
            if len(name) == size and name.lower() == wanted:
                if line is not None:
                    return None
                line = value
        if line is None or not line.isascii() or "\t" in line or line.count(" ") != spaces:
            return None
        found = match(line)
        return found and found.groups()

    return take


def _joined(takers: Sequence[Take]) -> Take:
    if len(takers) == 1:
        return takers[0]

    def take(headers: Iterable[Header]) -> Values | None:
        values: Values = ()
        for taker in takers:
            found = taker(headers)
            if found is None:
                return None
            values += found
        return values

    return take


def _pattern(header: CarriedHeader) -> re.Pattern[str]:
    """Return the header's layout; what excludes but one character is quick to match."""
    shape = header.shape
    value = f"([^{re.escape(shape.separator)}]+)" if isinstance(shape, ItemsHeader) else "([!-~].*)"
    return re.compile(value.join(map(re.escape, header.template.literals)) + "()", re.DOTALL)


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
