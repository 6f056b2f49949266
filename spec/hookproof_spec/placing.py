"""Writing values to the places in which a scheme carries them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from hookproof_spec import parts
from hookproof_spec.content import later
from hookproof_spec.filters import filtered
from hookproof_spec.request import Request
from hookproof_spec.scheme import (
    SIGNATURES,
    Carried,
    CarriedInside,
    SignatureScheme,
    TimeUnit,
    Where,
)

_IN_BODY = (Where.JSON, Where.FIELD)


def unit_of(scheme: SignatureScheme) -> TimeUnit:
    """Return how the scheme writes time; seconds where it has none."""
    return scheme.timestamp.unit if scheme.timestamp else TimeUnit.SECONDS


def signs(place: Carried) -> bool:
    """Tell whether a place carries what signing makes."""
    return not SIGNATURES.isdisjoint(place.template.names)


def prepared(scheme: SignatureScheme, request: Request, values: Mapping[str, str]) -> Request:
    """Return a bare request with everything in place that is there before signing.

    The body's digests are taken when the values that travel in the body are in it.
    """
    inside = [place for place in scheme.inside if not signs(place)]
    request = without_signatures(scheme, request)
    request = filled(request, (place for place in inside if place.where in _IN_BODY), values)
    known = {**digests(scheme, request), **values}
    request = filled(request, (place for place in inside if place.where is Where.QUERY), known)
    headers = [header for header in scheme.headers if not signs(header)]
    lines = tuple((header.name, header.template.render(known)) for header in headers)
    return request.with_headers((*request.headers, *lines))


def filled(request: Request, places: Iterable[CarriedInside], values: Mapping[str, str]) -> Request:
    """Return a request with values put into its query, its form or its JSON."""
    for place in places:
        request = _put(request, place, place.template.render(values))
    return request


def without_signatures(scheme: SignatureScheme, request: Request) -> Request:
    """Return a request as it was before its signature was put into its query or its form."""
    # In JSON it stays: a content that reads the place of its own signature is refused.
    places = (p for p in scheme.inside if signs(p) and p.where is not Where.JSON)
    return reduce(_without, places, request)


def digests(scheme: SignatureScheme, request: Request) -> dict[str, str]:
    """Return the digests of a request's body that the scheme carries, by placeholder."""
    return {name: filtered(name.split("|")[1:])(request.body).decode() for name in scheme.digests}


def later_times(scheme: SignatureScheme, timestamp: str) -> dict[str, str]:
    """Return the later times that the scheme carries, by placeholder."""
    return {
        name: later(timestamp, int(name.partition(":")[2]), unit_of(scheme))
        for name in scheme.later_times
    }


def put(request: Request, place: Carried, value: str) -> Request:
    """Return a request in which a place holds this text, whatever it held."""
    if isinstance(place, CarriedInside):
        return _put(request, place, value)
    return request.with_header(place.name, value)


def without(request: Request, place: Carried) -> Request:
    """Return a request without a place."""
    if isinstance(place, CarriedInside):
        return _without(request, place)
    return request.without_header(place.name)


def _put(request: Request, place: CarriedInside, value: str) -> Request:
    match place.where:
        case Where.QUERY:
            query = parts.with_pair(parts.query(request.url), place.name, value)
            return request.with_url(parts.with_query(request.url, query))
        case Where.FIELD:
            return request.with_body(parts.with_pair(request.body, place.name, value))
        case _:
            body = parts.with_json(request.body, place.name, value, number=place.number)
            return request.with_body(body)


def _without(request: Request, place: CarriedInside) -> Request:
    match place.where:
        case Where.QUERY:
            query = parts.without_pair(parts.query(request.url), place.name)
            return request.with_url(parts.with_query(request.url, query))
        case Where.FIELD:
            return request.with_body(parts.without_pair(request.body, place.name))
        case _:
            return request.with_body(parts.without_json(request.body, place.name))
