"""The mock sender as one object: everything that its API, its pages and its fixtures can do.

Any thread may call any of it. Whatever is accepted is on disk when the call returns.
"""

from __future__ import annotations

import random
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, final

from hookproof_mockserver.desks.deliveries import DeliveryDesk
from hookproof_mockserver.desks.events import EventDesk
from hookproof_mockserver.desks.stock import StockDesk
from hookproof_mockserver.desks.webhooks import WebhookDesk
from hookproof_mockserver.engine import Engine, accounts, checks
from hookproof_mockserver.engine.context import Context, Forge, Listener
from hookproof_mockserver.engine.registering import Generate
from hookproof_mockserver.hub import Hub
from hookproof_mockserver.model import Account, DeliveryState
from hookproof_mockserver.sender_errors import Invalid
from hookproof_mockserver.store import Store, deliveries, subscriptions
from hookproof_spec.request import Request
from hookproof_spec.webhook import Document, Webhook

__all__ = ["GENERATE", "Forge", "MockSender", "NoForge", "Setup"]

GENERATE = Generate.GENERATE
"""Given as a secret: have one made."""


@final
class NoForge:
    """A forge that knows no rules."""

    def rules(self, webhook: Webhook) -> Mapping[str, str]:
        """Return none."""
        return {}

    def requests(
        self, rule: str, webhook: Webhook, secret: str, url: str, now: float
    ) -> tuple[Request, ...]:
        """Refuse.

        Raises:
            Invalid: always.
        """
        raise Invalid("/rule", f"no forgery {rule!r}: this sender was started without rules")


def _print_error(error: BaseException) -> None:
    traceback.print_exception(error, file=sys.stderr)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How a mock sender runs.

    `store` is its file, None for memory. `random` makes ids, nonces and secrets, so it must not
    repeat itself from run to run unless that is wanted. `time_scale` 60 lets a minute of a retry
    schedule pass in a second. `workers` is how many requests are on their way at once at most.
    `plan` None keeps the store's, or takes the last one that has webhooks. `allowed_receivers` are
    hosts other than this machine that may be sent to; `*` is any. `ca_file` (PEM) is trusted for
    https beside the system's certificates. `on_error` is told of errors in threads.
    """

    document: Document
    store: Path | None = None
    forge: Forge = field(default_factory=NoForge)
    clock: Callable[[], float] = time.time
    random: random.Random = field(default_factory=random.SystemRandom)
    time_scale: float = 1.0
    workers: int = 64
    plan: str | None = None
    allowed_receivers: frozenset[str] = frozenset()
    ca_file: Path | None = None
    on_error: Callable[[BaseException], None] = _print_error


@final
class MockSender(WebhookDesk, StockDesk, EventDesk, DeliveryDesk):
    """A running mock sender. Close it, or use it in a `with` statement.

    Raises:
        HookproofError: the store cannot be used, no webhook of the document can be, or the setup
            holds a value out of bounds.
    """

    def __init__(self, setup: Setup) -> None:
        checks.number("/time_scale", setup.time_scale, 0.001, 1_000_000)
        checks.number("/workers", setup.workers, 1, checks.MOST_AT_ONCE)
        if not setup.document.webhooks:
            setup.document.webhook()  # it raises, and says why none can be used
        if setup.plan is not None:
            accounts.checked_plan(setup.document, setup.plan)
        self.setup = setup
        self.document = setup.document
        self.hub = Hub()
        self._store = Store(setup.store, self.hub, clock=setup.clock)
        self._context = Context(
            document=setup.document,
            store=self._store,
            forge=setup.forge,
            clock=setup.clock,
            random=setup.random,
            time_scale=setup.time_scale,
            workers=setup.workers,
            allowed_receivers=setup.allowed_receivers,
            ca_file=setup.ca_file,
            on_error=setup.on_error,
        )
        self._closed = False
        try:
            self._take_up(setup)
            self._engine = Engine(self._context)
        except BaseException:
            self._store.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take_up(self, setup: Setup) -> None:
        """Go on with what was interrupted when the store was last in use."""
        self._store.write(lambda transaction: deliveries.interrupted(transaction, setup.clock()))
        if setup.plan is not None:
            self.set_plan(setup.plan)

    def close(self) -> None:
        """Send nothing more, wait for what is on its way, and let go of the store."""
        if not self._closed:
            self._closed = True
            self._engine.close()
            self._store.close()
            self.hub.close()

    @property
    def allowed_receivers(self) -> frozenset[str]:
        """The hosts other than this machine that may be sent to; `*` is any."""
        return self._context.allowed_receivers

    @property
    def has_stock(self) -> bool:
        """Whether a webhook of the document tells of stock."""
        return any(webhook.stock is not None for webhook in self.document.webhooks.values())

    @property
    def account(self) -> Account:
        """The account's plan, and what plans there are."""
        return accounts.account(self._context)

    def set_plan(self, plan: str) -> None:
        """Change the account's plan.

        Raises:
            Invalid: the document names no such plan.
        """
        name = accounts.checked_plan(self.document, plan)
        self._store.write(lambda transaction: subscriptions.set_plan(transaction, name))

    def counts(self) -> Mapping[DeliveryState, int]:
        """Return how many deliveries there are in each state."""
        return self._store.counts()

    def idle(self, timeout: float) -> bool:
        """Wait until nothing is due or on its way; tell whether that came within `timeout` s."""
        return self._engine.idle(timeout)

    def add_listener(self, listener: Listener) -> None:
        """Have a function called with each attempt, before it is sent and when its result is in.

        Before, the attempt's `seconds` are None. The calls come from several threads.
        """
        self._context.listeners.append(listener)
