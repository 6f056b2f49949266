"""Reading a document's values of unknown type: every mistake is noted at its place, none raises."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar, final

from hookproof_spec.errors import Problem, Severity, did_you_mean, one_of
from hookproof_spec.pointers import token

Word = TypeVar("Word", bound=StrEnum)

_MAX_WORD = 60
_short = reprlib.Repr()
_short.maxstring = _short.maxother = _MAX_WORD


def shown(value: object) -> str:
    """Return a value as JSON would write it where that is short, cut where it is long."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return _short.repr(value)


def nearest(word: str, known: Collection[str]) -> str:
    """Return what is allowed, the nearest word first: `did you mean hex? (allowed: hex, …)`."""
    near = did_you_mean(word[:_MAX_WORD], known)
    return f"{near} ({one_of(known)})" if near else one_of(known)


@final
@dataclass(frozen=True, slots=True)
class Node:
    """A value, where it stands, and the list in which its problems are noted."""

    value: object
    pointer: str
    found: list[Problem]

    def child(self, name: str | int, value: object) -> Node:
        """Return the node of a part of this value."""
        return Node(value, self.pointer + token(name), self.found)

    def error(self, message: str, hint: str = "") -> None:
        """Note what makes the document unusable."""
        self.found.append(Problem(self.pointer, message, hint))

    def warning(self, message: str, hint: str = "") -> None:
        """Note what deserves a look."""
        self.found.append(Problem(self.pointer, message, hint, Severity.WARNING))

    def text(self, what: str) -> str | None:
        """Return the value if it is a text that can be written as UTF-8."""
        if not isinstance(self.value, str):
            self.error(f"{what} must be a text, not {shown(self.value)}")
            return None
        if any("\ud800" <= character <= "\udfff" for character in self.value):
            self.error(f"{what} holds half a surrogate pair", "write the whole character")
            return None
        return self.value

    def texts(self, what: str) -> tuple[str, ...]:
        """Return the value if it is a list of texts; else note it and return nothing."""
        if not isinstance(self.value, list):
            self.error(f"{what} must be a list of texts, not {shown(self.value)}")
            return ()
        items = [self.child(place, item).text(what) for place, item in enumerate(self.value)]
        return tuple(item for item in items if item is not None)

    def positive(self, what: str) -> float | None:
        """Return the value if it is a number above zero."""
        value = self.value
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value <= 0:  # type: ignore[operator,arg-type]
            self.error(f"{what} must be a positive number, not {shown(value)}")
            return None
        return float(value)  # type: ignore[arg-type]

    def choice(self, kind: type[Word], what: str) -> Word | None:
        """Return the value if it is one of an enumeration's words."""
        known = [word.value for word in kind]
        value = self.value
        if isinstance(value, str) and value in known:
            return kind(value)
        self.error(f"unknown {what} {shown(value)}", nearest(str_of(value), known))
        return None

    def mapping(
        self, what: str, known: Collection[str] | None = None
    ) -> Mapping[str, object] | None:
        """Return the value if it is a mapping; note unknown words and keys that are no text."""
        if not isinstance(self.value, Mapping):
            allowed = one_of(known) if known else ""
            self.error(f"{what} must be a mapping, not {shown(self.value)}", allowed)
            return None
        for key in self.value:
            self._check_key(key, known)
        return {key: value for key, value in self.value.items() if isinstance(key, str)}

    def _check_key(self, key: object, known: Collection[str] | None) -> None:
        if not isinstance(key, str):
            self.error(f"the key {shown(key)} is no text", "put it in quotes")
        elif known is not None and key not in known:
            self.child(key, None).error(f"unknown word {shown(key)}", nearest(key, known))


def str_of(value: object) -> str:
    """Return a text as it is and anything else as nothing, to look for a word near it."""
    return value if isinstance(value, str) else ""
