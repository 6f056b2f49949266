"""What to do about a captured request that was refused, likeliest first.

Nothing that is said here holds a secret or a signature that would be right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import final

from hookproof.diagnosis import repairs
from hookproof.diagnosis.making import Making
from hookproof.diagnosis.mistakes import LARGEST_FOR_TWO, explanations
from hookproof_spec.errors import SecretError, did_you_mean
from hookproof_spec.request import Request
from hookproof_spec.scheme import SignatureScheme, Where
from hookproof_spec.signing import Delivery, Reason, Verification
from hookproof_spec.stamps import Stamp, stamp_reader
from hookproof_spec.webhook import Webhook

MOST = 3
"""So many hints are given at most."""
HOUR = 3600.0
_QUARTER = HOUR / 4
_FARTHEST_ZONE = 14 * HOUR
_NEAR = 90.0


@final
@dataclass(frozen=True, slots=True)
class Refused:
    """A request that was refused, by which webhook, and with which verdict."""

    request: Request
    webhook: Webhook
    verdict: Verification

    @property
    def scheme(self) -> SignatureScheme:
        """The declared scheme."""
        return self.webhook.scheme


def hints(refused: Refused, secret: str) -> tuple[str, ...]:
    """Return what may be wrong and what to do, at most `MOST` sentences; none when accepted."""
    reason = refused.verdict.reason
    if reason is None:
        return ()
    return tuple(islice(dict.fromkeys(_HINTS[reason](refused, secret)), MOST))


# --- the header ----------------------------------------------------------------------------------


def _unread(refused: Refused, secret: str) -> Iterator[str]:
    """The header is missing, or cannot be read."""
    found = False
    for told in repairs.believed(refused.request, refused.scheme, secret):
        found = True
        yield told
    if not found:
        yield from _unexplained_header(refused)


def _unexplained_header(refused: Refused) -> Iterator[str]:
    if (told := _no_time(refused)) is not None:
        yield told
        return
    place = refused.scheme.signature_place
    missing = refused.verdict.reason is Reason.MISSING_HEADER
    if not missing or place.where is not Where.HEADER:
        yield f"the {place} has to be written as {place.template.text}"
        return
    names = [name for name, _ in refused.request.headers]
    if not names:
        yield "the capture holds no headers at all: capture the request with them"
        return
    near = did_you_mean(place.name, names)
    yield (
        f"no {place.name} among its {len(names)} headers{f'; {near}' if near else ''}: was the"
        " webhook created without a secret, or does a proxy take the header out?"
    )


def _no_time(refused: Refused) -> str | None:
    """Say how a time is written, where the one that was sent is none in the declared unit."""
    scheme, stamp = refused.scheme, stamp_reader(refused.scheme)(refused.request)
    rule, place = scheme.timestamp, scheme.place_of("timestamp")
    if not isinstance(stamp, Stamp) or rule is None or rule.unit.read(stamp.timestamp) is not None:
        return None
    return (
        f"the {place} has no time in the declared unit, {rule.unit.value}, which is written as"
        f" {rule.unit.write(_A_TIME)}: declare the unit that is sent"
    )


_A_TIME = 1773480413.25


# --- the signature -------------------------------------------------------------------------------


def _wrong_signature(refused: Refused, secret: str) -> Iterator[str]:
    delivery = taken_apart(refused.scheme, refused.request)
    making = _making(delivery, secret) if delivery is not None else None
    if delivery is None or making is None:
        return
    found = False
    for made in explanations(making, set(delivery.signatures)):
        found = True
        yield made.of_request
    if not found:
        yield _unexplained(len(delivery.body))


def _making(delivery: Delivery, secret: str) -> Making | None:
    try:
        return Making.of(delivery, secret)
    except SecretError:
        return None


def _unexplained(size: int) -> str:
    tried = "one or two" if size <= LARGEST_FOR_TWO else "one"
    return (
        f"none of the known mistakes explains it, {tried} at a time: most likely another secret"
        " signed it, or its body, time or nonce was changed after it was signed; compare the"
        " secret with the one at the sender, and capture the bytes before any parser"
    )


_HELD = ("timestamp", "nonce", "signature", "signatures")
"""The values that a delivery holds by their own names."""


def taken_apart(scheme: SignatureScheme, request: Request) -> Delivery | None:
    """Return a captured request as a delivery; None where its signature cannot be read."""
    stamp = stamp_reader(scheme)(request)
    if isinstance(stamp, Verification):
        return None
    return Delivery(
        scheme=scheme,
        method=request.method,
        url=request.url,
        headers=tuple(x for x in request.headers if x[0].lower() not in scheme.header_names),
        body=request.body,
        timestamp=stamp.timestamp,
        nonce=stamp.nonce,
        signatures=stamp.signatures,
        others=tuple(item for item in stamp.others.items() if item[0] not in _HELD),
    )


# --- time ----------------------------------------------------------------------------------------


def _aged(refused: Refused, _: str) -> Iterator[str]:
    """The signature is right; only the time is not."""
    age, moment = refused.verdict.age, refused.verdict.timestamp
    if age is None or moment is None:
        return
    if abs(moment * 1000 - (moment + age)) < abs(age) / 100:
        yield (
            "the signature is right, and its time fits if it counts milliseconds instead of"
            " seconds, or the reverse: correct the sender, or the declared unit"
        )
    zone = _zone(age)
    if zone is not None:
        yield (
            f"the signature is right, and its time is almost exactly {zone} off: one side takes"
            " local time for UTC; Unix seconds have no time zone"
        )
    yield (
        f"the signature is right: --now {moment:.0f} judges it at the time at which it was signed;"
        f" {_CLOCKS[refused.verdict.reason is Reason.STALE]}"
    )


_CLOCKS: Mapping[bool, str] = {
    True: "if it was captured just now, the sender's clock is behind or the one here ahead",
    False: "the sender's clock is ahead, or the one here behind: set both by NTP",
}


def _zone(age: float) -> str | None:
    """Return an age in hours where it is the distance of two time zones."""
    quarters = round(abs(age) / _QUARTER)
    off = abs(abs(age) - quarters * _QUARTER)
    whole = quarters % 2 == 0 or quarters * _QUARTER in (5.75 * HOUR, 8.75 * HOUR, 12.75 * HOUR)
    if not whole or off > _NEAR or not HOUR <= quarters * _QUARTER <= _FARTHEST_ZONE:
        return None
    hours = quarters / 4
    return "an hour" if hours == 1 else f"{hours:g} hours"


# --- what is behind the signature ----------------------------------------------------------------


def _media_type(refused: Refused, _: str) -> Iterator[str]:
    given = refused.request.header("Content-Type")
    wanted = refused.webhook.media_type
    said = f"says {given[:80]!r}" if given else "names none"
    yield (
        f"the signature is right; the sender {said} where the document declares {wanted}: correct"
        " the sender's Content-Type, or the document"
    )


def _payload(refused: Refused, _: str) -> Iterator[str]:
    yield (
        "the signature is right, so the sender sent this payload itself: its schema and the"
        " document's differ, in the places named above"
    )


def _replayed(refused: Refused, _: str) -> Iterator[str]:
    yield "its nonce has been seen: a retry of the sender, or somebody's replay"


_HINTS = {
    Reason.MISSING_HEADER: _unread,
    Reason.MALFORMED_HEADER: _unread,
    Reason.MALFORMED_NONCE: _unread,
    Reason.WRONG_SIGNATURE: _wrong_signature,
    Reason.STALE: _aged,
    Reason.FROM_THE_FUTURE: _aged,
    Reason.WRONG_MEDIA_TYPE: _media_type,
    Reason.INVALID_PAYLOAD: _payload,
    Reason.REPLAYED: _replayed,
}
