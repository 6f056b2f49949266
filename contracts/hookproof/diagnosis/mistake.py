"""A known mistake: the step it gets wrong, and what to say of whoever makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from hookproof.diagnosis.making import Making, Step

Change = Callable[[Making], Making | None]


@final
@dataclass(frozen=True, slots=True)
class Words:
    """What is wrong, as the end of a sentence, and what to do about it."""

    wrong: str
    mend: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake.

    `make` returns None where the mistake makes no difference, or cannot be made. `receiver` goes
    on from "the receiver …", `request` from "the signature was made …". `common` mistakes are tried
    on a receiver, which sees a request for each.
    """

    name: str
    step: Step
    make: Change
    receiver: Words
    request: Words
    common: bool = False
