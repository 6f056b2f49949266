"""Sending what has been claimed, in the thread of a worker."""

from __future__ import annotations

from typing import final

from hookproof_mockserver.engine.building import Flight, Forging
from hookproof_mockserver.engine.context import Context
from hookproof_mockserver.engine.landing import Landed
from hookproof_mockserver.model import ENDED
from hookproof_mockserver.sender_errors import Conflict
from hookproof_mockserver.store import deliveries
from hookproof_mockserver.store.records import Recorded
from hookproof_mockserver.store.rows import attempt_id
from hookproof_mockserver.store.writer import Transaction
from hookproof_mockserver.transport import Answer, exchange, exchange_at_once, framed
from hookproof_spec.errors import HookproofError


@final
class Pilot:
    """Sends flights and tells listeners before and after."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def fly(self, flight: Flight) -> Landed:
        """Send a flight's requests; never raises."""
        requests = flight.requests
        try:
            if flight.forging is not None:
                requests = self._forged(flight, flight.forging)
            self._tell(flight.due.seq, requests)
            return Landed(flight, requests, self._sent(flight, requests))
        except HookproofError as error:
            return _not_sent(flight, requests, str(error))
        except BaseException as error:  # a thread of ours has nobody else to tell
            self._context.on_error(error)
            return _not_sent(flight, requests, repr(error))

    def _sent(self, flight: Flight, requests: tuple[Recorded, ...]) -> tuple[Answer, ...]:
        if flight.at_once:
            return tuple(exchange_at_once([each.request for each in requests], flight.terms))
        return tuple(exchange(each.request, flight.terms) for each in requests)

    def _forged(self, flight: Flight, forging: Forging) -> tuple[Recorded, ...]:
        """Have a forgery made, and record its requests."""
        now, due = self._context.clock(), flight.due
        made = self._context.forge.requests(
            forging.rule, forging.webhook, forging.secret, forging.url, now
        )
        requests = tuple(
            Recorded(
                attempt_id(due.seq, number),
                now,
                "",
                True,
                framed(request),
                same_body=request.body == due.body,
            )
            for number, request in enumerate(made, due.attempts + 1)
        )

        def record(transaction: Transaction) -> None:
            if deliveries.of_row(transaction.connection, due.seq).state in ENDED:
                raise Conflict(f"the delivery {due.id} was cancelled")
            deliveries.record(transaction, requests)
            deliveries.depart(transaction, [flight.departure])

        self._context.store.write(record)
        return requests

    def tell_after(self, landed: Landed) -> None:
        """Tell listeners what came of a flight."""
        self._tell(landed.flight.due.seq, landed.requests)

    def _tell(self, seq: int, requests: tuple[Recorded, ...]) -> None:
        if not self._context.listeners:
            return
        with self._context.store.reading() as connection:
            delivery = deliveries.of_row(connection, seq)
            attempts = [deliveries.attempt(connection, each.id) for each in requests]
        for attempt in attempts:
            for listener in tuple(self._context.listeners):
                try:
                    if attempt is not None:
                        listener(delivery, attempt)
                except Exception as error:  # a listener's mistake stops no delivery
                    self._context.on_error(error)


def _not_sent(flight: Flight, requests: tuple[Recorded, ...], because: str) -> Landed:
    answers = tuple(Answer(None, f"not sent: {because}", 0.0) for _ in requests)
    return Landed(flight, requests, answers, because)
