"""What the mock sender knows: subscriptions, stock, events, deliveries and their attempts.

Frozen records, as the store returns them. Times are Unix seconds, durations are seconds, bodies
are bytes. No `repr` shows a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar, final

from hookproof_spec.request import Header, Request
from hookproof_spec.scheme import OnRetry

Item = TypeVar("Item")


class Schedule(StrEnum):
    """When a failed delivery is tried again."""

    NONE = "none"
    FIXED = "fixed"
    EXPONENTIAL = "exponential"
    STANDARD = "standard"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and when a failed delivery is tried again.

    `first` is the wait before the first retry; `most` the longest wait; `jitter` the share of a
    wait that is random, from 0 to 1. `attempts` counts the first attempt too. The schedule
    `standard` is that of the Standard Webhooks specification and uses none of them but `attempts`.
    """

    schedule: Schedule = Schedule.EXPONENTIAL
    attempts: int = 8
    first: float = 5.0
    most: float = 3600.0
    jitter: float = 0.1


class SignWith(StrEnum):
    """Which secret signs while two are valid. `both` needs a scheme that carries several."""

    NEW = "new"
    OLD = "old"
    BOTH = "both"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """A subscription's secrets: the current one, and during a rotation the one before.

    Both are None where no secret key was created: deliveries are then unsigned.
    """

    current: str | None = field(default=None, repr=False)
    previous: str | None = field(default=None, repr=False)
    overlap_until: float | None = None
    sign_with: SignWith = SignWith.NEW


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """How a subscription's events are delivered.

    `success` holds the statuses that count as received; empty means every 2xx. `nonce` says
    whether a retry keeps the nonce of the attempt before. `concurrency` is how many deliveries may
    be on their way at once; with `ordered`, the next waits until the one before has ended. After
    `disable_after` failed deliveries in a row the subscription is disabled; 0 means never.
    """

    retry: RetryPolicy = RetryPolicy()
    nonce: OnRetry = OnRetry.SAME
    success: tuple[int, ...] = ()
    timeout: float = 10.0
    concurrency: int = 4
    ordered: bool = False
    disable_after: int = 0


class FaultKind(StrEnum):
    """What is done wrong on purpose."""

    DUPLICATE = "duplicate"
    REORDER = "reorder"
    DELAY = "delay"
    SLOW_BODY = "slow-body"
    RESET = "reset"
    RULE = "rule"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault on purpose. `seconds` is for delays and slow bodies, `rule` for forgeries.

    A `rule` is an id of the contract, such as `forged-wrong-secret` or `replay-exact`: what is
    sent is the request which that rule would send.
    """

    kind: FaultKind
    seconds: float = 0.0
    rule: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A registered receiver: where the events of one kind go, and how.

    `secrets` holds texts only where a secret has just been made; `signed` tells whether there is
    one, `rotating` whether two are valid now. `faults` are done to each of its events. `disabled`
    says in words why it was disabled by the sender itself, or is empty. `failures` counts failed
    deliveries in a row.
    """

    id: str
    url: str
    event: str
    active: bool
    secrets: Secrets
    policy: DeliveryPolicy
    created: float
    description: str = ""
    disabled: str = ""
    failures: int = 0
    signed: bool = False
    rotating: bool = False
    faults: tuple[Fault, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place that holds a quantity of a part."""

    id: str
    name: str
    quantity: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A spare part and how much of it lies where."""

    id: str
    name: str
    article_code: str
    locations: tuple[Location, ...] = ()

    @property
    def quantity(self) -> int:
        """How much there is in all places."""
        return sum(location.quantity for location in self.locations)


class Source(StrEnum):
    """What brought an event about."""

    CONSUMPTION = "consumption"
    STOCK_UPDATE = "stock update"
    TRIGGER = "trigger"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. `body` is the payload as it is sent, byte for byte.

    `valid` is False for a payload that breaks the schema and was asked for all the same.
    """

    id: str
    webhook: str
    body: bytes
    source: Source
    created: float
    valid: bool = True


class DeliveryState(StrEnum):
    """Where a delivery stands.

    A forgery that was answered is delivered, whatever the answer, and so is a copy that was refused
    because the receiver had taken the original: `last_status` and `next_words` tell the rest.
    """

    PENDING = "pending"
    SENDING = "sending"
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.CANCELLED})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one subscription.

    `next_at` is when it is tried again; `next_words` says what the sender does next, in words.
    `resend_of` is the delivery whose request is sent once more; `verbatim` then keeps its bytes.
    """

    id: str
    event_id: str
    subscription_id: str
    webhook: str
    url: str
    state: DeliveryState
    created: float
    attempts: int = 0
    next_at: float | None = None
    next_words: str = ""
    fault: Fault | None = None
    resend_of: str | None = None
    verbatim: bool = False
    last_status: int | None = None
    last_failure: str = ""
    last_seconds: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a receiver answered; `cut` when its body was longer than is kept."""

    status: int
    headers: tuple[Header, ...]
    body: bytes
    cut: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request of a delivery, recorded before it is sent, and its result afterwards.

    `response` is None while it is on its way, and where nothing usable came back; `failure` then
    says why. An attempt that the process did not outlive has the failure `interrupted`.
    """

    delivery_id: str
    number: int
    request: Request
    started: float
    nonce: str = ""
    signed: bool = True
    response: Response | None = None
    failure: str = ""
    seconds: float | None = None
    succeeded: bool = False
    next_words: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose sender this is: the plan decides whether there are webhooks at all."""

    plan: str
    plans: Mapping[str, bool]
    """From each plan to whether it has webhooks."""


@final
@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A part of a list, newest first; `after` continues it, None at its end."""

    items: tuple[Item, ...]
    after: str | None
