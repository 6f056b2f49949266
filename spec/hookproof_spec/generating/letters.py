"""The characters that texts are drawn from: what every reader of JSON can keep (RFC 7493).

Half surrogate pairs are no UTF-8, NUL ends a text in many databases, and noncharacters are not for
interchange; none of them is ever drawn.
"""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

_PLANES: Final = range(17)
NONCHARACTERS: Final = "".join(
    [chr(point) for point in range(0xFDD0, 0xFDF0)]
    + [chr(plane * 0x10000 + last) for plane in _PLANES for last in (0xFFFE, 0xFFFF)]
)
DIFFICULT: Final = "".join(
    (
        "0aZ ",
        "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
        "\b\t\n\v\f\r\x1b\x7f\x85\xa0\xad",
        "éßİıſςΩ",
        "e\u0301\u200b\u200d\u202e\u2028\u2029\ufeff\ufffd",
        "漢字ﬀ",
        *(chr(plane * 0x10000 + 0xF600) for plane in _PLANES if plane),
    )
)
"""Characters that programs trip over: punctuation, controls, look-alikes, one of each plane."""

CHARACTERS: Final = st.characters(
    exclude_categories=["Cs"], exclude_characters="\0" + NONCHARACTERS
)
PRINTABLE: Final = "".join(map(chr, range(0x20, 0x7F)))
ROOM: Final = 24
"""How many characters more than the shortest allowed a text has at most, where nothing is said."""
DRAWN: Final = 100
"""How many characters of a text that must be longer are drawn; the others repeat one letter."""


def texts(least: int = 0, most: int | None = None) -> SearchStrategy[str]:
    """Return texts of any characters; lengths in code points."""
    return of_letters(CHARACTERS, least, _longest(least, most))


def of_letters(letters: SearchStrategy[str], least: int, most: int) -> SearchStrategy[str]:
    """Return texts of these letters; of what is very long, Hypothesis draws only a part."""
    rest = max(0, least - DRAWN)
    drawn = st.text(letters, min_size=least - rest, max_size=most - rest)
    return st.builds(lambda text, one: text + rest * one, drawn, letters) if rest else drawn


def difficult_texts(
    least: int = 0, most: int | None = None, letters: str = DIFFICULT
) -> tuple[SearchStrategy[str], ...]:
    """Return kinds of texts: of any characters, of these letters, and long ones of these letters.

    They shrink to the shortest text of the simplest characters, as `texts` does.
    """
    longest = _longest(max(least, 2 * ROOM), most)
    chosen = st.sampled_from(letters)
    hard = of_letters(chosen, least, longest)
    long = of_letters(chosen, max(least, min(ROOM, longest)), longest)
    return of_letters(CHARACTERS, least, longest), hard, long


def _longest(least: int, most: int | None) -> int:
    return least + ROOM if most is None else min(most, max(least, ROOM))
