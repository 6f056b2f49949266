"""Mock senders for tests: in memory or in a file, told of every error in their threads."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import hookproof_spec
from hookproof_mockserver.model import (
    Delivery,
    DeliveryPolicy,
    DeliveryState,
    Event,
    RetryPolicy,
    Schedule,
)
from hookproof_mockserver.sender import MockSender, Setup
from hookproof_spec.request import Request
from hookproof_spec.webhook import Document, Webhook
from support.mock_receiving import PATIENCE

SECRET = "a secret that is 32 characters.."
FAST = DeliveryPolicy(
    retry=RetryPolicy(schedule=Schedule.FIXED, attempts=3, first=0.01, jitter=0.0), timeout=5.0
)
ONCE = replace(FAST, retry=RetryPolicy(schedule=Schedule.NONE))


@functools.cache
def document() -> Document:
    """Return the shipped document."""
    return hookproof_spec.load("mobility-work")


class TwoRules:
    """A forge with two rules: a request with a wrong signature, and a copy of a genuine one."""

    def rules(self, webhook: Webhook) -> Mapping[str, str]:
        """Return their titles."""
        return {"forged-x": "A wrong signature is refused", "replay-x": "A copy is refused"}

    def requests(
        self, rule: str, webhook: Webhook, secret: str, url: str, now: float
    ) -> tuple[Request, ...]:
        """Return one request, or the same one twice."""
        headers = (("Content-Type", "application/json"), ("X-MW-Signature", f"{rule} {now}"))
        request = Request("POST", url, headers, b"{}")
        return (request, request) if rule == "replay-x" else (request,)


@contextmanager
def mock_sender(store: Path | None = None, **more: object) -> Iterator[MockSender]:
    """Run a sender; errors of its threads are raised where the block ends."""
    errors: list[BaseException] = []
    values: dict[str, object] = {
        "document": document(),
        "store": store,
        "forge": TwoRules(),
        "random": random.Random(),
        "on_error": errors.append,
        **more,
    }
    with MockSender(Setup(**values)) as sender:  # type: ignore[arg-type]
        yield sender
    if errors:
        raise errors[0]


def settled(sender: MockSender) -> None:
    """Wait until nothing is due, on its way or about to be tried again."""
    from support.mock_receiving import until

    def done() -> bool:
        counts = sender.counts()
        left = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.WAITING)
        return not any(counts[state] for state in left)

    until(done)
    assert sender.idle(PATIENCE)


def only_delivery(sender: MockSender, event: Event) -> Delivery:
    """Return the one delivery of an event."""
    [delivery] = sender.deliveries(event=event.id).items
    return delivery
