"""The search for a signed event of a wrong shape that crashes a receiver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hookproof.controls import throttled
from hookproof.fresh import fresh_marker
from hookproof.judging import NO_PLACE
from hookproof.judging_calm import judge_survived, not_calm
from hookproof.lab import CannotTell, Case, Lab, outcome
from hookproof.searching.search import Search
from hookproof.searching.tally import let_rest
from hookproof.searching.valid import is_there
from hookproof.verdicts import Breach, Evidence, Holds, Judgement, Unproven
from hookproof_spec import payloads, pointers
from hookproof_spec.errors import DocumentError
from hookproof_spec.generating.breaking import Attempt, Negative, attempts
from hookproof_spec.request import Request
from hookproof_spec.strategies import negative_payloads
from hookproof_spec.webhook import JsonValue

EXPECTED: Final = "2xx or 4xx"
KEPT: Final = 1_000
"""How many requests that did no harm are remembered, for the words that tell of them."""
BREADTH: Final = 4
"""How many breaches of a plain event are tried for each example, before any are drawn."""


def judge_negative(lab: Lab, name: str) -> Judgement:
    """Search for a breach of the schema that crashes: those of a plain event, then drawn ones."""
    shapes = _Shapes(lab)
    search = Search.of(lab, name).each(shapes.of_a_plain_event(), shapes.judge)
    if search.found is None:
        search.through(_drawn(lab), shapes.judge)
    if search.found is not None:
        return search.found
    let_rest(lab)  # many may have been acted on, and the next rule counts from here
    return shapes.judged() if shapes.calm else NO_PLACE


def _drawn(lab: Lab) -> SearchStrategy[Negative]:
    """Return breaches around a plain event; none where the schema does not let any be drawn.

    `property-valid` is the rule that says so, with the place in the schema.
    """
    try:
        return negative_payloads(lab.webhook, near=lab.value())
    except DocumentError:
        return st.nothing()


@final
class _Shapes:
    """Sends events that break one constraint, by the word of the validator; signed and new."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._validator = payloads.compiled(lab.webhook.schema)
        self.calm: list[Evidence] = []

    def of_a_plain_event(self) -> Iterator[Negative]:
        """Yield the breaches of a plain event; of very many a choice by the run's seed."""
        value = self._lab.value()
        tried = attempts(self._lab.webhook.schema, value)
        for attempt in self._chosen(tried):
            made = attempt.made(self._validator, value)
            if made is not None:
                yield made

    def _chosen(self, tried: list[Attempt]) -> list[Attempt]:
        most = BREADTH * self._lab.examples
        return tried if len(tried) <= most else self._lab.random.sample(tried, most)

    def judge(self, negative: Negative) -> Breach | None:
        """Send a payload that the validator refuses; None where it is answered calmly.

        Raises:
            CannotTell: the receiver asks for patience, or takes no genuine event any more.
        """
        if self._bears_the_signature(negative.pointer):
            return None
        request = self._signed(negative, negative.value)
        problems = payloads.validate(self._lab.webhook, request.body)
        if not problems:
            return None
        sent = self._lab.send(Case(f"a signed event in which {problems[0]}", request))
        trouble = not_calm(self._lab, [sent], EXPECTED) or throttled([sent])
        if isinstance(trouble, Unproven):
            raise CannotTell(trouble)
        if trouble is None:
            self._note(sent)
            return None
        return None if self._would_anyway(negative, sent) else trouble

    def _note(self, calm: Evidence) -> None:
        if len(self.calm) < KEPT:
            self.calm.append(calm)

    def judged(self) -> Judgement:
        """Return how all were answered that did no harm; of very many, the first are told of."""
        judgement = judge_survived(self._lab, self.calm)
        if isinstance(judgement, Holds) and len(self.calm) == KEPT:
            return replace(judgement, message=f"{judgement.message}, of the first {KEPT}")
        return judgement

    def _would_anyway(self, negative: Negative, sent: Evidence) -> bool:
        """Tell whether the valid payload ends alike, so that not the breach is to blame."""
        case = Case("the same event unbroken", self._signed(negative, negative.valid))
        return outcome(self._lab.send(case)) is outcome(sent)

    def _bears_the_signature(self, pointer: str) -> bool:
        """Tell whether a place holds what is signed with, which is written when all is there."""
        return any(place.startswith(pointer) for place in self._lab.scheme.body_places)

    def _signed(self, negative: Negative, value: JsonValue) -> Request:
        """Sign a payload as a new event, unless what identifies an event is what is broken."""
        marker = self._lab.webhook.marker
        if marker is not None and marker != negative.pointer and is_there(value, marker):
            value = pointers.replace(value, marker, fresh_marker())
        return self._lab.genuine(payloads.encode(value)).request
