"""What a flight came back with becomes rows: outcomes, and where its delivery stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import final

from hookproof_mockserver import schedule
from hookproof_mockserver.engine.building import Due, Flight
from hookproof_mockserver.engine.claiming import Loaded, load
from hookproof_mockserver.engine.context import Context
from hookproof_mockserver.model import ENDED, DeliveryState, Subscription
from hookproof_mockserver.schedule import Next, Tried, refusal
from hookproof_mockserver.store import deliveries, subscriptions
from hookproof_mockserver.store.records import Arrival, Outcome, Recorded, Standing
from hookproof_mockserver.store.writer import Transaction
from hookproof_mockserver.transport import Answer


@final
@dataclass(frozen=True, slots=True)
class Landed:
    """A flight that is over: an answer for each request that was recorded.

    `problem` says why nothing was sent, where that is so.
    """

    flight: Flight
    requests: tuple[Recorded, ...]
    answers: tuple[Answer, ...]
    problem: str = ""


@final
@dataclass(slots=True)
class Landings:
    """Writes what came of flights within one transaction."""

    context: Context
    transaction: Transaction
    now: float
    _loaded: dict[int, Loaded | None] = field(default_factory=dict)
    _arrivals: list[Arrival] = field(default_factory=list)
    _copies: list[tuple[int, Outcome]] = field(default_factory=list)

    def write(self, landed: list[Landed]) -> None:
        """Write everything, and let those go that waited for it."""
        for each in landed:
            self._judge(each)
        deliveries.record_outcomes(self.transaction, self._copies)
        deliveries.arrive(self.transaction, self._arrivals)
        for subscription in {each.flight.subscription for each in landed}:
            self._release(subscription)

    def _judge(self, landed: Landed) -> None:
        loaded = self._subscription(landed.flight.subscription)
        if loaded is None:
            return
        subscription = loaded.subscription
        following = self._next(landed, subscription)
        if loaded.removed and following.state is DeliveryState.WAITING:
            following = replace(
                following,
                state=DeliveryState.CANCELLED,
                words="cancelled: its webhook was removed",
                wait=None,
            )
        self._write(landed, subscription, self._standing(following))
        self._count(subscription, following, landed)

    def _write(self, landed: Landed, subscription: Subscription, standing: Standing) -> None:
        due, connection = landed.flight.due, self.transaction.connection
        if not landed.requests:  # a forgery that could not be made; it may be cancelled meanwhile
            if deliveries.of_row(connection, due.seq).state not in ENDED:
                deliveries.stand(self.transaction, due.seq, standing)
            return
        *copies, last = _outcomes(landed, subscription)
        ids = (each.id for each in landed.requests)
        self._copies += zip(ids, copies, strict=False)
        counted = due.attempts + len(landed.requests)
        self._arrivals.append(Arrival(due.seq, due.id, counted, standing, last))

    def _subscription(self, seq: int) -> Loaded | None:
        if seq not in self._loaded:
            self._loaded[seq] = load(self.transaction.connection, seq, self.now)
        return self._loaded[seq]

    def _next(self, landed: Landed, subscription: Subscription) -> Next:
        if landed.flight.forging is not None:
            return _after_forgery(landed, subscription)
        answer = _decisive(landed, subscription)
        received = schedule.received(subscription.policy, answer.response)
        return schedule.after(
            Tried(
                policy=subscription.policy,
                tries=landed.flight.due.tries + 1,
                failures=subscription.failures,
                response=answer.response,
                failure=answer.failure,
                now=self.now,
                roll=0.0 if received else self.context.random.random(),
                scale=self.context.time_scale,
                verbatim=landed.flight.due.verbatim,
                had=self._had(landed.flight.due),
            )
        )

    def _had(self, due: Due) -> bool:
        """Tell whether a delivery is a copy of one that the receiver has taken."""
        if not due.verbatim or due.resend_of is None:
            return False
        original = deliveries.of_row(self.transaction.connection, due.resend_of)
        return original.state is DeliveryState.DELIVERED

    def _standing(self, following: Next) -> Standing:
        if following.wait is None:
            return Standing(following.state, None, following.words, self.now)
        return Standing(following.state, self.now + following.wait, following.words, None)

    def _count(self, subscription: Subscription, following: Next, landed: Landed) -> None:
        """Count failed deliveries in a row, and disable where the policy says so."""
        columns: dict[str, object] = {}
        if following.failures != subscription.failures:
            columns["failures"] = following.failures
        if following.disables and not subscription.disabled:
            columns["disabled"] = following.disables
        if columns:
            subscriptions.change(self.transaction, subscription.id, columns)
            del self._loaded[landed.flight.subscription]  # it is another now

    def _release(self, subscription: int) -> None:
        """Let those go that were held back until another of their subscription had gone out."""
        held = deliveries.holding(self.transaction.connection, subscription)
        if held:
            deliveries.release(self.transaction, held, self.now)


def _decisive(landed: Landed, subscription: Subscription) -> Answer:
    """Return the answer that counts: the first that says received, or else the first."""
    policy = subscription.policy
    good = (a for a in landed.answers if schedule.received(policy, a.response))
    return next(good, landed.answers[0] if landed.answers else Answer(None, landed.problem, 0.0))


def _after_forgery(landed: Landed, subscription: Subscription) -> Next:
    """Return what follows a forgery: nothing, but words on what its answer means."""
    failures = subscription.failures
    if landed.problem:
        words = f"gives up: {landed.problem}"
        return Next(state=DeliveryState.FAILED, words=words, failures=failures)
    answer = landed.answers[-1]
    if answer.response is None:
        words = f"the forgery got no answer: {answer.failure}"
        return Next(state=DeliveryState.FAILED, words=words, failures=failures)
    status = answer.response.status
    taken = 200 <= status < 300
    words = (
        f"the receiver answered {status} to the forgery: it must have had no effect"
        if taken
        else f"the receiver refused the forgery with {status}"
    )
    return Next(state=DeliveryState.DELIVERED, words=words, failures=failures)


def _outcomes(landed: Landed, subscription: Subscription) -> list[Outcome]:
    policy = subscription.policy
    outcomes: list[Outcome] = []
    for answer in landed.answers:
        succeeded = schedule.received(policy, answer.response)
        refused = refusal(policy, answer.response) if answer.response else ""
        failure = answer.failure or refused
        outcomes.append(Outcome(answer.seconds, answer.response, failure, succeeded))
    return outcomes
