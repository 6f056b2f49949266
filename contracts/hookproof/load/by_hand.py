"""A load test that was started by `locust -f`: judged in Locust's own process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import final

from hookproof.load import parts, reports
from hookproof.load.plan import REPORT, Plan
from hookproof.load.session import Session
from hookproof.load.telling import ending
from hookproof.reports.console import Console
from hookproof_spec.errors import HookproofError

NOT_RUN = 2


@final
class ByHand:
    """Takes the counts of all processes, and prints the verdict when the users have stopped.

    `reports` are texts like `json=PATH`; `leave` ends Locust, `exit_with` sets its exit status.
    """

    def __init__(
        self,
        plan: Plan,
        secret: str,
        wanted: Iterable[str],
        leave: Callable[[], object],
        exit_with: Callable[[int], None],
    ) -> None:
        self._new: Callable[[], Session] = lambda: Session.of(plan, secret)
        self._outputs = reports.outputs([text for text in wanted if text], REPORT)
        self._leave = leave
        self._exit_with = exit_with
        self._session: Session | None = None

    def begin(self) -> None:
        """Try the receiver out; where nothing can be judged, leave."""
        session = self._new()
        try:
            sensible = session.begin()
        except HookproofError as error:
            self._refuse(error)
            self._leave()
            return
        self._session = session
        if not sensible:
            self._leave()

    def take(self, told: Mapping[str, object], users: int) -> None:
        """Add what one process has counted."""
        if self._session is not None:
            self._session.take(parts.read(told), users)

    def end(self, silent: int) -> None:
        """Judge, print and write what it came to; so many workers left without their counts."""
        session, self._session = self._session, None
        if session is None:
            return
        session.miss(silent)
        session.settle()
        loaded = session.finished(complete=True)
        console = Console.on(sys.stdout)
        for line in ending(loaded, console, brief=False):
            console.line(line)
        self._exit_with(int(loaded.status))
        try:
            for output in self._outputs:
                output.write(loaded)
        except HookproofError as error:
            self._refuse(error)

    def _refuse(self, error: HookproofError) -> None:
        print(f"hookproof: {error}", file=sys.stderr)
        self._exit_with(NOT_RUN)
