"""Mistakes of the people who use us, told as: where, what is wrong, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import final


class HookproofError(Exception):
    """Something the user can mend: a document, an option, a key, an address.

    `str()` is one line, made of the three fields: `where: problem; hint`.
    """

    def __init__(self, problem: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(problem, where, hint)
        self.problem = problem
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"; {self.hint}" if self.hint else ""
        return f"{place}{self.problem}{advice}"


class SecretError(HookproofError):
    """A secret that cannot become a key. The message never holds the secret."""


class Severity(StrEnum):
    """Whether a problem makes a document unusable or only deserves a look."""

    ERROR = "error"
    WARNING = "warning"


@final
@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at one place of a document or a payload.

    `pointer` is an RFC 6901 JSON pointer into that document or payload ("" is its root).
    """

    pointer: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        advice = f"; {self.hint}" if self.hint else ""
        return f"#{self.pointer}: {self.message}{advice}"


class DocumentError(HookproofError):
    """A document that cannot be used, with every problem found in it."""

    def __init__(
        self, problem: str, *, where: str = "", hint: str = "", problems: Iterable[Problem] = ()
    ) -> None:
        super().__init__(problem, where=where, hint=hint)
        self.problems = tuple(problems)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean X?` for the nearest of the known words, or "" when none is near.

    Case does not count: `HMAC-SHA256` is near to `hmac-sha256`.
    """
    lowered: dict[str, str] = {}
    for name in known:
        lowered.setdefault(name.lower(), name)
    near = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f"did you mean {lowered[near[0]]}?" if near else ""


def one_of(words: Iterable[str]) -> str:
    """Return `allowed: a, b, c`."""
    return "allowed: " + ", ".join(words)
