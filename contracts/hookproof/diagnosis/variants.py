"""Genuine events with one suspected mistake each: the one that is accepted names the receiver's."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import final
from urllib.parse import urlsplit, urlunsplit

from hookproof.diagnosis.making import Making, Step
from hookproof.diagnosis.mistake import Mistake
from hookproof.diagnosis.mistakes import Made, one_wrong
from hookproof.header_items import items_of, value_of, with_items
from hookproof.lab import Lab
from hookproof_spec.request import Header, Request
from hookproof_spec.scheme import Where
from hookproof_spec.signing import Delivery

_LONG = 10 * 365 * 86_400.0
CLOCK_OFF = 5.0
"""From so many seconds on, a receiver's clock is worth a try."""
NEAR_HOURS = (*(1, 2, -1, -2), *(-4, -5, -6, -7, -8), *(4, 5, 6, 7, 8), *(5.5, -5.5, 9, -9))
"""Where most people live, and the reverse: a clock that takes UTC for local time is off by it."""
FAR_HOURS = (*(-3, -10, -11, -12, -13), *(3, 10, 11, 12, 13))
_TOKEN = "hookproof0hookproof0hookproof000"
_COOKIES = ("csrftoken", "XSRF-TOKEN", "csrf_token", "_csrf")
_CSRF_HEADERS: tuple[Header, ...] = (
    ("Cookie", "; ".join(f"{name}={_TOKEN}" for name in _COOKIES)),
    *((name, _TOKEN) for name in ("X-CSRFToken", "X-CSRF-Token", "X-XSRF-TOKEN")),
    ("X-Requested-With", "XMLHttpRequest"),
)
_BROWSER_HEADERS: tuple[Header, ...] = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    ("Accept", "*/*"),
    ("Accept-Language", "en"),
)
_OTHER_NAMES = ("X-Signature", "X-Webhook-Signature", "Webhook-Signature", "Signature")
_OTHER_TYPES = ("application/x-www-form-urlencoded", "text/plain", "application/octet-stream")


@final
@dataclass(frozen=True, slots=True)
class Variant:
    """A way to send a new event. `note` names it, `cause` is what it means that it is accepted.

    `long_past` makes the same of long ago, which has to be refused, or `cause` is not the cause.
    """

    note: str
    cause: str
    make: Callable[[], Request]
    long_past: Callable[[], Request] | None = None


# --- signed under a mistake -----------------------------------------------------------------------


def signed_wrongly(lab: Lab) -> Iterator[Variant]:
    """Yield an event for each common mistake that leads to a signature of its own."""
    for alike in _told_apart(Making.of(lab.genuine(), lab.secret)):
        if alike[0].mistakes[0].common:
            yield _under(lab, alike[0])


def of_other_bytes(lab: Lab, body: bytes) -> Iterator[Variant]:
    """Yield an event with this body for each mistake that signs other bytes in its place."""
    for alike in _told_apart(Making.of(lab.genuine(body), lab.secret)):
        if alike[0].mistakes[0].step is Step.BODY:
            variant = _under(lab, alike[0], body)
            also = [made.mistakes[0].receiver.wrong for made in alike[1:] if not _by_json(made)]
            yield replace(variant, cause="; or it ".join((variant.cause, *also)))


def _by_json(made: Made) -> bool:
    """Tell whether a mistake writes JSON anew: of those that do so alike, one is named."""
    return made.mistakes[0].name.startswith("json-")


def _told_apart(genuine: Making) -> list[list[Made]]:
    """Return the mistakes that lead to another signature, those together that lead to the same."""
    alike: dict[tuple[str, bool], list[Made]] = {}
    for made in one_wrong(genuine):
        # Another time makes a difference where it travels, whether or not it is signed.
        kind = (made.making.signature(), made.mistakes[0].step is Step.TIME)
        alike.setdefault(kind, []).append(made)
    alike.pop((genuine.signature(), False), None)
    return list(alike.values())


def _under(lab: Lab, made: Made, body: bytes | None = None) -> Variant:
    mistake = made.mistakes[0]
    note = f"an event whose signature was made {made.how}"
    make = partial(_mistaken, lab, mistake, body)
    long_past = partial(make, age=_LONG) if mistake.step is Step.TIME else None
    return Variant(note, made.of_receiver, make, long_past)


def _mistaken(lab: Lab, mistake: Mistake, body: bytes | None, *, age: float = 0.0) -> Request:
    delivery = lab.genuine(body, timestamp=lab.clock() - age)
    making = mistake.make(Making.of(delivery, lab.secret))
    if making is None:  # it made a difference to an event of the same form a moment ago
        return delivery.request
    carrier = making.delivery if mistake.step is Step.TIME else delivery
    return carrier.with_signature(making.signature()).request


# --- signed rightly, and otherwise different ------------------------------------------------------


def at_its_own_time(lab: Lab) -> Iterator[Variant]:
    """Yield an event that is signed by the receiver's clock, where its Date says that it is off."""
    skew = lab.courier.skew
    if lab.scheme.timestamp is None or skew is None or abs(skew) < CLOCK_OFF:
        return
    way = "ahead of" if skew > 0 else "behind"
    yield Variant(
        "an event signed at the time of the receiver's clock",
        f"the receiver's clock is {_span(abs(skew))} {way} the one here, as its Date header says:"
        " set both by NTP",
        lambda: lab.genuine(timestamp=lab.clock() + skew).request,
    )


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 600 else f"about {seconds / 3600:.3g} h"


def in_another_zone(lab: Lab, hours: tuple[float, ...]) -> Iterator[Variant]:
    """Yield events whose time is local time of somewhere, written as if it were UTC."""
    if lab.scheme.timestamp is None:
        return
    for offset in hours:
        yield Variant(
            f"an event signed at a time {offset:+g} h from now",
            f"the receiver accepts what is stamped {offset:+g} h from now: it reads Unix seconds as"
            " local time, or its clock is off by about as much: Unix seconds have no time zone",
            partial(_shifted, lab, offset),
        )


def with_headers(lab: Lab) -> Iterator[Variant]:
    """Yield an event with a CSRF token, and one with the headers of a browser."""
    yield Variant(
        "an event with a CSRF token",
        "a CSRF guard stands before the route, which lets the same event pass with a token: exempt"
        " the route, as no sender has one",
        lambda: _with(lab.genuine().request, _CSRF_HEADERS),
    )
    yield Variant(
        "an event with the headers of a browser",
        "it refuses requests without a browser's headers, such as User-Agent: a firewall or filter"
        " before the route has to let webhooks pass",
        lambda: _with(lab.genuine().request, _BROWSER_HEADERS),
    )


def of_another_type(lab: Lab) -> Iterator[Variant]:
    """Yield events with other media types."""
    declared = lab.webhook.media_type
    for media_type in (f"{declared}; charset=utf-8", *_OTHER_TYPES):
        if media_type == declared:
            continue
        yield Variant(
            f"an event with Content-Type: {media_type}",
            f"it wants the Content-Type {media_type}, and senders say {declared}: take the"
            " document's media type, and read the raw body whatever it says",
            partial(_typed, lab, media_type),
        )


def at_another_path(lab: Lab) -> Iterator[Variant]:
    """Yield an event to the same path with, or without, a slash at its end."""
    parts = urlsplit(lab.courier.target.url)
    path = parts.path.removesuffix("/") if parts.path.endswith("/") else f"{parts.path}/"
    if not path:
        return
    yield Variant(
        f"an event to {path}",
        f"the webhook is served at {path}, not at {parts.path}: register that URL",
        lambda: lab.genuine().request.with_url(urlunsplit(parts._replace(path=path))),
    )


def in_another_layout(lab: Lab) -> Iterator[Variant]:
    """Yield events whose signature stands in other headers too, or whose items stand otherwise."""
    if lab.scheme.signature_place.where is not Where.HEADER:
        return
    name = lab.scheme.signature_header.name
    others = [other for other in _OTHER_NAMES if other.lower() != name.lower()]
    yield Variant(
        f"an event with its signature in {' and '.join(others)} too",
        f"it looks for the signature in another header, one of {', '.join(others)}: read {name},"
        " as the document says",
        lambda: _copied(lab.genuine(), others),
    )
    yield Variant(
        "an event with the names of its headers in lower case",
        f"it looks for {name} in lower case alone: names of headers have no case",
        lambda: _lowered(lab.genuine().request),
    )
    if len(items_of(lab.genuine())) > 1:
        yield Variant(
            "an event with a space behind each comma of its signature header",
            "it reads the header's items only with a space between them: split at the separator,"
            " and trim",
            lambda: _spaced(lab.genuine()),
        )


def with_another_nonce(lab: Lab) -> Iterator[Variant]:
    """Yield an event whose nonce has a shape that nobody declared."""
    if lab.scheme.nonce is None:
        return
    yield Variant(
        "an event whose nonce is a UUID",
        "it takes only UUIDs for nonces, and the sender's have another shape: take what the"
        " document declares",
        lambda: lab.genuine(nonce=str(uuid.uuid4())).request,
    )


def _shifted(lab: Lab, hours: float) -> Request:
    return lab.genuine(timestamp=lab.clock() + hours * 3600).request


def _typed(lab: Lab, media_type: str) -> Request:
    return lab.genuine().request.with_header("Content-Type", media_type)


def _with(request: Request, headers: tuple[Header, ...]) -> Request:
    for name, value in headers:
        request = request.with_header(name, value)
    return request


def _lowered(request: Request) -> Request:
    return replace(request, headers=tuple((x.lower(), value) for x, value in request.headers))


def _copied(delivery: Delivery, names: Sequence[str]) -> Request:
    return _with(delivery.request, tuple((name, value_of(delivery)) for name in names))


def _spaced(delivery: Delivery) -> Request:
    items = items_of(delivery)
    return with_items(delivery, tuple(f" {item}" if at else item for at, item in enumerate(items)))
