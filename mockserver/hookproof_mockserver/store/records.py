"""What is to be written of deliveries: rows that do not exist yet, and changes of those that do.

`seq`, `event`, `subscription` and `resend_of` are row ids. What a turn of the engine writes by the
hundred is a tuple, made in a third of the time that a frozen dataclass takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

from hookproof_mockserver.model import DeliveryState, Fault, Response
from hookproof_spec.request import Request


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A delivery that is to be."""

    id: str
    event: int
    subscription: int
    created: float
    fault: Fault | None = None
    resend_of: int | None = None
    verbatim: bool = False


@final
class Recorded(NamedTuple):
    """A request about to be sent, as it is recorded before."""

    id: int
    started: float
    nonce: str
    signed: bool
    request: Request
    same_body: bool
    """Whether the body is the event's, which is then not stored twice."""


@final
class Departure(NamedTuple):
    """A delivery that sets off, its requests recorded; `attempts` it had before."""

    seq: int
    id: str
    before: DeliveryState
    attempts: int = 0
    held: bool = False


@final
class Outcome(NamedTuple):
    """What came of a recorded request."""

    seconds: float
    response: Response | None
    failure: str
    succeeded: bool


@final
class Standing(NamedTuple):
    """Where a delivery stands."""

    state: DeliveryState
    next_at: float | None
    next_words: str
    ended: float | None


@final
class Arrival(NamedTuple):
    """A delivery whose requests are answered, or never will be: it has so many attempts now.

    `outcome` is that of the last of them.
    """

    seq: int
    id: str
    attempts: int
    standing: Standing
    outcome: Outcome
