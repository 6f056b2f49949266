"""What follows a try of a delivery: received, tried again and when, or given up; and its words.

Pure: the moment and the random number come from outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import final

from hookproof_mockserver.model import (
    DeliveryPolicy,
    DeliveryState,
    Response,
    RetryPolicy,
    Schedule,
)

STANDARD = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""The waits between attempts that the Standard Webhooks specification gives as its example."""

LONGEST = 86_400.0
"""How many seconds a receiver can make a sender wait with Retry-After."""

GONE = 410
TOO_MANY = 429


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A try of a delivery and what came back.

    `tries` counts it too. `failures` are the failed deliveries in a row before this one. `scale`
    is how much quicker than written the schedule passes, `roll` a random number from 0 to 1.
    `verbatim` is a copy of an earlier request, whose bytes no retry changes; `had` tells that the
    receiver took the original, so that it may well refuse the copy.
    """

    policy: DeliveryPolicy
    tries: int
    failures: int
    response: Response | None
    failure: str
    now: float
    roll: float
    scale: float = 1.0
    verbatim: bool = False
    had: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What the sender does next.

    `wait` is in seconds as they really pass, None unless it tries again. `failures` are the failed
    deliveries in a row from now on; `disables` says why the subscription is disabled, or is empty.
    """

    state: DeliveryState
    words: str
    failures: int
    wait: float | None = None
    disables: str = ""


def received(policy: DeliveryPolicy, response: Response | None) -> bool:
    """Tell whether an answer counts as received."""
    if response is None:
        return False
    if policy.success:
        return response.status in policy.success
    return 200 <= response.status < 300


def refusal(policy: DeliveryPolicy, response: Response) -> str:
    """Say why an answer that is no plain error does not count as received, or nothing."""
    if received(policy, response) or response.status >= 400:
        return ""
    if response.status < 300:
        counted = ", ".join(map(str, policy.success))
        return f"answered {response.status}, and only {counted} counts as received"
    location = _header(response, "location")
    to = f" to {location[:200]!a}" if location else ""
    return f"answered {response.status}, a redirect{to}; redirects are not followed"


def after(tried: Tried) -> Next:
    """Return what follows a try."""
    if received(tried.policy, tried.response):
        return Next(state=DeliveryState.DELIVERED, words="received", failures=0)
    if tried.had and _refuses_copy(tried):
        words = f"the receiver refused the copy with {_status(tried)}: it has had the event"
        return Next(state=DeliveryState.DELIVERED, words=words, failures=tried.failures)
    because = _final(tried)
    if because is None:
        return _again(tried)
    failures = tried.failures + 1
    disables = _disables(tried, failures)
    words = f"{because}, which disables this webhook" if disables else because
    return Next(
        state=DeliveryState.FAILED, words=f"gives up: {words}", failures=failures, disables=disables
    )


def _final(tried: Tried) -> str | None:
    """Say why there is no other try; None where there is one."""
    status = _status(tried)
    if status == GONE:
        return "the receiver answered 410"
    if _refuses_copy(tried):
        return f"the receiver refused the copy with {status}, and would refuse it again"
    most = most_tries(tried.policy.retry)
    if tried.tries < most:
        return None
    if tried.policy.retry.schedule is Schedule.NONE:
        return "this webhook's policy has no retries"
    return f"{tried.tries} of {most} attempts have failed"


def _status(tried: Tried) -> int | None:
    return tried.response.status if tried.response else None


def _refuses_copy(tried: Tried) -> bool:
    status = _status(tried)
    refused = status is not None and 400 <= status < 500 and status not in (GONE, TOO_MANY)
    return tried.verbatim and refused


def _disables(tried: Tried, failures: int) -> str:
    if tried.response is not None and tried.response.status == GONE:
        return "the receiver answered 410 (gone)"
    limit = tried.policy.disable_after
    if limit and failures >= limit:
        return (
            f"{failures} deliveries in a row have failed" if failures > 1 else "a delivery failed"
        )
    return ""


def _again(tried: Tried) -> Next:
    written, asked = waits(tried)
    real = written / tried.scale
    most = most_tries(tried.policy.retry)
    words = f"tries again in {duration(real)} (attempt {tried.tries + 1} of {most})"
    return Next(
        state=DeliveryState.WAITING,
        words=words + (f", {asked}" if asked else ""),
        failures=tried.failures,
        wait=real,
    )


def most_tries(policy: RetryPolicy) -> int:
    """Return how often a delivery is tried at most, the first time included."""
    if policy.schedule is Schedule.NONE:
        return 1
    if policy.schedule is Schedule.STANDARD:
        return min(policy.attempts, len(STANDARD) + 1)
    return policy.attempts


def waits(tried: Tried) -> tuple[float, str]:
    """Return how long to wait by schedule and receiver, and in words what the receiver asked."""
    planned = planned_wait(tried.policy.retry, tried.tries, tried.roll)
    asked = retry_after(tried.response, tried.now)
    if asked is None or asked <= planned:
        return planned, ""
    if asked > LONGEST:
        return LONGEST, f"at most {duration(LONGEST)} although the receiver asked for more"
    return asked, "as the receiver asked"


def planned_wait(policy: RetryPolicy, tries: int, roll: float) -> float:
    """Return how many seconds a policy waits after so many tries."""
    match policy.schedule:
        case Schedule.NONE:
            return 0.0
        case Schedule.STANDARD:
            return STANDARD[min(tries, len(STANDARD)) - 1]
        case Schedule.FIXED:
            wait = policy.first
        case Schedule.EXPONENTIAL:
            doublings = min(tries - 1, 64)  # beyond, any wait is longer than the longest
            wait = policy.first * 2.0**doublings
    spread = 1 + policy.jitter * (2 * roll - 1)
    return min(min(wait, policy.most) * spread, policy.most)


def retry_after(response: Response | None, now: float) -> float | None:
    """Return how many seconds an answer asks to wait, in either form of RFC 9110, 10.2.3."""
    text = _header(response, "retry-after").strip() if response else ""
    if text.isascii() and text.isdigit():
        return float(text[:18])
    try:
        moment = parsedate_to_datetime(text)
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # asctime's form is GMT
        wait = zoned.timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):  # no date, or one out of reach
        return None
    return max(0.0, wait) if math.isfinite(wait) else None


def _header(response: Response, name: str) -> str:
    return next((value for key, value in response.headers if key.lower() == name), "")


_UNITS: tuple[tuple[float, Callable[[float], str]], ...] = (
    (1.0, lambda s: f"{s * 1000:.0f} ms"),
    (10.0, lambda s: f"{s:.1f} s"),
    (120.0, lambda s: f"{s:.0f} s"),
    (7_200.0, lambda s: f"{s / 60:.0f} min"),
    (math.inf, lambda s: f"{s / 3600:.0f} h"),
)


def duration(seconds: float) -> str:
    """Write a duration as people say it: 200 ms, 5.0 s, 12 s, 5 min, 2 h."""
    if seconds == 0:
        return "0 s"
    return next(write(seconds) for below, write in _UNITS if seconds < below)
