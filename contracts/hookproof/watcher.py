"""Watches a receiver's effects through a probe: counts, waits, and learns how late they appear."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

from hookproof.effects import Effects, Probe

PROMPT = 0.02
"""Effects that appear within so many seconds are taken to happen before the answer."""


@final
@dataclass(slots=True)
class Watcher:
    """Reads a probe; without one, `active` is False and a run goes by status alone.

    `limit` is how many seconds an effect may take to appear.
    """

    probe: Probe | None
    limit: float = 5.0
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    broken: str = ""
    seen: bool = False
    """Whether the probe has ever shown an effect of ours."""
    _settle: float = field(default=0.0)

    @property
    def active(self) -> bool:
        """Tell whether effects can be read."""
        return self.probe is not None and not self.broken

    def give_up(self, why: str) -> None:
        """Go by status from now on."""
        self.broken = why

    def read(self) -> Effects:
        """Read the probe.

        Raises:
            ProbeError: it does not answer as a probe should.
        """
        if self.probe is None:
            return Effects(0, None)
        return self.probe.read()

    def wait_for(self, wanted: int) -> Effects:
        """Wait until at least so many effects are counted, and then until stragglers settled.

        Returns what the probe showed last, which is less than wanted when the limit has passed.
        """
        begun = self.monotonic()
        pause = 0.005
        effects = self.read()
        while effects.count < wanted and self.monotonic() - begun < self.limit:
            self.sleep(pause)
            pause = min(pause * 1.5, 0.1)
            effects = self.read()
        if effects.count >= wanted:
            self.seen = True
            self._settle = max(self._settle, self.monotonic() - begun)
        return self._stragglers(effects)

    def let_settle(self) -> None:
        """Where effects come late, wait as long as the slowest took so far, twice."""
        if self._settle >= PROMPT:
            self.sleep(2 * self._settle)

    def _stragglers(self, effects: Effects) -> Effects:
        """Where effects come late, a moment more lets an unwanted one show itself."""
        if self._settle < PROMPT:
            return effects
        self.sleep(self._settle)
        return self.read()
