"""The mock sender's records as JSON values."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from hookproof_mockserver.moments import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookproof_mockserver.model import (
        Account,
        Attempt,
        Delivery,
        DeliveryPolicy,
        Event,
        Fault,
        Part,
        Response,
        Subscription,
    )
    from hookproof_spec.request import Header, Request
    from hookproof_spec.webhook import JsonValue

Object = dict[str, "JsonValue"]


def _moment_or_none(seconds: float | None) -> str | None:
    return None if seconds is None else moment(seconds)


def body(raw: bytes) -> Object:
    """Show bytes: their size, as base64, and as text where they are UTF-8."""
    return {"size": len(raw), "base64": base64.b64encode(raw).decode(), "text": _text(raw)}


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def account(found: Account) -> Object:
    """Show the account."""
    return {"plan": found.plan, "plans": dict(found.plans)}


def subscription(found: Subscription) -> Object:
    """Show a webhook as it is registered, without its secret."""
    return {
        "id": found.id,
        "url": found.url,
        "event": found.event,
        "active": found.active,
        "description": found.description,
        "signed": found.signed,
        "rotating": found.rotating,
        "overlap_until": _moment_or_none(found.secrets.overlap_until),
        "sign_with": found.secrets.sign_with.value,
        "policy": policy(found.policy),
        "faults": [fault(each) for each in found.faults],
        "created": moment(found.created),
        "disabled": found.disabled,
        "failures": found.failures,
    }


def with_secret(found: Subscription) -> Object:
    """Show a webhook whose secret was made this moment, with the secret."""
    return {**subscription(found), "secret": found.secrets.current}


def policy(found: DeliveryPolicy) -> Object:
    """Show how events are delivered."""
    return {
        "retry": {
            "schedule": found.retry.schedule.value,
            "attempts": found.retry.attempts,
            "first": found.retry.first,
            "most": found.retry.most,
            "jitter": found.retry.jitter,
        },
        "nonce": found.nonce.value,
        "success": list(found.success),
        "timeout": found.timeout,
        "concurrency": found.concurrency,
        "ordered": found.ordered,
        "disable_after": found.disable_after,
    }


def fault(found: Fault) -> Object:
    """Show a fault on purpose; only what its kind has."""
    shown: Object = {"kind": found.kind.value}
    if found.seconds:
        shown["seconds"] = found.seconds
    if found.rule:
        shown["rule"] = found.rule
    return shown


def part(found: Part) -> Object:
    """Show a spare part and where it lies."""
    return {
        "id": found.id,
        "name": found.name,
        "article_code": found.article_code,
        "quantity": found.quantity,
        "locations": [
            {"id": each.id, "name": each.name, "quantity": each.quantity}
            for each in found.locations
        ],
    }


def event(found: Event) -> Object:
    """Show an event with its payload."""
    return {**_event(found), "body": body(found.body)}


def event_in_brief(found: Event) -> Object:
    """Show an event without its payload, which may be large."""
    return {**_event(found), "size": len(found.body)}


def _event(found: Event) -> Object:
    return {
        "id": found.id,
        "event": found.webhook,
        "source": found.source.value,
        "created": moment(found.created),
        "valid": found.valid,
    }


def delivery(found: Delivery) -> Object:
    """Show a delivery without its attempts."""
    return {
        "id": found.id,
        "event_id": found.event_id,
        "webhook_id": found.subscription_id,
        "event": found.webhook,
        "url": found.url,
        "state": found.state.value,
        "created": moment(found.created),
        "attempts": found.attempts,
        "next_at": _moment_or_none(found.next_at),
        "next": found.next_words,
        "fault": None if found.fault is None else fault(found.fault),
        "resend_of": found.resend_of,
        "verbatim": found.verbatim,
        "last_status": found.last_status,
        "last_failure": found.last_failure,
        "last_seconds": found.last_seconds,
    }


def delivery_in_full(found: Delivery, attempts: Sequence[Attempt]) -> Object:
    """Show a delivery with all its attempts."""
    return {**delivery(found), "history": [attempt(each) for each in attempts]}


def attempt(found: Attempt) -> Object:
    """Show one request and what came back."""
    return {
        "number": found.number,
        "started": moment(found.started),
        "seconds": found.seconds,
        "succeeded": found.succeeded,
        "signed": found.signed,
        "nonce": found.nonce,
        "failure": found.failure,
        "next": found.next_words,
        "request": _request(found.request),
        "response": None if found.response is None else _response(found.response),
    }


def _request(found: Request) -> Object:
    return {
        "method": found.method,
        "url": found.url,
        "headers": _headers(found.headers),
        "body": body(found.body),
    }


def _response(found: Response) -> Object:
    return {
        "status": found.status,
        "headers": _headers(found.headers),
        "body": body(found.body),
        "cut": found.cut,
    }


def _headers(lines: Sequence[Header]) -> list[JsonValue]:
    return [[name, value] for name, value in lines]
