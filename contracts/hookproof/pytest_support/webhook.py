"""The fixture `webhook`: sends events to the receiver under test, or signs them for a client."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import final

import pytest

from hookproof import catalogue
from hookproof.bodies import Bodies
from hookproof.forging import Forgery, forgery
from hookproof.fresh import fresh_marker, fresh_nonce
from hookproof.lab import USER_AGENT, Lab
from hookproof.pytest_support.bench import Bench
from hookproof.pytest_support.frames import with_errors_of_theirs
from hookproof.pytest_support.missing import complaint
from hookproof.pytest_support.preparing import Known
from hookproof.pytest_support.session import Contracts, engage
from hookproof.pytest_support.signed import Delivered, SignedPayload
from hookproof.pytest_support.workers import alone_with
from hookproof.under_test import Receiver
from hookproof_spec import payloads
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Request
from hookproof_spec.signing import Signer
from hookproof_spec.webhook import JsonValue, Webhook

__tracebackhide__ = True
Payload = JsonValue | bytes
DAY = 86_400.0


@final
class WebhookSender:
    """Sends events to the receiver under test as its sender would, and as an attacker would.

    Where a suite has no receiver, it can still sign: secret and document are then those of the
    configuration.
    """

    def __init__(self, contracts: Contracts, receiver: object) -> None:
        self._contracts = contracts
        self._receiver = receiver
        given = receiver if isinstance(receiver, Receiver) else None
        self._known = Known(given, contracts.settings.table)
        self._spec, self.webhook = self._known.webhook()

    def __repr__(self) -> str:
        return f"WebhookSender({self.webhook.name} of {self._spec})"

    def sign(
        self,
        payload: Payload = None,
        *,
        event: str | None = None,
        age: float | timedelta = 0.0,
        nonce: str | None = None,
    ) -> SignedPayload:
        """Sign a payload for a test client of your own.

        Args:
            payload: bytes that are signed as they stand, or a JSON value; by default the
                document's example, made unique and current.
            event: which webhook of the document, where it is not the receiver's.
            age: how many seconds ago it was signed.
            nonce: by default one that was never used.

        Raises:
            HookproofError: there is no secret, or no such webhook.
        """
        return SignedPayload.of(self._signed(payload, event, age, nonce))

    def send(
        self,
        event: str | None = None,
        payload: Payload = None,
        *,
        age: float | timedelta = 0.0,
        nonce: str | None = None,
    ) -> Delivered:
        """Send a genuine event and wait for its effect; see `sign` for the arguments.

        Raises:
            HookproofError: there is no such webhook, or the receiver cannot be reached.
        """
        return self._sent(self._signed(payload, event, age, nonce), waits=True)

    def stale(
        self, event: str | None = None, payload: Payload = None, *, age: float | timedelta = DAY
    ) -> Delivered:
        """Send a correctly signed event that is old: by default a day, in seconds."""
        return self._sent(self._signed(payload, event, age, None), note=f"{_seconds(age):g} s old")

    def replay(self, delivery: Delivered) -> Delivered:
        """Send the very bytes of an earlier delivery again."""
        return self._sent(delivery.request, note="the same bytes again")

    def forge(self, rule_id: str) -> Delivered:
        """Send the first request of a rule that a correct receiver refuses.

        What it needs to come before it, such as the event that is replayed, is sent before.

        Raises:
            HookproofError: there is no such rule, or it sends nothing of the kind.
        """
        made = with_errors_of_theirs(lambda: self._forgery(rule_id))
        for request in made.before:
            self._sent(request, waits=True)
        return self._sent(made.request, note=made.note or Forgery.NOTE)

    def _forgery(self, rule_id: str) -> Forgery:
        rule, secret = catalogue.rule(rule_id), self._secret(self.webhook)
        return forgery(rule, self.webhook, secret, url=self._url())

    def _signed(
        self, payload: Payload, event: str | None, age: float | timedelta, nonce: str | None
    ) -> Request:
        return with_errors_of_theirs(lambda: self._made(payload, event, age, nonce))

    def _made(
        self, payload: Payload, event: str | None, age: float | timedelta, nonce: str | None
    ) -> Request:
        webhook = self._webhook(event)
        now = self._now()
        body = payload if isinstance(payload, bytes) else _written(webhook, payload, now)
        unsigned = webhook.unsigned(self._url(), body, (("User-Agent", USER_AGENT),))
        signer = Signer(webhook.scheme, self._secret(webhook))
        nonce = fresh_nonce(webhook.scheme.nonce) if nonce is None else nonce
        return signer.sign(unsigned, timestamp=now - _seconds(age), nonce=nonce).request

    def _webhook(self, event: str | None) -> Webhook:
        if event is None or event == self.webhook.name:
            return self.webhook
        from hookproof_spec import load

        return load(self._spec_path()).webhook(event)

    def _spec_path(self) -> str:
        return self._known.text("spec") or self._spec

    def _secret(self, webhook: Webhook) -> str:
        return self._known.secret(webhook.scheme)

    def _now(self) -> float:
        if isinstance(self._receiver, Receiver):
            return self._bench().setup.clock()
        import time

        return time.time()

    def _url(self) -> str:
        if isinstance(self._receiver, Receiver):
            return self._bench().setup.target.url
        return "http://in-process/webhook"

    def _bench(self) -> Bench:
        if not isinstance(self._receiver, Receiver):
            pytest.fail(complaint(self._receiver), pytrace=False)
        return self._contracts.bench(self._receiver)

    def _sent(self, request: Request, *, note: str = "", waits: bool = False) -> Delivered:
        bench = self._bench()
        with alone_with(bench.setup.target.url, self._contracts.config):
            return with_errors_of_theirs(lambda: _delivered(bench, request, note, waits=waits))


def _delivered(bench: Bench, request: Request, note: str, *, waits: bool) -> Delivered:
    lab = bench.lab
    before = lab.effects()
    exchange = lab.courier.send(request)
    delivered = Delivered(exchange, None, note)
    if before is None:
        return delivered
    if waits and delivered.accepted:
        after = lab.watcher.wait_for(before.count + 1)
    else:
        lab.settle()
        after = lab.watcher.read()
    return replace(delivered, effects=after.count - before.count)


def _written(webhook: Webhook, payload: JsonValue, now: float) -> bytes:
    value = Bodies(webhook).value(fresh_marker(), now) if payload is None else payload
    return payloads.write(webhook, value)


def _seconds(age: float | timedelta) -> float:
    return age.total_seconds() if isinstance(age, timedelta) else float(age)


def sender(config: pytest.Config, receiver: object) -> WebhookSender:
    """Return a sender to the receiver under test."""
    try:
        return WebhookSender(engage(config), receiver)
    except HookproofError as error:
        pytest.fail(f"hookproof: {error}", pytrace=False)


def lab(config: pytest.Config, receiver: object) -> Lab:
    """Return the bench at which the rules judge the receiver under test."""
    try:
        return sender(config, receiver)._bench().lab
    except HookproofError as error:
        pytest.fail(f"hookproof: {error}", pytrace=False)
