"""Texts that patterns, formats and lengths ask for together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, final

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import SearchStrategy

from hookproof_spec import patterns
from hookproof_spec.generating.formats import FORMATS
from hookproof_spec.generating.letters import CHARACTERS, ROOM, of_letters, texts

if TYPE_CHECKING:
    from jsonschema_rs import canonical

_ONE_CLASS: Final = re.compile(r"\^(\[(?:[^\]\\]|\\.)+\]|\\[dw]|\.)(\+|\*|\{(\d+)(,(\d*))?\})\$")
"""A pattern that says no more than which characters there are, and perhaps how many."""


@final
class PatternError(ValueError):
    """A pattern from which no text can be made."""

    def __init__(self, pattern: str, why: str) -> None:
        super().__init__(why)
        self.pattern = pattern


def strings(view: canonical.StringView) -> SearchStrategy[str] | None:
    """Return the texts of a view; None where there is none.

    Raises:
        PatternError: a pattern is none that Python reads.
    """
    least, most = view.min_length or 0, view.max_length
    if most is not None and most < least:
        return None
    found = _base(view, least, most)
    wanted = [reading for pattern in view.patterns for reading in _readings(pattern)]
    barred = [reading for pattern in view.excluded_patterns for reading in _readings(pattern)]
    excluded = frozenset(view.excluded)

    def kept(text: str) -> bool:
        fits = least <= len(text) and (most is None or len(text) <= most)
        found_all = fits and all(pattern.search(text) for pattern in wanted)
        return found_all and text not in excluded and not any(p.search(text) for p in barred)

    return found.filter(kept) if _judged(view) else found


def _readings(pattern: str) -> list[re.Pattern[str]]:
    r"""Return a pattern as ECMA-262 has it, and as those read it for whom `é` is in `\w`, too."""
    strict = compiled(pattern)
    return [strict, re.compile(strict.pattern)] if "\\" in pattern else [strict]


def _judged(view: canonical.StringView) -> bool:
    """Tell whether a view asks for more than lengths, which are drawn right."""
    return bool(view.patterns or view.excluded_patterns or view.excluded or view.formats)


def _base(view: canonical.StringView, least: int, most: int | None) -> SearchStrategy[str]:
    known = [FORMATS[name] for name in view.formats if name in FORMATS]
    if known:
        return known[0]
    if view.patterns:
        return matching(view.patterns[0], least, most)
    return texts(least, most)


def matching(pattern: str, least: int = 0, most: int | None = None) -> SearchStrategy[str]:
    """Return texts in which a pattern is found, of about these lengths.

    Raises:
        PatternError: it is none that Python reads.
    """
    simple = _ONE_CLASS.fullmatch(pattern)
    if simple is not None:
        return _of_class(simple, least, most)
    found = st.from_regex(compiled(pattern), alphabet=CHARACTERS)
    try:
        found.validate()
    except InvalidArgument as error:
        raise PatternError(pattern, "it asks for longer texts than can be drawn") from error
    return found


def _of_class(simple: re.Match[str], least: int, most: int | None) -> SearchStrategy[str]:
    letters = st.from_regex(compiled(simple[1]), fullmatch=True, alphabet=CHARACTERS)
    low = 1 if simple[2] == "+" else int(simple[3] or 0)
    high = int(simple[5]) if simple[5] else low if simple[3] and not simple[4] else None
    low, longest = max(low, least), [bound for bound in (high, most) if bound is not None]
    return of_letters(letters, low, min([low + ROOM, *longest]))


def compiled(pattern: str) -> re.Pattern[str]:
    r"""Return a pattern of JSON Schema as Python reads it: `\d` is ASCII, `$` the very end.

    Raises:
        PatternError: it is none that Python reads.
    """
    text = re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", pattern)
    ended = re.sub(r"(?<!\\)((?:\\\\)*)\$(?=$|\||\))", r"\1\\Z", text)
    if not patterns.complaint(ended):
        return re.compile(ended, re.ASCII)
    why = patterns.complaint(text)
    if why:
        raise PatternError(pattern, why)
    return re.compile(text, re.ASCII)
