"""Parts: added, read, consumed, counted, removed."""

from __future__ import annotations

from hookproof_mockserver import stock
from hookproof_mockserver.desks import Desk
from hookproof_mockserver.engine import checks, triggering
from hookproof_mockserver.engine.ids import new_id
from hookproof_mockserver.engine.triggering import Move
from hookproof_mockserver.model import Event, Location, Part, Source
from hookproof_mockserver.store import stock as shelves


class StockDesk(Desk):
    """What can be asked about stock."""

    def add_part(
        self,
        *,
        name: str,
        article_code: str,
        locations: tuple[tuple[str, int], ...],
        id: str | None = None,
    ) -> Part:
        """Add a spare part with how much of it lies in each of the named locations.

        Raises:
            StockError, Invalid, Conflict: the document tells of no stock, a value cannot be taken,
                or there is a part of that id.
        """
        now, random = self._context.clock(), self._context.random
        for place, (where, quantity) in enumerate(locations):
            checks.text(f"/locations/{place}/name", where)
            stock.check_quantity(f"/locations/{place}/quantity", quantity)
        part = Part(
            id=new_id("part", now, random) if id is None else checks.text("/id", id),
            name=checks.text("/name", name),
            article_code=checks.text("/article_code", article_code),
            locations=tuple(
                Location(id=new_id("loc", now, random), name=where, quantity=quantity)
                for where, quantity in locations
            ),
        )
        return triggering.add_part(self._context, part)

    def parts(self) -> tuple[Part, ...]:
        """Return all parts, the oldest first."""
        with self._context.store.reading() as connection:
            return shelves.every(connection)

    def part(self, id: str) -> Part:
        """Return a part.

        Raises:
            NotFound: there is none of that id.
        """
        with self._context.store.reading() as connection:
            return shelves.found(connection, id)

    def remove_part(self, id: str) -> None:
        """Remove a part; no event tells of it.

        Raises:
            NotFound: there is none of that id.
        """
        self._context.store.write(lambda transaction: shelves.remove(transaction, id))

    def consume(self, part_id: str, location_id: str, quantity: int) -> tuple[Part, Event | None]:
        """Take some of a part away; when that was the last, the event it has brought about.

        Raises:
            StockError, NotFound, Invalid, Conflict: it cannot be done, as when there is less.
        """
        return triggering.move(
            self._context,
            Move(
                part=part_id,
                location=location_id,
                source=Source.CONSUMPTION,
                after=lambda part, location: stock.consumed(part, location, quantity),
            ),
        )

    def set_stock(self, part_id: str, location_id: str, quantity: int) -> tuple[Part, Event | None]:
        """Write how much lies at a location; when it has run out, the event that brings about.

        Raises:
            StockError, NotFound, Invalid: it cannot be done.
        """
        stock.check_quantity("/quantity", quantity)
        return triggering.move(
            self._context,
            Move(
                part=part_id,
                location=location_id,
                source=Source.STOCK_UPDATE,
                after=lambda _part, _location: quantity,
            ),
        )
