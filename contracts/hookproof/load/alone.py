"""One request at a time, before the load and after it: can anything be judged, and what acts?

Without it, a wrong secret would look like a receiver that breaks down under load.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from hookproof.courier import Unreachable
from hookproof.effects import UrlProbe
from hookproof.load.judging import NEVER, Finding, Weight
from hookproof.load.making import Maker
from hookproof.load.mix import Kind
from hookproof.load.plan import Plan
from hookproof.targets.base import Exchange, Failure, Framing
from hookproof.targets.http import HttpTarget
from hookproof.verdicts import Outcome
from hookproof.watcher import Watcher
from hookproof.wording import answer, plural
from hookproof_spec.request import Request

OWN_CONNECTION = Framing(fresh=True)
ROUNDS = 60
"""How often effects that still come in are waited for once more."""


@final
@dataclass(slots=True)
class Quiet:
    """Sends single requests with nothing beside them, and watches their effects."""

    maker: Maker
    target: HttpTarget
    watcher: Watcher
    acts: set[Kind] = field(default_factory=set)
    """The kinds that had an effect although they must not."""
    found: list[Finding] = field(default_factory=list)
    _each: int = 1
    """How many effects a genuine event has: more than one where a receiver always acts twice."""

    @classmethod
    def of(cls, plan: Plan, maker: Maker) -> Quiet:
        """Return one that reaches the receiver and its effects as a plan says."""
        target = HttpTarget(
            plan.url, timeout=plan.timeout, ca_file=plan.ca_file, insecure=plan.insecure
        )
        return cls(maker, target, Watcher(_probe(plan), plan.effect_timeout))

    def try_out(self, plan: Plan) -> bool:
        """Send one request of each kind; tell whether a load makes sense.

        Raises:
            Unreachable: there is no connection.
            ProbeError: the probe does not tell effects.
        """
        before = self.watcher.read().count
        genuine, exchange = self._sent(self.maker.make(Kind.VALID))
        if Outcome.of(exchange) is not Outcome.ACCEPTED:
            self.found.append(_refused(exchange))
            return False
        if not self.watcher.active:
            return True
        if self.watcher.wait_for(before + 1).count <= before:
            self.found.append(_without_effect(exchange, self.watcher.limit))
            return False
        self._each = self._settled_count() - before
        for kind in NEVER:
            if kind in plan.mix.weights:
                self._try(kind, genuine)
        return True

    def settled(self, wanted: int) -> int:
        """Return the count of effects once it stands still, or has come to what is wanted.

        Raises:
            ProbeError: the probe does not tell effects.
        """
        count = self.watcher.read().count
        for _ in range(ROUNDS):
            later = self.watcher.wait_for(wanted).count
            if later >= wanted or later == count:
                return later
            count = later
        return count

    def afterwards(self, counted: int) -> int:
        """Send a genuine event after the load; return the count of effects without its own.

        Where it had its effect, whatever else was going to have one has had it as well.

        Raises:
            Unreachable: the receiver has gone.
            ProbeError: the probe does not tell effects.
        """
        _, exchange = self._sent(self.maker.make(Kind.VALID))
        if Outcome.of(exchange) is not Outcome.ACCEPTED:
            self.found.append(_broken_after(exchange))
            return counted
        if not self.watcher.active:
            return counted
        self.watcher.wait_for(counted + self._each)
        return max(counted, self._settled_count() - self._each)

    def _try(self, kind: Kind, genuine: Request) -> None:
        """Send one request of a kind, and a genuine one; only the latter may have an effect."""
        before = self.watcher.read().count
        self._sent(genuine if kind is Kind.REPLAYED else self.maker.make(kind))
        self._sent(self.maker.make(Kind.VALID))
        self.watcher.wait_for(before + self._each)
        if self._settled_count() > before + self._each:
            self.acts.add(kind)

    def _settled_count(self) -> int:
        self.watcher.let_settle()
        return self.watcher.read().count

    def _sent(self, request: Request) -> tuple[Request, Exchange]:
        exchange = self.target.send(request, OWN_CONNECTION)
        if exchange.failure is Failure.UNREACHABLE:
            raise Unreachable(
                f"no connection: {exchange.detail}",
                where=self.target.url,
                hint="is the receiver running?",
            )
        return request, exchange

    def close(self) -> None:
        """Let go of connections."""
        self.target.close()


def _probe(plan: Plan) -> UrlProbe | None:
    if plan.effects_url is None:
        return None
    return UrlProbe(
        plan.effects_url,
        headers=plan.headers,
        timeout=plan.timeout,
        ca_file=plan.ca_file,
        insecure=plan.insecure,
    )


def _refused(exchange: Exchange) -> Finding:
    throttled = Outcome.of(exchange) is Outcome.THROTTLED
    return Finding(
        id="valid-refused-alone",
        weight=Weight.UNPROVEN if throttled else Weight.FAIL,
        found=f"a single genuine event, sent before the load, got {answer(exchange)}",
        expected="2xx",
        remedy="Is the secret the receiver's? `hookproof verify URL` says what is wrong.",
    )


def _without_effect(exchange: Exchange, seconds: float) -> Finding:
    return Finding(
        id="valid-lost-alone",
        weight=Weight.FAIL,
        found=f"a single genuine event, sent before the load, was answered {answer(exchange)}"
        f" and showed no effect within {plural(round(seconds), 'second')}",
        expected="one effect",
        remedy="Does --effects-url tell what this receiver has processed? Give late effects more"
        " time with --effect-timeout.",
    )


def _broken_after(exchange: Exchange) -> Finding:
    throttled = Outcome.of(exchange) is Outcome.THROTTLED
    return Finding(
        id="valid-refused-afterwards",
        weight=Weight.WARN if throttled else Weight.FAIL,
        found=f"a single genuine event, sent after the load, got {answer(exchange)}",
        expected="2xx: a load that has passed leaves nothing behind",
        remedy="Look for pools that are not given back, and for bans of the one who tests.",
    )
