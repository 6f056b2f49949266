"""Events: triggered and read."""

from __future__ import annotations

from hookproof_mockserver.desks import Desk
from hookproof_mockserver.engine import checks, triggering
from hookproof_mockserver.engine.triggering import Trigger
from hookproof_mockserver.model import Event, Fault, Page
from hookproof_mockserver.store import events, lists
from hookproof_spec.webhook import JsonValue


class EventDesk(Desk):
    """What can be asked about events."""

    def trigger(
        self,
        event: str | None = None,
        *,
        payload: JsonValue | bytes = None,
        random: bool = False,
        allow_invalid: bool = False,
        idempotency_key: str | None = None,
        faults: tuple[Fault, ...] = (),
    ) -> Event:
        """Bring an event about; it is on disk when this returns.

        Args:
            event: the webhook's name; not needed where there is one.
            payload: JSON, or bytes to be sent as they are; None is the example, dated now.
            random: take a random payload that the schema allows instead.
            allow_invalid: send a payload that breaks the schema all the same.
            idempotency_key: a second call with it returns the first one's event.
            faults: done to its first attempt; with several, each has a delivery of its own.

        Raises:
            Invalid, InvalidPayload, PlanError, Conflict: a value cannot be taken, the payload
                breaks the schema, the plan has not this webhook, or the key was used before.
        """
        return triggering.trigger(
            self._context,
            Trigger(
                event=event,
                payload=payload,
                random=random,
                allow_invalid=allow_invalid,
                idempotency_key=idempotency_key,
                faults=faults,
            ),
        )

    def events(
        self, *, after: str | None = None, limit: int = 50, webhook: str | None = None
    ) -> Page[Event]:
        """Return a page of events, the newest first.

        Raises:
            Invalid: there is no event `after`, or the limit is out of bounds.
        """
        checks.number("/limit", limit, 1, checks.MOST_ON_A_PAGE)
        with self._context.store.reading() as connection:
            return lists.events(connection, after, limit, webhook)

    def event(self, id: str) -> Event:
        """Return an event.

        Raises:
            NotFound: there is none of that id.
        """
        with self._context.store.reading() as connection:
            return events.found(connection, id)
