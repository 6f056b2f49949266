"""The bench a rule works at: it makes deliveries, sends them and sees what they did."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, final

from hookproof.bodies import Bodies
from hookproof.courier import OWN_CONNECTION, Courier
from hookproof.effects import Effects
from hookproof.fresh import fresh_marker, fresh_nonce
from hookproof.keys import another_secret
from hookproof.targets.base import Exchange, Framing, Target
from hookproof.verdicts import Evidence, Outcome, Policy, ReplayPolicy, Unproven
from hookproof.watcher import Watcher
from hookproof_spec import payloads
from hookproof_spec.errors import HookproofError
from hookproof_spec.key_rule import Secrets
from hookproof_spec.request import Request
from hookproof_spec.scheme import SignatureScheme
from hookproof_spec.signing import Delivery, Signer
from hookproof_spec.webhook import JsonValue, Webhook

if TYPE_CHECKING:
    from hookproof.diagnosis.asking import Diagnosis

USER_AGENT = "hookproof"
LATENCIES_KEPT = 10_000
"""How many latencies a run remembers, the first ones; a default run has some hundreds."""


@final
@dataclass(frozen=True, slots=True)
class Case:
    """One request of a rule; `note` names its one difference from a genuine one, as a noun."""

    note: str
    request: Request
    framing: Framing = OWN_CONNECTION


@final
@dataclass(frozen=True, slots=True)
class Log:
    """What the run has sent so far, for the rules that judge a run as a whole."""

    refused: list[Evidence] = field(default_factory=list)
    """Forged, stale and changed requests, and the answers to them."""
    replayed: list[Evidence] = field(default_factory=list)
    """Copies of accepted requests, and the answers to them."""
    latencies: list[float] = field(default_factory=list)
    """Seconds in which genuine events were acknowledged, the first `LATENCIES_KEPT`."""

    def note(self, seconds: float) -> None:
        """Remember in how many seconds a genuine event was acknowledged."""
        if len(self.latencies) < LATENCIES_KEPT:
            self.latencies.append(seconds)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Ways into the receiver that a team may give; what is None is not given.

    `restart` stops and starts the receiver with more environment variables. `also` reaches another
    instance of it. `advance` moves its clock on by seconds. `fail_once` makes its handler fail at
    the next event.
    """

    restart: Callable[[Mapping[str, str]], None] | None = None
    also: Target | None = None
    advance: Callable[[float], None] | None = None
    fail_once: Callable[[], None] | None = None


NO_HOOKS = Hooks()


@final
@dataclass(frozen=True, slots=True)
class Suite:
    """A test suite in which a lab works: the test, under whose name searches are remembered.

    `remembers` is False where a run repeats the choices of an earlier one, or has to be the same
    each time.
    """

    test: str
    remembers: bool = True


class CannotTell(Exception):
    """Raised inside a rule that can go no further; carries the judgement."""

    def __init__(self, judgement: Unproven) -> None:
        super().__init__(judgement.message)
        self.judgement = judgement


@final
@dataclass(slots=True, kw_only=True)
class Lab:
    """Everything a rule may use. Nothing a rule sends repeats a nonce or a marker by chance.

    `clock` gives Unix seconds. `random` decides choices and follows the run's seed.
    `other_secret` is that of another webhook. `signs` is False where the receiver runs without a
    secret; the scheme is then a bare one. `replays_refused` is None until a rule has learnt whether
    identical bytes are refused.
    """

    webhook: Webhook
    secret: str = field(repr=False)
    courier: Courier
    watcher: Watcher
    policy: Policy
    clock: Callable[[], float]
    random: random.Random
    other_secret: str | None = field(default=None, repr=False)
    signs: bool = True
    replays_refused: bool | None = None
    diagnosis: Diagnosis | None = None
    """Why a plain genuine event is refused, once `valid-basic` has asked."""
    log: Log = field(default_factory=Log)
    logging: bool = True
    """Whether refusals are logged: not where only the secret's holder could have sent them."""
    hooks: Hooks = NO_HOOKS
    seed: int = 0
    examples: int = 30
    """How many examples a property is tried with; the model draws half as many sequences."""
    search_seconds: float = 5.0
    """How long one property may be searched for, shrinking included."""
    suite: Suite | None = None
    """None outside of test suites: what is found is remembered nowhere."""
    signer: Signer = field(init=False)
    bodies: Bodies = field(init=False)

    def __post_init__(self) -> None:
        self.signer = Signer(self.webhook.scheme, self.secret)
        self.bodies = Bodies(self.webhook)

    @property
    def scheme(self) -> SignatureScheme:
        """The declared signature scheme."""
        return self.webhook.scheme

    @property
    def secrets(self) -> Secrets:
        """The secret's parts."""
        return self.scheme.secrets(self.secret)

    @property
    def key(self) -> bytes:
        """The key's bytes; those of the first where there are two."""
        return self.scheme.key.key(self.secrets.first)

    # --- making -----------------------------------------------------------------------------

    def value(self, *, texts: Sequence[str] = (), dated: float | None = None) -> JsonValue:
        """Return a new event's payload with a marker of its own."""
        value = self.bodies.value(fresh_marker(), self.clock(), dated=dated)
        return self.bodies.with_texts(value, texts) if texts else value

    def body(self) -> bytes:
        """Return a new event's payload as most senders write it."""
        return self.written(self.value())

    def written(self, value: JsonValue) -> bytes:
        """Write a payload as most senders do."""
        return payloads.write(self.webhook, value)

    def nonce(self) -> str:
        """Return a nonce never used before."""
        return fresh_nonce(self.scheme.nonce)

    def genuine(
        self,
        body: bytes | None = None,
        *,
        timestamp: float | str | None = None,
        nonce: str | None = None,
        signer: Signer | None = None,
    ) -> Delivery:
        """Return a signed delivery: a new event, now, with a new nonce, unless told otherwise."""
        return (signer or self.signer).sign(
            self.bare(self.body() if body is None else body),
            timestamp=self.clock() if timestamp is None else timestamp,
            nonce=self.nonce() if nonce is None else nonce,
        )

    def bare(self, body: bytes) -> Request:
        """Return a request as the sender makes it before signing."""
        return self.webhook.unsigned(self.courier.target.url, body, (("User-Agent", USER_AGENT),))

    def other_signer(self) -> Signer:
        """Return a signer with a key that is not the receiver's."""
        return Signer(self.scheme, another_secret(self.scheme, self.secret))

    def random_signature(self) -> str:
        """Return a well-formed signature that signs nothing."""
        size = self.scheme.algorithm.signature_size
        return self.scheme.encoding.write(self.random.randbytes(size))

    def conforms(self, body: bytes) -> bool:
        """Tell whether a body is one that the document allows a sender to send."""
        return not payloads.validate(self.webhook, body)

    # --- sending and seeing -----------------------------------------------------------------

    def send(self, case: Case) -> Evidence:
        """Send a case."""
        return Evidence(case.note, self.courier.send(case.request, case.framing))

    def send_genuine(
        self, note: str = "a genuine event", body: bytes | None = None
    ) -> tuple[Delivery, Exchange]:
        """Send a new genuine event."""
        delivery = self.genuine(body)
        exchange = self.send(Case(note, delivery.request)).exchange
        if Outcome.of(exchange) is Outcome.ACCEPTED:
            self.log.note(exchange.seconds)
        return delivery, exchange

    def captured(self, body: bytes | None = None) -> Delivery:
        """Return a genuine delivery that the receiver has accepted and acted on.

        Raises:
            CannotTell: it was not accepted, or had no effect in time.
        """
        before = self.effects()
        delivery, exchange = self.send_genuine("the genuine request that is captured", body)
        evidence = (Evidence("the genuine request that is captured", exchange),)
        if Outcome.of(exchange) is not Outcome.ACCEPTED:
            raise CannotTell(
                Unproven(message="a genuine event was not accepted", evidence=evidence)
            )
        if before is not None and self.watcher.wait_for(before.count + 1).count <= before.count:
            raise CannotTell(
                Unproven(message="a genuine event had no effect in time", evidence=evidence)
            )
        return delivery

    def burst(self, note: str, requests: Sequence[Request]) -> list[Evidence]:
        """Send requests at the same moment."""
        return [Evidence(note, exchange) for exchange in self.courier.burst(requests)]

    def restart(self, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        """Let the team's hook restart the receiver, with more variables in its environment.

        Raises:
            CannotTell: the hook is not given, or could not do it.
        """
        if self.hooks.restart is None:
            raise CannotTell(Unproven(message="no way to restart the receiver is given"))
        try:
            self.hooks.restart(environment)
        except HookproofError as error:
            raise CannotTell(
                Unproven(message=str(error), settle="a restart that succeeds")
            ) from error

    def settle(self) -> None:
        """Wait for effects that requests of uncertain outcome may still have."""
        if self.watcher.active:
            self.watcher.let_settle()

    def effects(self) -> Effects | None:
        """Return what the probe counts now; None where a run goes by status.

        Raises:
            ProbeError: the probe is broken.
        """
        return self.watcher.read() if self.watcher.active else None

    @property
    def refuses_replays(self) -> bool:
        """Tell whether the receiver is known to refuse replays, declared or learnt."""
        return self.policy.replay is ReplayPolicy.REJECTS or self.replays_refused is True


def outcome(evidence: Evidence) -> Outcome:
    """Return what the receiver did, by status."""
    return Outcome.of(evidence.exchange)
