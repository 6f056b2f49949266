"""The request that a rule would send, found by trying the rule on the reference receiver.

That receiver is right in every rule: what it refuses is the forgery, and what it accepts before is
what the forgery stands on, such as the event that is replayed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, final
from urllib.parse import unquote_to_bytes, urlsplit

from hookproof import catalogue
from hookproof.courier import Courier
from hookproof.keys import another_secret
from hookproof.lab import CannotTell, Lab
from hookproof.needs import met
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.rule import Category, Rule
from hookproof.targets.base import PLAIN, Capability, Exchange, Framing, Target
from hookproof.targets.wsgi import WsgiTarget
from hookproof.verdicts import DECLARED_NOTHING, Evidence, Judgement
from hookproof.watcher import Watcher
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Request
from hookproof_spec.webhook import Webhook

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@final
@dataclass(frozen=True, slots=True)
class Forgery:
    """A request to be refused, those that have to be accepted before it, and what it is."""

    NOTE: ClassVar[str] = "a forgery"
    request: Request
    before: tuple[Request, ...]
    note: str


@final
@dataclass(frozen=True, slots=True)
class Recorder:
    """A target that remembers what was sent to it."""

    target: Target
    address: str
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address that requests carry."""
        return self.address

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the target behind it can do."""
        return self.target.capabilities

    def send(self, request: Request, framing: Framing = PLAIN) -> Exchange:
        """Send a request."""
        exchange = self.target.send(request, framing)
        self.exchanges.append(exchange)
        return exchange

    def send_all(self, requests: Sequence[Request], *, together: bool = False) -> list[Exchange]:
        """Send several requests."""
        exchanges = self.target.send_all(requests, together=together)
        self.exchanges.extend(exchanges)
        return exchanges

    def converse(self, requests: Iterable[Request]) -> list[Exchange]:
        """Send requests one after another."""
        return [self.send(request) for request in requests]

    def close(self) -> None:
        """Let go of connections."""
        self.target.close()


def forgery(
    rule: Rule,
    webhook: Webhook,
    secret: str,
    clock: Callable[[], float] = time.time,
    url: str = "http://in-process/webhook",
) -> Forgery:
    """Return the first request of a rule that a correct receiver refuses.

    It is signed by `clock` and for `url`, which is part of the content in some schemes.

    Raises:
        HookproofError: the rule sends none, or needs what is not there in process.
    """
    path = unquote_to_bytes(urlsplit(url).path or "/").decode("latin-1")
    recorder = Recorder(WsgiTarget(_reference(webhook, secret, clock, path)), url)
    judgement = _tried(rule, _lab(webhook, secret, recorder, clock))
    accepted: list[Request] = []
    for exchange in recorder.exchanges:
        if exchange.status is not None and exchange.status < 400:
            accepted.append(exchange.request)
            continue
        return Forgery(exchange.request, tuple(accepted), _note(judgement, exchange.request))
    raise HookproofError(
        f"the rule {rule.id} sends nothing that a correct receiver refuses",
        hint="take one that is named forged-…, stale-… or replay-…",
    )


@final
class Forgeries:
    """The forgeries that the rules of the contract send, for a sender that sends them on purpose.

    Rules that search, flood or judge a run as a whole are none: no single request of theirs is the
    forgery.
    """

    def __init__(self) -> None:
        self._titles: dict[str, Mapping[str, str]] = {}

    def rules(self, webhook: Webhook) -> Mapping[str, str]:
        """Return the titles of the rules that can be sent, by their ids."""
        if webhook.name not in self._titles:
            self._titles[webhook.name] = dict(_sendable(webhook))
        return self._titles[webhook.name]

    def requests(
        self, rule: str, webhook: Webhook, secret: str, url: str, now: float
    ) -> tuple[Request, ...]:
        """Return what a rule sends to a URL, in order: the last is the forgery, signed at `now`.

        Raises:
            HookproofError: there is no such rule, or it sends nothing of the kind.
        """
        made = forgery(catalogue.rule(rule), webhook, secret, lambda: now, url)
        return (*made.before, made.request)


_SINGLE = frozenset(
    {Category.FORGED, Category.STALE, Category.REPLAY, Category.HEADER, Category.PAYLOAD}
)
_MANY = 5
"""A rule that needs more genuine events before its forgery is left to `hookproof verify`."""


def _sendable(webhook: Webhook) -> Iterator[tuple[str, str]]:
    for rule in catalogue.RULES:
        if rule.category not in _SINGLE or rule.opt_in:
            continue
        with suppress(HookproofError):  # it needs what is not there, or sends no forgery
            made = forgery(rule, webhook, another_secret(webhook.scheme))
            if len(made.before) <= _MANY:
                yield rule.id, rule.title


def _reference(
    webhook: Webhook, secret: str, clock: Callable[[], float], path: str
) -> WSGIApplication:
    return create_receiver(
        webhook, secret, nonces=MemoryNonceStore(), replay="reject", clock=clock, path=path
    )


def _lab(webhook: Webhook, secret: str, recorder: Recorder, clock: Callable[[], float]) -> Lab:
    return Lab(
        webhook=webhook,
        secret=secret,
        courier=Courier(recorder),
        watcher=Watcher(None),
        policy=DECLARED_NOTHING,
        clock=clock,
        random=random.Random(0),
    )


def _tried(rule: Rule, lab: Lab) -> Judgement | None:
    missing = next((need for need in rule.needs if not met(need, lab)), None)
    if missing is not None:
        raise HookproofError(f"the rule {rule.id} needs {missing.value}")
    with suppress(CannotTell):
        return rule.check(lab)
    return None


def _note(judgement: Judgement | None, request: Request) -> str:
    evidence: tuple[Evidence, ...] = getattr(judgement, "evidence", ())
    return next((item.note for item in evidence if item.exchange.request == request), "")
