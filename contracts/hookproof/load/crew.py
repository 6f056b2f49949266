"""What the users of one process share, and where their counts go. Nothing here knows Locust."""

from __future__ import annotations

import json
import os
import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol, final

from hookproof.load import parts
from hookproof.load.making import Maker
from hookproof.load.mix import Kind
from hookproof.load.plan import Plan
from hookproof.load.tally import Tally, outcome_of
from hookproof.verdicts import Outcome
from hookproof_spec.request import Request

REMEMBERED = 64
"""So many accepted requests are kept to be replayed; each may be sent more than once."""


class Sink(Protocol):
    """Takes the counts of all processes."""

    def begin(self) -> None:
        """Get ready; users start after it."""

    def take(self, told: Mapping[str, object], users: int) -> None:
        """Take what one process has counted since it last told."""

    def end(self, silent: int) -> None:
        """Nothing more comes; so many workers have gone without telling their last counts."""


@final
class Pipe:
    """Tells the command line, which added the pipe to our environment."""

    def __init__(self, descriptor: int, give_up: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._give_up = give_up

    def begin(self) -> None:
        """Nothing is to be done: the command line has tried the receiver out."""

    def take(self, told: Mapping[str, object], users: int) -> None:
        """Write one line."""
        self._write({"users": users, "counted": told})

    def end(self, silent: int) -> None:
        """Say that everything was told, but for what so many workers kept to themselves."""
        self._write({"ended": True, "silent": silent})

    def _write(self, told: Mapping[str, object]) -> None:
        line = json.dumps(told).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except BrokenPipeError:  # whoever listened has gone, and a load without ears must end
            self._give_up()


@final
class Crew:
    """What the users of one process share: how to make requests, and the counts."""

    def __init__(self, plan: Plan, secret: str) -> None:
        self.plan = plan
        self.secret = secret
        self.maker = Maker(
            plan.webhook,
            secret,
            url=plan.url,
            headers=plan.headers,
            tolerance=plan.tolerance,
            clock=time.time,
        )
        self.picker = plan.mix.picker(random.SystemRandom())
        self.accepted: deque[Request] = deque(maxlen=REMEMBERED)
        self.at_work = False
        """Locust kills users that wait; one that wakes up just then must not send any more."""
        self._left: int | None = None
        self._counted = Tally()

    def __repr__(self) -> str:
        return f"Crew({self.plan})"

    def begin(self, share: int | None) -> None:
        """Let users send, so many requests if that is not None."""
        self._left = share
        self.at_work = True

    def rest(self) -> None:
        """Let no user begin another request."""
        self.at_work = False

    def next(self) -> tuple[Kind, Request]:
        """Return a request; while nothing was accepted, none can be replayed."""
        if self._left is not None:
            self._left -= 1
            self.at_work = self._left > 0
        kind = self.picker.pick()
        if kind is Kind.REPLAYED and self.accepted:
            return kind, random.choice(self.accepted)
        kind = Kind.VALID if kind is Kind.REPLAYED else kind
        return kind, self.maker.make(kind)

    def count(self, kind: Kind, request: Request, answer: str, seconds: float) -> None:
        """Count what came back."""
        self._counted.add(kind, answer, seconds, time.time())
        if kind is Kind.VALID and outcome_of(answer) is Outcome.ACCEPTED:
            self.accepted.append(request)

    def count_unfinished(self, kind: Kind) -> None:
        """Count a request whose user was stopped in the midst of it."""
        self._counted.of(kind).unfinished += 1

    def counted(self) -> dict[str, object]:
        """Return what was counted since the last call."""
        told, self._counted = parts.written(self._counted), Tally()
        return told
