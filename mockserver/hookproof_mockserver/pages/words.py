"""Times, sizes, states and statuses in words."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from http import HTTPStatus

from hookproof_mockserver.model import DeliveryState, Fault, FaultKind, Schedule, SignWith, Source

_STATES = {
    DeliveryState.PENDING: "on its way",
    DeliveryState.SENDING: "sending",
    DeliveryState.WAITING: "tried again later",
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.FAILED: "failed",
    DeliveryState.CANCELLED: "cancelled",
}
_SCHEDULES = {
    Schedule.NONE: "never",
    Schedule.FIXED: "after the same wait each time",
    Schedule.EXPONENTIAL: "after waits that double",
    Schedule.STANDARD: "as Standard Webhooks says (5 s, 5 min, 30 min, 2 h, …)",
}
_SOURCES = {
    Source.CONSUMPTION: "a part was consumed",
    Source.STOCK_UPDATE: "stock was set",
    Source.TRIGGER: "triggered by hand",
}
_SIGN_WITH = {
    SignWith.NEW: "the new secret",
    SignWith.OLD: "the old secret",
    SignWith.BOTH: "both secrets",
}


def state_words(state: DeliveryState) -> str:
    """Return a delivery's state in words."""
    return _STATES[state]


def schedule_words(schedule: Schedule) -> str:
    """Return when a failed delivery is tried again, in words."""
    return _SCHEDULES[schedule]


def source_words(source: Source) -> str:
    """Return what brought an event about, in words."""
    return _SOURCES[source]


def sign_with_words(sign_with: SignWith) -> str:
    """Return which secret signs during a rotation, in words."""
    return _SIGN_WITH[sign_with]


def fault_words(fault: Fault) -> str:
    """Return what is done wrong on purpose, in words."""
    match fault.kind:
        case FaultKind.DUPLICATE:
            return "sent twice on purpose"
        case FaultKind.REORDER:
            return "sent out of order on purpose"
        case FaultKind.DELAY:
            return f"delayed by {fault.seconds:g} s on purpose"
        case FaultKind.SLOW_BODY:
            return f"body sent slowly over {fault.seconds:g} s on purpose"
        case FaultKind.RESET:
            return "connection reset on purpose"
        case FaultKind.RULE:
            return f"forged on purpose: {fault.rule}"


def status_words(status: int) -> str:
    """Return `404 Not Found`, or the bare number of a status that has no name."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def exact(seconds: float) -> str:
    """Return a moment to the millisecond, in UTC; a forged one may be beyond the calendar."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{seconds:,.0f} seconds after 1970, beyond the calendar"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d} UTC"


def machine(seconds: float) -> str:
    """Return a moment as `<time datetime>` has it."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def relative(seconds: float, now: float) -> str:
    """Return how long ago a moment was, or in how long it will be."""
    away = seconds - now
    if abs(away) < 1.5:
        return "now"
    text = span(abs(away))
    return f"in {text}" if away > 0 else f"{text} ago"


def span(seconds: float) -> str:
    """Return a length of time in its largest fitting unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def took(seconds: float) -> str:
    """Return how long a request took."""
    if seconds >= 10:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:,.0f} ms" if seconds >= 0.001 else "under 1 ms"


def size(count: int) -> str:
    """Return a count of bytes."""
    if count < 10_000:
        return f"{count:,} byte{'' if count == 1 else 's'}"
    return f"{count / 1024:,.1f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:,.1f} MiB"


def short(id: str) -> str:
    """Return an id short enough for a table: its kind and its last characters."""
    kind, under, rest = id.partition("_")
    return f"{kind}_…{rest[-6:]}" if under and len(rest) > 8 else id


def character_words(character: str) -> str:
    """Return a character's number and name, or what a byte is that is no UTF-8."""
    if 0xDC80 <= ord(character) <= 0xDCFF:
        return "a byte that is not UTF-8"
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def age(moment: float, sent: float) -> str:
    """Return how old a timestamp was when the request was sent."""
    away = sent - moment
    if abs(away) < 2:
        return "when it was sent"
    return f"{span(away)} before it was sent" if away > 0 else f"{span(-away)} after it was sent"


def seconds(count: float) -> str:
    """Return a short length of time."""
    return f"{count:.3g} s" if count >= 0.1 else f"{count * 1000:.3g} ms"


def capitalized(text: str) -> str:
    """Return a text with its first letter, and no other, made large."""
    return text[:1].upper() + text[1:]
