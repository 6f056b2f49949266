"""The table of known mistakes, likeliest first, and the search for the one or two that fit."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import final

from hookproof.diagnosis import bodies, contents, digests, keys
from hookproof.diagnosis.making import Making, Step
from hookproof.diagnosis.mistake import Mistake, Words

MISTAKES: tuple[Mistake, ...] = (
    *bodies.MISTAKES,
    *keys.MISTAKES,
    *contents.MISTAKES,
    *digests.MISTAKES,
)
LARGEST_FOR_TWO = 65_536
"""Two mistakes at once are looked for in bodies of at most so many bytes."""
MOST_RECOMPUTED = 5_000
"""How often a signature is made at most until the search gives up: once for each mistake, and for
each two of different steps. Most make no difference to a given request, and cost nothing."""


@final
@dataclass(frozen=True, slots=True)
class Made:
    """A signature's making, with these mistakes in it. `declared` is the content it should have."""

    mistakes: tuple[Mistake, ...]
    making: Making
    declared: str

    @property
    def of_receiver(self) -> str:
        """What to say of a receiver that makes these mistakes."""
        words = [mistake.receiver for mistake in self.mistakes]
        return f"the receiver {self._wrong(words)}: {_mended(words)}"

    @property
    def of_request(self) -> str:
        """What to say of a request that was signed with these mistakes."""
        words = [mistake.request for mistake in self.mistakes]
        return f"the signature was made {self._wrong(words)}: {_mended(words)}"

    @property
    def how(self) -> str:
        """How a signature with these mistakes is made."""
        return self._wrong([mistake.request for mistake in self.mistakes])

    def _wrong(self, words: Sequence[Words]) -> str:
        wrong = ", and ".join(item.wrong for item in words).rstrip(",")
        if all(mistake.step is not Step.CONTENT for mistake in self.mistakes):
            return wrong
        content = self.making.scheme.content.text
        return f"{wrong}, {_printable(content)} instead of {_printable(self.declared)}"


def one_wrong(making: Making) -> Iterator[Made]:
    """Yield the makings that differ in one mistake and lead to another signature."""
    declared = making.scheme.content.text
    for mistake in MISTAKES:
        changed = mistake.make(making)
        if changed is not None:
            yield Made((mistake,), changed, declared)


def two_wrong(making: Making) -> Iterator[Made]:
    """Yield the makings that differ in two mistakes at different steps."""
    for first in one_wrong(making):
        mistake = first.mistakes[0]
        if len(first.making.delivery.body) > LARGEST_FOR_TWO:
            continue
        for second in MISTAKES[MISTAKES.index(mistake) + 1 :]:
            changed = second.make(first.making) if second.step is not mistake.step else None
            if changed is not None:
                yield Made((mistake, second), changed, first.declared)


def explanations(making: Making, signatures: Container[str]) -> Iterator[Made]:
    """Yield the mistakes with which these signatures are made; one at a time before two.

    Where one explains it, no two are tried. Of mistakes at one step that come to the same, only the
    likeliest is told.
    """
    told: set[Step] = set()
    for made in one_wrong(making):
        step = made.mistakes[0].step
        if step not in told and made.making.made(signatures):
            told.add(step)
            yield made
    if told or len(making.delivery.body) > LARGEST_FOR_TWO:
        return
    yield from islice((made for made in two_wrong(making) if made.making.made(signatures)), 1)


def _mended(words: Sequence[Words]) -> str:
    return "; ".join(dict.fromkeys(item.mend for item in words))


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
