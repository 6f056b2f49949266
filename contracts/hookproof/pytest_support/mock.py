"""The fixture `mock_sender`: the sender of `hookproof serve`, in threads of the test's process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import pytest

from hookproof.forging import Forgeries
from hookproof.pytest_support.preparing import DEFAULT_SPEC
from hookproof.pytest_support.session import engage
from hookproof_spec import load
from hookproof_spec.errors import HookproofError

if TYPE_CHECKING:
    from hookproof_mockserver.model import Attempt, Delivery, Event, Subscription
    from hookproof_mockserver.sender import MockSender
    from hookproof_spec.webhook import JsonValue

__tracebackhide__ = True
PATIENCE = 30.0


@final
@dataclass(frozen=True, slots=True)
class RunningSender:
    """A mock sender on a free port of this machine. What it sends is kept in memory.

    `url` is where its dashboard and its API are, `token` what changes by the API need, `sender`
    everything it can do. The methods here are the ones that most tests need.
    """

    url: str
    token: str = field(repr=False)
    sender: MockSender = field(repr=False)
    troubles: list[BaseException] = field(default_factory=list, repr=False)

    def register(self, url: str, *, secret: str | None, event: str | None = None) -> Subscription:
        """Register a receiver; without a secret its deliveries are unsigned.

        Raises:
            HookproofError: the URL, the secret or the event is not fit for use.
        """
        return self.sender.register(url=url, secret=secret, event=event)

    def trigger(self, event: str | None = None, payload: JsonValue | bytes | None = None) -> Event:
        """Let something happen, by default the document's example, made new.

        Raises:
            HookproofError: there is no such event, or the payload breaks its schema.
        """
        return self.sender.trigger(event, payload=payload)

    def wait(self, seconds: float = PATIENCE) -> tuple[Delivery, ...]:
        """Wait until nothing is on its way any more; return all deliveries, newest first.

        A mistake in one of the sender's threads fails the test here.
        """
        idle = self.sender.idle(seconds)
        self.check()
        if not idle:
            pytest.fail(f"deliveries are still on their way after {seconds:g} s", pytrace=False)
        return self.sender.deliveries(limit=200).items

    def attempts(self, delivery: Delivery) -> tuple[Attempt, ...]:
        """Return what was sent for a delivery, and what came back."""
        return self.sender.attempts(delivery.id)

    def check(self) -> None:
        """Raise what has gone wrong in the sender's threads."""
        if self.troubles:
            raise self.troubles[0]


def running_sender(config: pytest.Config) -> Iterator[RunningSender]:
    """Yield the sender of a test, and end its threads."""
    from hookproof_mockserver.app import create_app
    from hookproof_mockserver.sender import MockSender, Setup
    from hookproof_mockserver.server import serve

    contracts = engage(config)
    troubles: list[BaseException] = []
    with ExitStack() as stack:
        try:
            setup = Setup(
                document=load(str(contracts.settings.table.get("spec") or DEFAULT_SPEC)),
                store=None,
                forge=Forgeries(),
                on_error=troubles.append,
            )
            sender = stack.enter_context(MockSender(setup))
            app = create_app(sender, report=troubles.append)
            server = stack.enter_context(serve(app, report=troubles.append))
        except HookproofError as error:
            pytest.fail(f"hookproof: {error}", pytrace=False)
        running = RunningSender(server.url, app.token, sender, troubles)
        yield running
    running.check()
