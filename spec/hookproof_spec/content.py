"""From the template of the content to the function that writes it."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

from hookproof_spec import parts
from hookproof_spec.filters import filtered
from hookproof_spec.notation import TimeUnit, on_the_wire
from hookproof_spec.request import Request
from hookproof_spec.templates import Template

Facts = tuple[bytes, bytes, bytes, Request, bytes, bytes]
"""What there is to sign: timestamp, nonce, body, the whole request, secret, the key's name."""
Source = Callable[[Facts], bytes]

_PLACES = {"timestamp": 0, "nonce": 1, "body": 2, "secret": 4, "key-id": 5}


def content_writer(template: Template, unit: TimeUnit) -> Source:
    """Return the function that writes the content from what there is; it is total.

    A part of the request that is not there is the empty text. `unit` is how time is written.
    """
    form = template.form.encode()
    if not template.names:
        fixed = form.replace(b"%%", b"%")
        return lambda _: fixed
    if all(name in _PLACES for name in template.names):
        pick = itemgetter(*(_PLACES[name] for name in template.names))
        return lambda facts: form % pick(facts)
    sources = [_source(name, unit) for name in template.names]
    return lambda facts: form % tuple([source(facts) for source in sources])


def _source(placeholder: str, unit: TimeUnit) -> Source:
    whole, *filters = placeholder.split("|")
    name, _, argument = whole.partition(":")
    source = _named(name, argument, unit)
    if not filters:
        return source
    change = filtered(filters)
    return lambda facts: change(source(facts))


def _named(name: str, argument: str, unit: TimeUnit) -> Source:
    if name == "timestamp" and argument:
        seconds = int(argument)
        return lambda facts: _later_bytes(facts[0], seconds, unit)
    if name in _PLACES:
        return itemgetter(_PLACES[name])
    if name in _PARTS:
        part = _PARTS[name]
        return lambda facts: part(facts[3])
    find = _ARGUED[name]
    return lambda facts: find(facts[3], argument)


def _later_bytes(timestamp: bytes, seconds: int, unit: TimeUnit) -> bytes:
    """Return a later time than a written one, in the same writing."""
    return later(timestamp.decode("latin-1"), seconds, unit).encode()


def later(timestamp: str, seconds: int, unit: TimeUnit) -> str:
    """Return a time some seconds later, written alike; what is no time stays as it is."""
    moment = unit.read(timestamp)
    if moment is None:
        return timestamp
    try:
        return unit.write(moment + seconds)
    except (ValueError, OverflowError):  # beyond the calendar's end
        return timestamp


def _header(request: Request, name: str) -> bytes:
    return on_the_wire(",".join(value.strip(" \t") for value in request.header_values(name)))


def _query(request: Request, name: str) -> bytes:
    return next(iter(parts.values(parts.query(request.url), name)), b"")


def _field(request: Request, name: str) -> bytes:
    return next(iter(parts.values(request.body, name)), b"")


def _json(request: Request, pointer: str) -> bytes:
    return parts.utf8(parts.json_text(request.body, pointer) or "")


_PARTS: dict[str, Callable[[Request], bytes]] = {
    "method": lambda request: parts.utf8(request.method.upper()),
    "url": lambda request: parts.utf8(request.url),
    "path": lambda request: parts.utf8(parts.path(request.url)),
    "fields": lambda request: parts.fields(request.body),
}
_ARGUED: dict[str, Callable[[Request, str], bytes]] = {
    "header": _header,
    "query": _query,
    "field": _field,
    "json": _json,
}
