"""One receiver on trial: rules are tried when a test asks for them, and each only once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, final

from hookproof.baseline import Baseline
from hookproof.catalogue import BY_ID
from hookproof.events import RuleFinished, RuleResult, RunStarted
from hookproof.pytest_support.preparing import prepared
from hookproof.redact import Redactor
from hookproof.rule import Rule
from hookproof.run import Setup, lab_for, started_event, try_rule
from hookproof.verdicts import Verdict

if TYPE_CHECKING:
    from hookproof.lab import Lab
    from hookproof.pytest_support.settings import Settings
    from hookproof.targets.base import Target
    from hookproof.under_test import Clock, Receiver


@final
@dataclass(slots=True)
class Moved:
    """Moves a receiver's clock on, and knows the way back."""

    clock: Clock
    seconds: float = 0.0

    def __call__(self, seconds: float) -> None:
        """Move it on."""
        self.clock.advance(seconds)
        self.seconds += seconds

    def back(self) -> None:
        """Move it back to where it was."""
        if self.seconds:
            self.clock.advance(-self.seconds)
            self.seconds = 0.0


@final
@dataclass(frozen=True, slots=True)
class Bench:
    """A receiver, the lab that judges it, and how its rules have ended so far."""

    receiver: Receiver
    setup: Setup
    lab: Lab
    moved: Moved | None
    redactor: Redactor
    started: float
    baseline: Baseline | None = None
    results: dict[str, RuleResult] = field(default_factory=dict)
    """Without the secret, and as they are: what a baseline accepts is still broken."""
    told: set[str] = field(default_factory=set)
    """The rules whose results have gone into a report."""

    @classmethod
    def of(cls, receiver: Receiver, settings: Settings) -> Bench:
        """Set up a trial; nothing is sent yet.

        Raises:
            HookproofError: it cannot be set up.
        """
        setup = prepared(receiver, settings)
        moved = None if receiver.clock is None else Moved(receiver.clock)
        setup = replace(setup, hooks=replace(setup.hooks, advance=moved))
        redactor = Redactor([setup.secret or "", setup.other_secret or ""], setup.webhook.scheme)
        lab, started = lab_for(setup), setup.clock()
        return cls(receiver, setup, lab, moved, redactor, started, settings.baseline)

    def result(self, rule: Rule) -> RuleResult:
        """Return how a rule ended; it is tried now if it was not before, and what it stands on.

        Raises:
            Unreachable: the receiver was never there.
        """
        for id in rule.after:
            self.result(BY_ID[id])
        if rule.id not in self.results:
            self.results[rule.id] = self._tried(rule)
        return self.results[rule.id]

    def started_event(self, rules: tuple[Rule, ...]) -> RunStarted:
        """Return how a run on the command line would have begun."""
        return replace(started_event(self.setup), rules=rules, started=self.started)

    def untold(self, rule: Rule) -> Iterator[RuleFinished]:
        """Yield a rule's result, and those of rules it stands on that no report has heard of."""
        for id, result in self.results.items():
            if id == rule.id or id not in self.told:
                self.told.add(id)
                yield RuleFinished(BY_ID[id], self.shown(BY_ID[id], result))

    def shown(self, rule: Rule, result: RuleResult) -> RuleResult:
        """Return a result in the light of the baseline; what no longer holds fails its test."""
        if self.baseline is None:
            return result
        today = datetime.now(UTC).date()
        applied, outdated = self.baseline.applied(rule, result, self.setup.target.url, today)
        if not outdated:
            return applied
        message = f"the baseline is out of date: {outdated}"
        if result.verdict is Verdict.PASS:
            return replace(result, verdict=Verdict.FAIL, message=message)
        return replace(result, message=f"{result.message} ({outdated})")

    def close(self) -> None:
        """Let go of connections, and stop an application in this process.

        Raises:
            HookproofError: it says that stopping failed.
        """
        self.setup.target.close()
        also: Target | None = self.setup.hooks.also
        if also is not None:
            also.close()

    def _tried(self, rule: Rule) -> RuleResult:
        try:
            result = try_rule(rule, self.lab, self.results, self.setup)
        finally:
            if self.moved is not None:
                self.moved.back()
        event = self.redactor.event(RuleFinished(rule, result))
        return event.result if isinstance(event, RuleFinished) else result
