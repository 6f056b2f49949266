"""Forms: texts as they were typed, read into values, with what is wrong beside each field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar, final

from hookproof_spec.errors import HookproofError, one_of

Choice = TypeVar("Choice", bound=StrEnum)


@final
@dataclass(slots=True)
class Form:
    """What was typed, by field name, and the errors found in it.

    The readers never raise: what cannot be read is an error beside its field, and the returned
    value is the fallback. Check `good` before a value is used.
    """

    typed: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Tell whether nothing was wrong so far."""
        return not self.errors

    def value(self, name: str, default: object = "") -> str:
        """Return what a field shows: what was typed, or its default in a form not yet sent."""
        return self.typed[name] if name in self.typed else str(default)

    def ticked(self, name: str, default: bool = False) -> bool:
        """Tell whether a box is ticked. A sent form leaves out the boxes that are not."""
        return name in self.typed if self.typed else default

    def text(self, name: str, *, needed: str = "") -> str:
        """Return a text without the spaces around it; `needed` is the error for an empty one."""
        text = self.typed.get(name, "").strip()
        if needed and not text:
            self.refuse(name, needed)
        return text

    def whole(self, name: str, low: int, high: int) -> int:
        """Return a whole number within bounds; `low` where there is none."""
        text = self.typed.get(name, "").strip()
        if text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 12:
            number = int(text)
            if low <= number <= high:
                return number
        self.refuse(name, f"Give a whole number from {low:,} to {high:,}.")
        return low

    def number(self, name: str, low: float, high: float) -> float:
        """Return a number within bounds; `low` where there is none."""
        try:
            number = float(self.typed.get(name, ""))
        except ValueError:
            number = math.nan
        if low <= number <= high:
            return number
        self.refuse(name, f"Give a number from {low:g} to {high:,g}.")
        return low

    def choice(self, name: str, kind: type[Choice], default: Choice) -> Choice:
        """Return a member of an enumeration."""
        text = self.typed.get(name, "")
        if not text:
            return default
        try:
            return kind(text)
        except ValueError:
            self.refuse(name, f"{one_of(kind).capitalize()}.")
            return default

    def statuses(self, name: str) -> tuple[int, ...]:
        """Return HTTP statuses; none for an empty field."""
        words = self.typed.get(name, "").replace(",", " ").split()
        if all(word.isascii() and word.isdigit() and 200 <= int(word[:6]) <= 599 for word in words):
            return tuple(sorted({int(word) for word in words}))
        self.refuse(name, "Give statuses from 200 to 599, such as 200, 204, or leave it empty.")
        return ()

    def refuse(self, name: str, error: str) -> None:
        """Put an error beside a field, unless it has one."""
        self.errors.setdefault(name, error)

    def blame(self, error: HookproofError, names: Mapping[str, str], otherwise: str) -> None:
        """Put a refusal of the sender beside the field it is about.

        `names` leads from a part of the pointer in the error to a field, the last part first;
        what has none stands beside the field `otherwise`.
        """
        parts = reversed(error.where.split("/"))
        name = next((names[part] for part in parts if part in names), otherwise)
        self.refuse(name, sentence(error))


def sentence(error: HookproofError) -> str:
    """Return an error as a sentence for a person: the problem, and what to do."""
    text = error.problem[:1].upper() + error.problem[1:]
    return f"{text}; {error.hint}." if error.hint else f"{text}."
