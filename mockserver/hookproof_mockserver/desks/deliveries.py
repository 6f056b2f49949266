"""Deliveries: read, sent again, forged, cancelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hookproof_mockserver.desks import Desk
from hookproof_mockserver.engine import checks, resending
from hookproof_mockserver.model import Attempt, Delivery, DeliveryState, Page
from hookproof_mockserver.store import deliveries, lists
from hookproof_mockserver.store.lists import Filter
from hookproof_mockserver.store.writer import Transaction
from hookproof_spec.webhook import Webhook


class DeliveryDesk(Desk):
    """What can be asked about deliveries."""

    def deliveries(
        self,
        *,
        after: str | None = None,
        limit: int = 50,
        state: DeliveryState | None = None,
        subscription: str | None = None,
        event: str | None = None,
        failed_since: float | None = None,
        text: str | None = None,
    ) -> Page[Delivery]:
        """Return a page of deliveries that fit everything given, the newest first.

        A text is looked for in 20,000 deliveries at a time, so a page may hold fewer than asked
        for and still be continued.

        Raises:
            Invalid: there is no delivery `after`, or the limit is out of bounds.
        """
        checks.number("/limit", limit, 1, checks.MOST_ON_A_PAGE)
        which = Filter(
            state=state,
            subscription=subscription,
            event=event,
            failed_since=failed_since,
            text=text,
        )
        with self._context.store.reading() as connection:
            return lists.deliveries(connection, after, limit, which, self._context.underway.all)

    def delivery(self, id: str) -> Delivery:
        """Return a delivery.

        Raises:
            NotFound: there is none of that id.
        """
        with self._context.store.reading() as connection:
            return deliveries.found(connection, id)[1]

    def attempts(self, delivery_id: str) -> tuple[Attempt, ...]:
        """Return a delivery's attempts in their order.

        Raises:
            NotFound: there is no such delivery.
        """
        with self._context.store.reading() as connection:
            return deliveries.attempts(connection, delivery_id)

    def resend(self, id: str, *, verbatim: bool = True) -> Delivery:
        """Send a delivery's event once more: the bytes of its last attempt, or signed anew.

        A copy goes where the original went, even if the webhook's URL is another now.

        Raises:
            NotFound, Conflict: there is none of that id, or it cannot be sent again now.
        """
        return resending.resend(self._context, id, verbatim=verbatim)

    def resend_many(
        self,
        *,
        state: DeliveryState | None = None,
        subscription: str | None = None,
        since: float | None = None,
        until: float | None = None,
    ) -> tuple[Delivery, ...]:
        """Send the events of all deliveries that fit once more, signed anew, the oldest first.

        `since` and `until` are about when they were made, in Unix seconds. Those of webhooks that
        are not active are left out.

        Raises:
            NotFound, Conflict: the webhook that is named is not there or not active, or more than
                1,000 deliveries fit; then none is sent.
        """
        which = Filter(state=state, subscription=subscription, since=since, until=until)
        return resending.resend_many(self._context, which)

    def forge(self, id: str, rule: str) -> Delivery:
        """Send what a rule of the contract would send, to the receiver of a delivery.

        Raises:
            NotFound, Conflict, Invalid: there is none of that id, or no such forgery can be sent.
        """
        return resending.forge(self._context, id, rule)

    def forgeries(self, webhook: Webhook) -> Mapping[str, str]:
        """Return the titles of the rules that can be sent for a webhook, by their ids."""
        return self._context.forge.rules(webhook)

    def cancel(self, id: str) -> Delivery:
        """Give up a delivery that waits.

        Raises:
            NotFound, Conflict: there is none of that id, it is on its way, or it has ended.
        """
        return self._changed(id, deliveries.cancel)

    def retry_now(self, id: str) -> Delivery:
        """Try a delivery that waits at once.

        Raises:
            NotFound, Conflict: there is none of that id, it is on its way, or it has ended.
        """
        return self._changed(id, deliveries.retry_now)

    def _changed(self, id: str, change: Callable[[Transaction, str, float], None]) -> Delivery:
        def write(transaction: Transaction) -> Delivery:
            change(transaction, id, self._context.clock())
            return deliveries.found(transaction.connection, id)[1]

        return self._context.store.write(write)
