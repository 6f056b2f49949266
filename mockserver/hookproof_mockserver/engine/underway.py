"""Which deliveries the engine has on their way: each subscription's, by row ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from hookproof_mockserver.engine.building import Flight


@final
class Underway:
    """Deliveries that have been claimed and are not yet written down as back; never changed."""

    def __init__(self, own: dict[int, frozenset[int]] | None = None) -> None:
        self._own = own or {}
        self.all: frozenset[int] = frozenset().union(*self._own.values())

    def __len__(self) -> int:
        return len(self.all)

    def of(self, subscription: int) -> frozenset[int]:
        """Return those of a subscription."""
        return self._own.get(subscription, frozenset())

    def after(self, landed: Iterable[Flight], departed: Iterable[Flight] = ()) -> Underway:
        """Return what is on its way once flights have landed and others set off."""
        own = {subscription: set(seqs) for subscription, seqs in self._own.items()}
        for flight in landed:
            own[flight.subscription].discard(flight.due.seq)
        for flight in departed:
            own.setdefault(flight.subscription, set()).add(flight.due.seq)
        return Underway({key: frozenset(seqs) for key, seqs in own.items() if seqs})
