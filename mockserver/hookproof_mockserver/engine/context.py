"""What the engine is given: document, store, clock, randomness, and whom to tell."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, final

from hookproof_mockserver.engine.underway import Underway
from hookproof_mockserver.model import Attempt, Delivery
from hookproof_mockserver.store import Store
from hookproof_spec.request import Request
from hookproof_spec.webhook import Document, Webhook


class Forge(Protocol):
    """Makes the requests that a rule of the contract would send."""

    def rules(self, webhook: Webhook) -> Mapping[str, str]:
        """Return the titles of the rules that can be sent for a webhook, by their ids."""

    def requests(
        self, rule: str, webhook: Webhook, secret: str, url: str, now: float
    ) -> tuple[Request, ...]:
        """Return what a rule sends to a URL, in order: the last is the forgery, signed at `now`.

        Raises:
            HookproofError: there is no such rule, or it sends nothing of the kind.
        """


Listener = Callable[[Delivery, Attempt], None]


@final
@dataclass(slots=True, kw_only=True)
class Context:
    """What every part of the engine shares. `listeners` are called from the engine's threads.

    `underway` is replaced by the engine alone, after each commit that changes it.
    """

    document: Document
    store: Store
    forge: Forge
    clock: Callable[[], float]
    random: random.Random
    time_scale: float
    workers: int
    allowed_receivers: frozenset[str]
    ca_file: Path | None
    on_error: Callable[[BaseException], None]
    listeners: list[Listener] = field(default_factory=list)
    underway: Underway = field(default_factory=Underway)
