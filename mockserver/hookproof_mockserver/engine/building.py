"""From a delivery that is due to the requests that are sent for it, signed now."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import final

from hookproof_mockserver.engine.addresses import refuse_foreign
from hookproof_mockserver.engine.context import Context
from hookproof_mockserver.model import DeliveryState, Fault, FaultKind, SignWith, Subscription
from hookproof_mockserver.sender_errors import Conflict
from hookproof_mockserver.store import deliveries
from hookproof_mockserver.store.records import Departure, Recorded
from hookproof_mockserver.store.rows import attempt_id
from hookproof_mockserver.transport import Manner, Terms, address, framed
from hookproof_spec.drawing import drawn_nonce
from hookproof_spec.request import Request
from hookproof_spec.scheme import OnRetry
from hookproof_spec.signing import Signer
from hookproof_spec.webhook import Webhook

USER_AGENT = "hookproof-mock-sender"

_SIGNERS = 1_000


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A delivery to be sent now, as its row has it. `nonce` is that of the last attempt."""

    seq: int
    id: str
    webhook: str
    body: bytes
    tries: int
    attempts: int
    fault: Fault | None
    resend_of: int | None
    verbatim: bool
    nonce: str | None
    held: bool
    state: DeliveryState

    @property
    def acting(self) -> Fault | None:
        """The fault that is done now: only the first try has one, and a forgery is always one."""
        forged = self.fault is not None and self.fault.kind is FaultKind.RULE
        return self.fault if forged or self.tries == 0 else None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A claimed delivery: its requests, recorded already, and how they leave.

    A forgery's requests are made and recorded by whoever sends them, because that takes a while;
    `forging` then says which rule's.
    """

    due: Due
    subscription: int
    requests: tuple[Recorded, ...]
    terms: Terms
    at_once: bool = False
    forging: Forging | None = None

    @property
    def departure(self) -> Departure:
        """What is written of it beside its requests."""
        due = self.due
        return Departure(due.seq, due.id, due.state, due.attempts, due.held)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Forging:
    """A forgery that is to be made."""

    rule: str
    webhook: Webhook
    secret: str = field(repr=False)
    url: str


@final
class Builder:
    """Makes flights; the signers of the secrets in use are kept."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._signers: dict[tuple[str, str], Signer] = {}
        self._reachable: set[str] = set()

    def flight(
        self, connection: sqlite3.Connection, due: Due, seq: int, subscription: Subscription
    ) -> Flight:
        """Make a flight of a due delivery.

        Raises:
            HookproofError: it cannot be sent as things are, and never will by itself.
        """
        self._refuse_unreachable(subscription.url)
        fault = due.acting
        if fault is not None and fault.kind is FaultKind.RULE:
            return self._forgery(due, seq, subscription, fault)
        request = self._request(connection, due, subscription)
        copies = 2 if fault is not None and fault.kind is FaultKind.DUPLICATE else 1
        numbers = range(due.attempts + 1, due.attempts + 1 + copies)
        return Flight(
            due=due,
            subscription=seq,
            requests=tuple(request.numbered(due.seq, number) for number in numbers),
            terms=self._terms(subscription, fault),
            at_once=copies > 1,
        )

    def _refuse_unreachable(self, url: str) -> None:
        """Refuse a host that may no longer be sent to, as after a start with other options."""
        if url not in self._reachable:
            refuse_foreign(address(url)[0], self._context.allowed_receivers)
            self._reachable.add(url)

    def _forgery(self, due: Due, seq: int, subscription: Subscription, fault: Fault) -> Flight:
        secret = subscription.secrets.current
        if secret is None:
            raise Conflict("a forgery needs a secret key, and this webhook has none")
        return Flight(
            due=due,
            subscription=seq,
            requests=(),
            terms=self._terms(subscription, None),
            forging=Forging(
                rule=fault.rule,
                webhook=self._context.document.webhook(due.webhook),
                secret=secret,
                url=subscription.url,
            ),
        )

    def _terms(self, subscription: Subscription, fault: Fault | None) -> Terms:
        manner = _MANNERS.get(fault.kind, Manner.PLAIN) if fault else Manner.PLAIN
        return Terms(
            timeout=subscription.policy.timeout,
            manner=manner,
            slow=fault.seconds if fault else 0.0,
            ca_file=self._context.ca_file,
        )

    def _request(
        self, connection: sqlite3.Connection, due: Due, subscription: Subscription
    ) -> _Unnumbered:
        now = self._context.clock()
        if due.verbatim and due.resend_of is not None:
            original = deliveries.last_attempt(connection, due.resend_of)
            if original is None:
                raise Conflict("there is nothing to copy: the original was never sent")
            self._refuse_unreachable(original.request.url)
            return _Unnumbered(now, original.nonce, original.signed, original.request, due.body)
        webhook = self._context.document.webhook(due.webhook)
        plain = webhook.unsigned(subscription.url, due.body, (("User-Agent", USER_AGENT),))
        if subscription.secrets.current is None:
            return _Unnumbered(now, "", False, framed(plain), due.body)
        drawn = self._nonce(webhook, subscription, due)
        signed = self._signed(webhook, subscription, plain, (now, drawn))
        return _Unnumbered(now, drawn, True, framed(signed), due.body)

    def _nonce(self, webhook: Webhook, subscription: Subscription, due: Due) -> str:
        rule = webhook.scheme.nonce
        if rule is None:
            return ""
        wanted = subscription.policy.nonce
        if wanted is OnRetry.UNKNOWN:
            wanted = rule.on_retry
        if due.nonce and wanted is not OnRetry.NEW:
            return due.nonce
        return drawn_nonce(rule, self._context.random)

    def _signed(
        self,
        webhook: Webhook,
        subscription: Subscription,
        request: Request,
        stamp: tuple[float, str],
    ) -> Request:
        signers = [self._signer(webhook, secret) for secret in signing_secrets(subscription)]
        if len(signers) == 1:
            return signers[0].signed(request, timestamp=stamp[0], nonce=stamp[1])
        made = [each.sign(request, timestamp=stamp[0], nonce=stamp[1]) for each in signers]
        every = [signature for each in made for signature in each.signatures]
        return made[0].with_signature(*every).request

    def _signer(self, webhook: Webhook, secret: str) -> Signer:
        key = (webhook.name, secret)
        if key not in self._signers:
            if len(self._signers) >= _SIGNERS:
                self._signers.clear()
            self._signers[key] = Signer(webhook.scheme, secret)
        return self._signers[key]


_MANNERS = {FaultKind.SLOW_BODY: Manner.SLOW_BODY, FaultKind.RESET: Manner.RESET}


def signing_secrets(subscription: Subscription) -> tuple[str, ...]:
    """Return the secrets that sign now, at least one, for a subscription that signs."""
    secrets = subscription.secrets
    current, previous = secrets.current or "", secrets.previous
    if previous is None or secrets.sign_with is SignWith.NEW:
        return (current,)
    return (previous,) if secrets.sign_with is SignWith.OLD else (current, previous)


@final
@dataclass(frozen=True, slots=True)
class _Unnumbered:
    """A request that has no number yet."""

    started: float
    nonce: str
    signed: bool
    request: Request
    event_body: bytes

    def numbered(self, delivery: int, number: int) -> Recorded:
        return Recorded(
            attempt_id(delivery, number),
            self.started,
            self.nonce,
            self.signed,
            self.request,
            same_body=self.request.body == self.event_body,
        )
