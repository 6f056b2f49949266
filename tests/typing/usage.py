"""How suites use the package, as type checkers see it: mypy and pyright. Never run."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, assert_type

import pytest

import hookproof
import hookproof_spec

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from hypothesis.strategies import SearchStrategy

    from hookproof.pytest_support.clock import WebhookClock
    from hookproof_spec.webhook import JsonValue


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return []


async def asgi(scope: dict[str, Any], receive: object, send: object) -> None: ...


def restart(environment: Mapping[str, str]) -> None: ...


class MyClock:
    def now(self) -> float:
        return time.time()

    def advance(self, seconds: float) -> None: ...


@pytest.fixture(scope="session")
def webhook_receiver(webhook_clock: WebhookClock) -> hookproof.Receiver:
    return hookproof.Receiver(
        app=wsgi,
        path="/webhook",
        secret="s3cret",
        effects=lambda: 3,
        tolerance=300,
        replay="rejects",
        headers={"X-Tenant": "7"},
        restart=restart,
        also=asgi,
        clock=webhook_clock,
    )


by_url = hookproof.Receiver(url="http://127.0.0.1:8000/webhook", effects="http://127.0.0.1/e")
by_asgi = hookproof.Receiver(asgi, clock=MyClock(), restart=lambda: wsgi)
unknown_word = hookproof.Receiver(app=wsgi, replay="reject")  # type: ignore[arg-type]
by_position = hookproof.Receiver(wsgi, "http://127.0.0.1/")  # type: ignore[call-arg]


@hookproof.contract
def test_receiver(webhook_receiver: hookproof.Receiver, rule: hookproof.ContractRule) -> None:
    rule.check(webhook_receiver)
    assert_type(rule.id, str)


@hookproof.contract(only=["core", "stale"], skip="replay-race")
def test_some(webhook_receiver: hookproof.Receiver, rule: hookproof.ContractRule) -> None:
    rule.check(webhook_receiver)


def test_own(webhook: hookproof.WebhookSender, webhook_payloads: SearchStrategy[JsonValue]) -> None:
    delivery = webhook.send("sparePartOutOfStock", {"a": [1, None]})
    assert_type(delivery, hookproof.Delivered)
    assert_type(delivery.status, int | None)
    assert_type(delivery.effects, int | None)
    assert_type(webhook.replay(delivery).accepted, bool)
    assert_type(webhook.sign(b"{}").headers, dict[str, str])
    post(**webhook.sign().flask)


def post(*, data: bytes, headers: dict[str, str]) -> None: ...


def test_strategies() -> None:
    declared = hookproof_spec.load("mobility-work").webhook()
    assert_type(hookproof_spec.valid_payloads(declared), SearchStrategy[JsonValue])
    assert_type(hookproof_spec.negative_payloads(declared), SearchStrategy[hookproof_spec.Negative])
    assert_type(hookproof_spec.json_texts({"a": [1, None]}), SearchStrategy[bytes])
    assert_type(hookproof_spec.spellings(around=False), SearchStrategy[hookproof_spec.Spelling])
