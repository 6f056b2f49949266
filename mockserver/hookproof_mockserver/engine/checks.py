"""Values that users give: what they may be, or one clear error with the field's JSON pointer."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from hookproof_mockserver.model import DeliveryPolicy, Fault, FaultKind
from hookproof_mockserver.sender_errors import Invalid
from hookproof_spec.errors import did_you_mean

LONGEST_WAIT = 30 * 86_400.0
LONGEST_FAULT = 3_600.0
LONGEST_TIMEOUT = 600.0
LONGEST_OVERLAP = 366 * 86_400.0
MOST_ATTEMPTS = 1_000
MOST_AT_ONCE = 1_000
MOST_FAULTS = 10
MOST_ON_A_PAGE = 500

_KEY = re.compile(r"[!-~]{1,255}")
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls, line ends, marks that turn the direction of text, and halves of characters."""


def text(field: str, value: str, *, most: int = 200, empty: bool = False) -> str:
    """Return a text of one line.

    Raises:
        Invalid: it is empty, too long, or holds what cannot be shown or stored.
    """
    if not value.strip() and not empty:
        raise Invalid(field, "a text is needed here")
    if len(value) > most:
        raise Invalid(field, f"the text is longer than {most} characters")
    odd = _ODD.search(value)
    if odd is not None:
        raise Invalid(field, f"the text holds {odd[0]!a}", hint="leave it out")
    return value


def number(field: str, value: float, least: float, most: float) -> None:
    """Refuse what is no number within bounds.

    Raises:
        Invalid: it is not.
    """
    if not math.isfinite(value) or not least <= value <= most:
        raise Invalid(field, f"a number from {least:g} to {most:g} is needed, not {value:g}")


def policy(value: DeliveryPolicy) -> None:
    """Refuse a policy that nobody can follow.

    Raises:
        Invalid: one of its numbers is out of bounds.
    """
    retry = value.retry
    number("/policy/retry/attempts", retry.attempts, 1, MOST_ATTEMPTS)
    number("/policy/retry/first", retry.first, 0, LONGEST_WAIT)
    number("/policy/retry/most", retry.most, 0, LONGEST_WAIT)
    number("/policy/retry/jitter", retry.jitter, 0, 1)
    number("/policy/timeout", value.timeout, 0.01, LONGEST_TIMEOUT)
    number("/policy/concurrency", value.concurrency, 1, MOST_AT_ONCE)
    number("/policy/disable_after", value.disable_after, 0, 1_000_000)
    for place, status in enumerate(value.success):
        number(f"/policy/success/{place}", status, 200, 599)


def faults(values: tuple[Fault, ...], rules: Mapping[str, str] | None) -> None:
    """Refuse faults that cannot be done; `rules` are those whose forgeries can be sent.

    Raises:
        Invalid: too many, a time out of bounds, or an unknown rule.
    """
    if len(values) > MOST_FAULTS:
        raise Invalid("/faults", f"at most {MOST_FAULTS} faults can be asked for at once")
    for place, fault in enumerate(values):
        if fault.kind in (FaultKind.DELAY, FaultKind.SLOW_BODY):
            number(f"/faults/{place}/seconds", fault.seconds, 0.001, LONGEST_FAULT)
        if fault.kind is FaultKind.RULE and rules is not None:
            rule(f"/faults/{place}/rule", fault.rule, rules)


def rule(field: str, id: str, rules: Mapping[str, str]) -> None:
    """Refuse a rule whose forgery cannot be sent.

    Raises:
        Invalid: it is none of those; the hint names the nearest.
    """
    if id not in rules:
        hint = did_you_mean(id, rules) or (
            f"there are: {', '.join(rules)}" if rules else "this sender was started without rules"
        )
        raise Invalid(field, f"no forgery {id!r} can be sent for this webhook", hint=hint)


def idempotency_key(key: str) -> str:
    """Return a key.

    Raises:
        Invalid: it is not 1 to 255 printable ASCII characters.
    """
    if _KEY.fullmatch(key) is None:
        raise Invalid("/idempotency_key", "a key is 1 to 255 printable ASCII characters")
    return key
