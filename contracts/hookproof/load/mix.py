"""The kinds of requests under load, and how often each is sent."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import final

from hookproof_spec.errors import HookproofError, did_you_mean, one_of
from hookproof_spec.scheme import SignatureScheme

HEAVIEST = 1_000_000


class Kind(StrEnum):
    """What a request is to its receiver."""

    VALID = "valid"
    """A new event, signed now."""
    FORGED = "forged"
    """A new event, signed now with a key that is not the receiver's."""
    STALE = "stale"
    """A new event, signed rightly and long ago."""
    REPLAYED = "replayed"
    """A copy, byte for byte, of an event that was accepted."""

    @property
    def one(self) -> str:
        """One request of it, in words."""
        return "a genuine event" if self is Kind.VALID else f"a {self.value} request"

    @property
    def many(self) -> str:
        """Several of them, in words."""
        return "genuine events" if self is Kind.VALID else f"{self.value} requests"


WORDS = {kind.value: kind for kind in Kind}
USUAL = {Kind.VALID: 85, Kind.FORGED: 5, Kind.STALE: 5, Kind.REPLAYED: 5}


@final
@dataclass(frozen=True, slots=True)
class Mix:
    """A weight for each kind that is sent; genuine events are always among them."""

    weights: Mapping[Kind, int]

    @classmethod
    def usual(cls, scheme: SignatureScheme) -> Mix:
        """Return what is sent unless told otherwise, as far as a scheme has it."""
        return cls({kind: weight for kind, weight in USUAL.items() if not lacking(kind, scheme)})

    @classmethod
    def read(cls, text: str, scheme: SignatureScheme, where: str) -> Mix:
        """Read weights as people write them: `valid=90,forged=10`.

        Raises:
            HookproofError: a kind is unknown, a weight is none, nothing is genuine, or the scheme
                has no such kind.
        """
        weights: dict[Kind, int] = {}
        for item in text.split(","):
            name, _, number = (part.strip() for part in item.partition("="))
            kind = _kind(name, where)
            if kind in weights:
                raise HookproofError(f"{kind.value} stands twice", where=where, hint="keep one")
            weights[kind] = _weight(number, name, where)
        sent = {kind: weight for kind, weight in weights.items() if weight}
        _usable(sent, scheme, where)
        return cls({kind: sent[kind] for kind in Kind if kind in sent})

    def written(self) -> str:
        """Write the weights as `read` takes them."""
        return ",".join(f"{kind.value}={weight}" for kind, weight in self.weights.items())

    def picker(self, source: random.Random) -> Picker:
        """Return what draws kinds by their weights."""
        return Picker(tuple(self.weights), tuple(accumulate(self.weights.values())), source)


@final
@dataclass(frozen=True, slots=True)
class Picker:
    """Draws kinds; `bounds` are the weights, each added to those before it."""

    kinds: tuple[Kind, ...]
    bounds: tuple[int, ...]
    source: random.Random

    def pick(self) -> Kind:
        """Draw one."""
        return self.source.choices(self.kinds, cum_weights=self.bounds)[0]


def lacking(kind: Kind, scheme: SignatureScheme) -> str:
    """Return what a scheme lacks for a kind; "" where it lacks nothing."""
    if kind is Kind.STALE and scheme.timestamp is None:
        return "timestamp"
    if kind is Kind.REPLAYED and scheme.nonce is None:
        return "nonce"
    return ""


def _kind(name: str, where: str) -> Kind:
    if name not in WORDS:
        raise HookproofError(
            f"unknown kind {name[:40]!r}",
            where=where,
            hint=did_you_mean(name, WORDS) or one_of(WORDS),
        )
    return WORDS[name]


def _weight(text: str, name: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= HEAVIEST and len(text) < 9):
        raise HookproofError(
            f"the weight of {name} is not a whole number up to {HEAVIEST:,}",
            where=where,
            hint=f"write {name}=5",
        )
    return int(text)


def _usable(weights: Mapping[Kind, int], scheme: SignatureScheme, where: str) -> None:
    if Kind.VALID not in weights:
        raise HookproofError(
            "nothing genuine is sent, and a receiver that refuses everything would look right",
            where=where,
            hint="add valid=90",
        )
    for kind in weights:
        missing = lacking(kind, scheme)
        if missing:
            raise HookproofError(
                f"the scheme has no {missing}, so nothing is {kind.value}",
                where=where,
                hint=f"leave {kind.value} out",
            )
