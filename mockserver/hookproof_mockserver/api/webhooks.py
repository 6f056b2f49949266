"""Registered webhooks: listing, registering, changing, rotating, removing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hookproof_mockserver.api import views
from hookproof_mockserver.api.calls import Answer, Call, created
from hookproof_mockserver.model import (
    DeliveryPolicy,
    Fault,
    FaultKind,
    RetryPolicy,
    Schedule,
    SignWith,
)
from hookproof_mockserver.sender import GENERATE
from hookproof_spec.scheme import OnRetry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookproof_spec.webhook import JsonValue

_DAY = 86400.0


def listed(call: Call) -> Answer:
    """Show all of them."""
    return Answer(
        200, {"items": [views.subscription(each) for each in call.sender.subscriptions()]}
    )


def register(call: Call) -> Answer:
    """Register one, and show its secret this once."""
    made = call.sender.register(
        url=str(call.members["url"]),
        event=call.text("event"),
        secret=GENERATE if call.flag("generate", False) else call.text("secret"),
        policy=policy_from(call.members.get("policy"), DeliveryPolicy()),
        active=call.flag("active", True),
        description=call.text("description") or "",
    )
    return created(f"/api/webhooks/{made.id}", views.with_secret(made))


def shown(call: Call) -> Answer:
    """Show one."""
    return Answer(200, views.subscription(call.sender.subscription(call.ids["webhook"])))


def change(call: Call) -> Answer:
    """Change what is given, and nothing else."""
    id, given = call.ids["webhook"], call.members
    current = call.sender.subscription(id)
    changed = call.sender.change(
        id,
        url=call.text("url"),
        active=call.flag("active", False) if "active" in given else None,
        description=call.text("description"),
        policy=policy_from(given["policy"], current.policy) if "policy" in given else None,
        faults=faults_from(given["faults"]) if "faults" in given else None,
    )
    return Answer(200, views.subscription(changed))


def remove(call: Call) -> Answer:
    """Remove one."""
    call.sender.remove(call.ids["webhook"])
    return Answer(204, None)


def rotate(call: Call) -> Answer:
    """Give one a new secret, and show that this once."""
    changed = call.sender.rotate(
        call.ids["webhook"],
        secret=call.text("secret"),
        overlap=_number(call.members, "overlap", _DAY),
        sign_with=SignWith(call.text("sign_with") or "new"),
    )
    return Answer(200, views.with_secret(changed))


def policy_from(value: JsonValue, base: DeliveryPolicy) -> DeliveryPolicy:
    """Return a policy in which the members of a JSON object replace those of another."""
    given = _object(value)
    return replace(
        base,
        retry=_retry_from(_object(given.get("retry")), base.retry),
        nonce=OnRetry(str(given.get("nonce", base.nonce.value))),
        success=tuple(map(_whole, _list(given.get("success", list(base.success))))),
        timeout=_number(given, "timeout", base.timeout),
        concurrency=_whole(given.get("concurrency", base.concurrency)),
        ordered=bool(given.get("ordered", base.ordered)),
        disable_after=_whole(given.get("disable_after", base.disable_after)),
    )


def _retry_from(given: Mapping[str, JsonValue], base: RetryPolicy) -> RetryPolicy:
    return RetryPolicy(
        schedule=Schedule(str(given.get("schedule", base.schedule.value))),
        attempts=_whole(given.get("attempts", base.attempts)),
        first=_number(given, "first", base.first),
        most=_number(given, "most", base.most),
        jitter=_number(given, "jitter", base.jitter),
    )


def faults_from(value: JsonValue) -> tuple[Fault, ...]:
    """Return faults on purpose from a JSON array that fits the document."""
    return tuple(map(_fault, map(_object, _list(value))))


def _fault(given: Mapping[str, JsonValue]) -> Fault:
    return Fault(
        kind=FaultKind(str(given["kind"])),
        seconds=_number(given, "seconds", 0.0),
        rule=str(given.get("rule", "")),
    )


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _number(given: Mapping[str, JsonValue], name: str, default: float) -> float:
    value = given.get(name)
    return float(value) if isinstance(value, int | float) else default


def _whole(value: JsonValue) -> int:
    return int(value) if isinstance(value, int | float) else 0
