"""Reports: each is a listener of a run's events, and none knows another."""

from __future__ import annotations

from typing import Protocol

from hookproof.events import Event


class Report(Protocol):
    """Hears what a run tells, one event after another."""

    def hear(self, event: Event) -> None:
        """Take an event; the last one of a run is `RunFinished`.

        Raises:
            HookproofError: the report cannot be written.
        """
