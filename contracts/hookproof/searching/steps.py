"""A sequence of deliveries as data: each step can be played, told in words, and written as code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

from hookproof import header_items
from hookproof.bodies import compact
from hookproof.lab import Case, Lab, outcome
from hookproof.searching.tally import Haste, Tally, patience
from hookproof.targets.base import Framing
from hookproof.verdicts import Breach, EffectCount, Evidence, Level, Outcome
from hookproof.wording import answer, plural
from hookproof_spec import payloads, pointers
from hookproof_spec.request import Request
from hookproof_spec.signing import Delivery
from hookproof_spec.templates import ItemsHeader
from hookproof_spec.webhook import JsonValue

DAY = 86_400.0
EXPECTED = "one effect for each new event, and none for anything else"


@final
@dataclass(frozen=True, slots=True)
class Send:
    """New events, each with a nonce, an identifier and dates of its own; 1 or more."""

    count: int = 1

    @property
    def words(self) -> str:
        """The step as a sentence."""
        return "send a new event" if self.count == 1 else f"send {self.count} new events"


@final
@dataclass(frozen=True, slots=True)
class SendAkin:
    """A new event that is like event number `event` but for its dates and, mostly, its identifier.

    `how` is `same`, or how the identifiers differ: in the `last character`, or in `capitals`.
    """

    event: int
    how: str = "same"

    @property
    def words(self) -> str:
        """The step as a sentence."""
        if self.how == "same":
            return f"send a new event with the identifier of event {self.event} and other dates"
        differ = "is in capitals" if self.how == "capitals" else "differs in its last character"
        return f"send a new event like event {self.event} whose identifier {differ}"


@final
@dataclass(frozen=True, slots=True)
class Replay:
    """Event number `event` once more: `exactly`, or with something that is not signed changed."""

    event: int
    how: str = "exactly"

    @property
    def words(self) -> str:
        """The step as a sentence."""
        with_change = "" if self.how == "exactly" else f" {self.how}"
        return f"replay event {self.event}{with_change}"


@final
@dataclass(frozen=True, slots=True)
class Forge:
    """Event number `event` with its nonce and a spoiled signature."""

    event: int

    @property
    def words(self) -> str:
        """The step as a sentence."""
        return f"forge event {self.event}: its nonce, a spoiled signature"


@final
@dataclass(frozen=True, slots=True)
class SendStale:
    """A correctly signed event with a new nonce that is much too old."""

    @property
    def words(self) -> str:
        """The step as a sentence."""
        return "send a correctly signed event that is too old"


@final
@dataclass(frozen=True, slots=True)
class Burst:
    """Copies of one new event at the same moment."""

    copies: int = 2

    @property
    def words(self) -> str:
        """The step as a sentence."""
        return f"send a new event {self.copies} times at once"


Step = Send | SendAkin | Replay | Forge | SendStale | Burst
LIKENESSES = ("same", "capitals", "last character")
REWRITINGS = (
    "exactly",
    "with a query",
    "with one more header",
    "with its header's name in capitals",
    "with spaces between the header's items",
)


@final
@dataclass(slots=True)
class Play:
    """Plays steps one after another. The model is what is due: one effect for each new nonce."""

    lab: Lab
    tally: Tally
    steps: list[Step] = field(default_factory=list)
    events: list[Delivery] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    @classmethod
    def at(cls, lab: Lab, haste: Haste | None = None) -> Play:
        """Return a play of no steps yet."""
        return cls(lab, Tally(lab, haste=haste))

    def step(self, step: Step) -> Breach | None:
        """Play a step and compare the effects with the model.

        Raises:
            CannotTell: the receiver asks for patience, or takes no genuine event any more.
        """
        self.steps.append(step)
        match step:
            case Send(count):
                return self._new([self._fresh() for _ in range(count)])
            case SendAkin(event, how):
                return self._new([self._akin(self._event(event), how)])
            case Replay(event, how):
                return self._old(_rewritten(self._event(event), how))
            case Forge(event):
                return self._old(_spoiled(self.lab, self._event(event)))
            case SendStale():
                old = max(DAY, 2 * (self.lab.policy.tolerance or 0)) + DAY
                return self._old(self.lab.genuine(timestamp=self.lab.clock() - old).request)
            case Burst(copies):
                return self._burst(self._fresh(), copies)

    def finish(self) -> Breach | None:
        """Send one more new event: what had no effect so far had none."""
        self.tally.control()
        return self._compared(self.tally.settled())

    def _event(self, number: int) -> Delivery:
        return self.events[number - 1]

    def _fresh(self) -> Delivery:
        return self.lab.genuine()

    def _akin(self, delivery: Delivery, how: str) -> Delivery:
        """Return an event like an earlier one, but never with the bytes of any: a receiver may
        refuse those, which `valid-same-body` tells and no MUST rule may."""
        akin = _akin(self.lab, delivery, how, seconds=1 + len(self.events))
        known = {event.body for event in self.events}
        return self._fresh() if akin.body in known else akin

    def _new(self, deliveries: Sequence[Delivery]) -> Breach | None:
        for delivery in deliveries:
            sent = self._send(delivery.request)
            self.events.append(delivery)
            if outcome(sent) is not Outcome.ACCEPTED:
                return self._refused(sent)
            self.tally.expect()
        return self._compared()

    def _burst(self, delivery: Delivery, copies: int) -> Breach | None:
        sent = self.lab.burst(self._note(), [delivery.request] * copies)
        self.evidence.extend(sent)
        for copy in sent:
            patience(copy)
        self.events.append(delivery)
        if not any(outcome(copy) is Outcome.ACCEPTED for copy in sent):
            return self._refused(sent[0])
        self.tally.expect()
        return self._compared()

    def _old(self, request: Request) -> Breach | None:
        self._send(request)
        seen = self.lab.effects()
        return self._compared() if seen is not None and seen.count > (self.tally.due or 0) else None

    def _send(self, request: Request) -> Evidence:
        framing = Framing(fresh=True)
        sent = self.lab.send(Case(self._note(), request, framing))
        self.evidence.append(sent)
        patience(sent)
        return sent

    def _note(self) -> str:
        return f"step {len(self.steps)}: {self.steps[-1].words}" if self.steps else "a step"

    def _refused(self, sent: Evidence) -> Breach:
        self.tally.control()
        return self._breach(f"the last event was refused: {answer(sent.exchange)}")

    def _compared(self, count: int | None = None) -> Breach | None:
        due = self.tally.due or 0
        count = self.tally.now() if count is None else count
        if count == due:
            return None
        self.tally.due = count
        seen = f"{plural(abs(count - due), 'effect')} too {'many' if count > due else 'few'}"
        return self._breach(seen, EffectCount(before=due, after=count, expected=due))

    def _breach(self, seen: str, effects: EffectCount | None = None) -> Breach:
        told = "; ".join(f"{number}. {step.words}" for number, step in enumerate(self.steps, 1))
        return Breach(
            message=f"{told}: {seen}",
            expected=EXPECTED,
            evidence=tuple(self.evidence[-len(self.steps) - 2 :]),
            effects=effects,
            level=Level.MUST,
            script=pasted(self.steps),
        )


def play(lab: Lab, *steps: Step) -> str:
    """Play steps; return in words what is wrong, "" where nothing is."""
    played = Play.at(lab)
    found = next((breach for step in steps if (breach := played.step(step))), None)
    found = found or played.finish()
    return found.message if found else ""


def pasted(steps: Sequence[Step]) -> str:
    """Return a test that plays the steps, for a suite whose fixture `hookproof_lab` is a bench."""
    names = ", ".join(sorted({type(step).__name__ for step in steps} | {"play"}, key=str.lower))
    lines = [
        "def test_deliveries(hookproof_lab):",
        f"    from hookproof.searching.steps import {names}",
        "",
        "    assert not play(",
        "        hookproof_lab,",
        *(f"        {step!r},  # {step.words}" for step in steps),
        "    )",
    ]
    return "\n".join(lines)


# --- requests -----------------------------------------------------------------------------------


def _spoiled(lab: Lab, delivery: Delivery) -> Request:
    return delivery.with_signature(lab.random_signature()).request


def _akin(lab: Lab, delivery: Delivery, how: str, *, seconds: int) -> Delivery:
    """Sign a new event that shares what identifies an earlier one, some seconds apart."""
    value = _dated(lab, payloads.decode(delivery.body), seconds)
    marker = lab.webhook.marker
    if marker is not None and how != "same":
        name = str(pointers.get(value, marker))
        other = name.upper() if how == "capitals" else name[:-1] + _other(name[-1])
        value = pointers.replace(value, marker, other)
    return lab.genuine(compact(value))


def _dated(lab: Lab, value: JsonValue | object, seconds: int) -> JsonValue:
    dated: JsonValue = value  # type: ignore[assignment]
    for pointer, form in payloads.dates(lab.webhook):
        dated = pointers.replace(dated, pointer, lab.bodies.date(lab.clock() + seconds, form))
    return dated


def _other(letter: str) -> str:
    return "0" if letter != "0" else "1"


def _rewritten(delivery: Delivery, how: str) -> Request:
    """Change what the signature does not cover."""
    request = delivery.request
    header = header_items.header_of(delivery)
    match how:
        case "with a query":
            return request.with_url(f"{request.url}{'&' if '?' in request.url else '?'}x=1")
        case "with one more header":
            return request.with_added_header("X-Request-Id", delivery.nonce[::-1])
        case "with its header's name in capitals":
            value = header_items.value_of(delivery)
            return request.without_header(header.name).with_added_header(header.name.upper(), value)
        case "with spaces between the header's items" if isinstance(header.shape, ItemsHeader):
            spaced = f"{header.shape.separator} ".join(header_items.items_of(delivery))
            return header_items.with_value(delivery, spaced)
    return request
