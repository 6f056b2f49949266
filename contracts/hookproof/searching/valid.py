"""The search for a genuine event that a receiver does not take."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import final

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hookproof.bodies import compact
from hookproof.fresh import fresh_marker
from hookproof.lab import CannotTell, Case, Lab, outcome
from hookproof.searching.search import Search
from hookproof.searching.tally import Tally, patience
from hookproof.verdicts import Breach, EffectCount, Evidence, Holds, Judgement, Outcome, Unproven
from hookproof.wording import answer, plural
from hookproof_spec import payloads, pointers
from hookproof_spec.errors import DocumentError
from hookproof_spec.signing import Verifier
from hookproof_spec.strategies import DIFFICULT, Spelling, spellings, variations
from hookproof_spec.webhook import JsonValue

Drawn = tuple[JsonValue, Spelling]
EXPECTED = "2xx and exactly one effect"
TOO_LARGE = 413
PORTION = 32
"""How many difficult letters one text has at once."""
CLOSER = 10
"""How many times more is tried where it is known that there is something to find."""


def judge_valid(lab: Lab, name: str) -> Judgement:
    """Search for a payload, or a way to write it, that is refused or has not one effect."""
    base = lab.value()
    quick = _Events(lab, base, Tally(lab))
    search = _searched(lab, name, base, quick)
    if search.found is None and quick.miscounted():
        search = _searched(lab, name, base, _Events(lab, base, Tally(lab, closely=True)))
        search.found = search.found or quick.miscount
    return search.found or Holds(message=search.words)


def _searched(lab: Lab, name: str, base: JsonValue, events: _Events) -> Search:
    """Try all difficult letters at once first; where some are refused, look for which."""
    coarse = Search.of(lab, name)
    for number, letters in enumerate(_portions()):
        if coarse.each([(_filled(lab, base, letters), Spelling())], events.judge).found is not None:
            closer = Search.of(lab, f"{name}-{number}", times=CLOSER)
            closer.through(_drawn(lab, base, letters), events.judge)
            coarse.found = _plainest(closer, events) or coarse.found
            return coarse
    coarse.through(_drawn(lab, base, DIFFICULT), events.judge)
    coarse.found = _plainest(coarse, events)
    return coarse


def _plainest(search: Search, events: _Events) -> Breach | Unproven | None:
    """Leave out styles of writing that are no part of the matter; Hypothesis may leave some in."""
    breach = search.found
    simpler = events.simpler() if isinstance(breach, Breach) else iter(())
    while (drawn := next(simpler, None)) is not None and time.monotonic() < search.ends:
        try:
            again = events.judge(drawn)
        except CannotTell:
            return breach
        if again is not None:
            breach, simpler = again, events.simpler()
    return breach


def _portions() -> list[str]:
    return [DIFFICULT[start : start + PORTION] for start in range(0, len(DIFFICULT), PORTION)]


def _filled(lab: Lab, base: JsonValue, letters: str) -> JsonValue:
    """Return an event with these letters in all of its free texts, as far as there is room."""
    for pointer in lab.bodies.texts:
        filled = pointers.replace(base, pointer, f"a{letters}a")
        base = filled if lab.conforms(compact(filled)) else base
    return base


def _drawn(lab: Lab, base: JsonValue, letters: str) -> SearchStrategy[Drawn]:
    """Payloads around an event, and what is free in writing them.

    White space around the whole, and integers written as fractions, are left out: some correct
    receivers refuse them, and other rules ask for them.

    Raises:
        CannotTell: the schema lets none be drawn, and where in it.
    """
    try:
        around = variations(lab.webhook, base, letters=letters)
    except DocumentError as error:
        raise CannotTell(
            Unproven(message=f"{error.where}: {error.problem}", settle=error.hint)
        ) from error
    return st.tuples(around, spellings(around=False, integers=False))


@final
class _Events:
    """Sends each drawn payload as a new event, and says how it differs from a plain one."""

    def __init__(self, lab: Lab, base: JsonValue, tally: Tally) -> None:
        self._lab = lab
        self._base = base
        self._tally = tally
        self._oracle = Verifier(lab.scheme, lab.secret)
        self._dates = payloads.dates(lab.webhook)
        self.miscount: Breach | None = None
        self._broken: Drawn | None = None

    def simpler(self) -> Iterator[Drawn]:
        """Yield the last payload that showed a breach, in simpler spellings."""
        if self._broken is not None:
            value, spelling = self._broken
            yield from ((value, simpler) for simpler in spelling.simpler())

    def judge(self, drawn: Drawn) -> Breach | None:
        """Send a payload and judge the answer; closely, its effects as well."""
        breach = self._judged(drawn)
        self._broken = self._broken if breach is None else drawn
        return breach

    def _judged(self, drawn: Drawn) -> Breach | None:
        value, spelling = drawn
        fresh = self._renewed(value)
        body = spelling.write(fresh)
        delivery = self._lab.genuine(body)
        now = self._lab.clock()
        if not self._lab.conforms(body) or not self._oracle.verify(delivery.request, now).accepted:
            reject()
        sent = self._lab.send(Case("a drawn event", delivery.request))
        patience(sent)
        if outcome(sent) is not Outcome.ACCEPTED:
            return self._refused(self._told(sent, drawn))
        self._tally.expect()
        return self._effect(self._told(sent, drawn)) if self._tally.closely else None

    def _told(self, sent: Evidence, drawn: Drawn) -> Evidence:
        """Say in what an event differs from a plain one."""
        apart = [self._lab.webhook.marker, *(pointer for pointer, _ in self._dates)]
        said = [words for at, words in _differences(self._base, drawn[0]) if at not in apart]
        if drawn[1].write(drawn[0]) != compact(drawn[0]):
            said += [f"with {words}" for words in drawn[1].words]
        words = "a genuine event " + (" and ".join(said) if said else "like any other")
        return Evidence(words, sent.exchange)

    def _renewed(self, value: JsonValue) -> JsonValue:
        """Return the payload as a new event: a marker of its own, and the dates of now."""
        now = self._lab.clock()
        for pointer, form in self._dates:
            if is_there(value, pointer):
                value = pointers.replace(value, pointer, self._lab.bodies.date(now, form))
        marker = self._lab.webhook.marker
        if marker is None:
            return value
        if not is_there(value, marker):
            reject()
        return pointers.replace(value, marker, fresh_marker())

    def _refused(self, sent: Evidence) -> Breach | None:
        """A refusal tells something only while plain events still get through."""
        self._tally.control()
        if sent.exchange.status == TOO_LARGE:
            return None  # a limit on the body's size is the receiver's own choice
        return Breach(
            message=f"refuses {sent.note}: {answer(sent.exchange)}",
            expected=EXPECTED,
            evidence=(sent,),
        )

    def _effect(self, sent: Evidence) -> Breach | None:
        due = self._tally.due
        if due is None:
            return None
        count = self._tally.now()
        self._tally.due = count
        if count == due:
            return None
        return Breach(
            message=f"acknowledges {sent.note}, which had {plural(count - due + 1, 'effect')}",
            expected=EXPECTED,
            evidence=(sent,),
            effects=EffectCount(before=due - 1, after=count, expected=due),
        )

    def miscounted(self) -> bool:
        """Tell whether the events that were accepted had another number of effects in all."""
        due = self._tally.due
        if due is None:
            return False
        count = self._tally.settled()
        if count != due:
            self.miscount = Breach(
                message=f"the events that were accepted had {plural(abs(count - due), 'effect')}"
                f" too {'many' if count > due else 'few'}",
                expected=EXPECTED,
                effects=EffectCount(before=due, after=count, expected=due),
            )
        return count != due


def is_there(value: JsonValue, pointer: str) -> bool:
    """Tell whether a pointer points to something in a value."""
    try:
        pointers.get(value, pointer)
    except pointers.PointerError:
        return False
    return True


# --- words --------------------------------------------------------------------------------------


def _differences(base: JsonValue, value: JsonValue) -> Iterator[tuple[str, str]]:
    before, after = dict(pointers.leaves(base)), dict(pointers.leaves(value))
    for pointer, leaf in after.items():
        if pointer not in before:
            yield pointer, f"that has {pointer}, {_shown(leaf)}"
        elif before[pointer] != leaf:
            yield pointer, f"whose {pointer} is {_shown(leaf)}"
    for pointer in before.keys() - after.keys():
        yield pointer, f"without {pointer}"


def _shown(leaf: JsonValue) -> str:
    text = json.dumps(leaf, ensure_ascii=False)
    plain = isinstance(leaf, str) and len(leaf) <= 4 and not leaf.isascii()
    points = " ".join(f"U+{ord(letter):04X}" for letter in str(leaf)) if plain else ""
    return f"{text} ({points})" if points else text
