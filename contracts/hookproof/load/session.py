"""A load test from its first request to its verdict: what is known, added up as it comes in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import final

from hookproof.courier import Unreachable
from hookproof.effects import ProbeError
from hookproof.events import ExitStatus
from hookproof.load.alone import Quiet
from hookproof.load.judging import Effects, Facts, Finding, Judged, Weight, judge
from hookproof.load.making import Maker
from hookproof.load.mix import Kind
from hookproof.load.plan import Plan, lines
from hookproof.load.tally import Tally
from hookproof.redact import Redactor
from hookproof.reports.outcome import INTERRUPTED
from hookproof.verdicts import Outcome
from hookproof.wording import plural


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A load test that has ended: what was planned, what was counted, what it came to.

    `facts` say what was tested, as pairs of a label and a text that can be shown to anyone.
    `users` is how many there were at most, `started` Unix seconds. `complete` is False where it
    ended before its time, `interrupted` says that somebody wanted that.
    """

    plan: Plan
    facts: tuple[tuple[str, str], ...]
    judged: Judged
    tally: Tally
    effects: Effects | None
    users: int
    started: float
    complete: bool
    interrupted: bool = False

    @property
    def seconds(self) -> float:
        """How long the load went on."""
        return self.tally.seconds

    @property
    def status(self) -> ExitStatus:
        """What was proven."""
        return self.judged.status

    @property
    def exit(self) -> int:
        """The exit status of the process."""
        return INTERRUPTED if self.interrupted else int(self.status)


@final
@dataclass(slots=True)
class Session:
    """One load test. `users` is how many are at work, told by whoever sends."""

    plan: Plan
    quiet: Quiet
    redactor: Redactor
    clock: Callable[[], float] = time.time
    tally: Tally = field(default_factory=Tally)
    started: float = 0.0
    users: int = 0
    most: int = 0
    """How many users there were at most."""
    _begun: bool = False
    _before: int | None = None
    _after: int | None = None

    @classmethod
    def of(cls, plan: Plan, secret: str) -> Session:
        """Return a session that has not begun."""
        maker = Maker(
            plan.webhook,
            secret,
            url=plan.url,
            headers=plan.headers,
            tolerance=plan.tolerance,
            clock=time.time,
        )
        return cls(plan, Quiet.of(plan, maker), Redactor([secret], plan.scheme))

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What is tested, as pairs of a label and a text that can be shown to anyone."""
        return tuple((label, self.redactor.text(text)) for label, text in lines(self.plan))

    def begin(self) -> bool:
        """Try single requests out, and count effects; tell whether a load makes sense.

        Raises:
            Unreachable, ProbeError: nothing listens there, or effects cannot be counted.
        """
        self.started = self.clock()
        sensible = self.quiet.try_out(self.plan)
        if sensible and self.quiet.watcher.active:
            self._before = self.quiet.watcher.read().count
        self._begun = sensible
        return sensible

    def take(self, counted: Tally, users: int) -> None:
        """Add what a process has counted since it last told."""
        self.tally.merge(counted)
        self.users = users
        self.most = max(self.most, users)

    def miss(self, silent: int) -> None:
        """Judge no effects where so many workers left without telling what they had sent."""
        if silent:
            self._before = None
            self.find(_silent(silent))

    def settle(self) -> None:
        """Wait for the effects of what was sent, and see whether a genuine event is still taken."""
        if not self._begun:
            return
        try:
            counted = 0 if self._before is None else self.quiet.settled(self._wanted())
            counted = self.quiet.afterwards(counted)
            self._after = None if self._before is None else counted
        except (ProbeError, Unreachable) as error:
            self.find(_gone(str(error)))

    def _wanted(self) -> int:
        genuine = self.tally.kinds.get(Kind.VALID)
        taken = genuine.outcomes[Outcome.ACCEPTED] if genuine else 0
        return (self._before or 0) + taken

    def find(self, finding: Finding) -> None:
        """Add what was found beside the requests."""
        self.quiet.found.append(finding)

    def finished(self, *, complete: bool, interrupted: bool = False) -> Loaded:
        """Return what it came to."""
        self.quiet.close()
        effects = None
        if self._before is not None and self._after is not None:
            effects = Effects(self._before, self._after)
        facts = Facts(
            tally=self.tally,
            effects=effects,
            acts_alone=frozenset(self.quiet.acts),
            replay=self.plan.replay,
            forged=self.plan.forged,
            before=tuple(
                replace(finding, found=self.redactor.text(finding.found))
                for finding in self.quiet.found
            ),
        )
        return Loaded(
            plan=self.plan,
            facts=self.facts,
            judged=judge(facts),
            tally=self.tally,
            effects=effects,
            users=self.most,
            started=self.started,
            complete=complete,
            interrupted=interrupted,
        )


def _silent(workers: int) -> Finding:
    return Finding(
        id="worker-lost",
        weight=Weight.UNPROVEN,
        found=f"{plural(workers, 'worker')} ended without telling what was sent last, so effects"
        " cannot be held against requests",
        expected="workers that stay until the master ends",
        remedy="Look at what ended it: memory, a time limit, the network? Then run it again.",
    )


def _gone(why: str) -> Finding:
    return Finding(
        id="gone-afterwards",
        weight=Weight.FAIL,
        found=f"after the load: {why}",
        expected="a receiver that is still there, and tells its effects",
        remedy="Look at how it ended: out of memory, out of file descriptors?",
    )
