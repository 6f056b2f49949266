"""Receivers with bugs that no listed rule looks for: a property or the model finds them."""

from __future__ import annotations

import json
import re
from typing import ClassVar

from hookproof.miniatures.base import Miniature, RefusedError, Stamp
from hookproof.miniatures.broken_replay import RemembersTheLast
from hookproof_spec.request import Request


class SkipsOneByte(Miniature):
    """Compares the signature in words of four bytes, and one word a byte too short."""

    exposed_by: ClassVar = ("property-forged",)
    skipped: ClassVar = 11

    def same(self, expected: str, given: str) -> bool:
        start, end = 2 * self.skipped, 2 * self.skipped + 2
        return super().same(expected[:start] + expected[end:], given[:start] + given[end:])


class CountsInBrackets(Miniature):
    """Takes a number in brackets behind the part's name for a quantity, before it verifies."""

    exposed_by: ClassVar = ("property-valid",)

    def receive(self, request: Request) -> int:
        try:
            name = json.loads(request.body)["sparePart"]["name"]
        except (ValueError, KeyError, TypeError, RecursionError):
            name = ""
        _, bracket, quantity = (name if isinstance(name, str) else "").partition("[")
        self.quantity = int(quantity.partition("]")[0]) if bracket else 1
        return super().receive(request)


class HasNoSupplementaryPlane(Miniature):
    """Keeps names in a column that holds no character of the supplementary ideographic plane."""

    exposed_by: ClassVar = ("property-valid",)
    plane: ClassVar = 2

    def read(self, body: bytes) -> str:
        name = super().read(body)
        text = str(json.loads(body)["sparePart"].get("name"))
        if any(ord(letter) >> 16 == self.plane for letter in text):
            raise RefusedError(422)
        return name


class ComparesTimesAsText(Miniature):
    """Compares the timestamp with the oldest that it takes as one text with another."""

    exposed_by: ClassVar = ("property-stale",)

    def check_age(self, stamp: Stamp) -> None:
        if stamp.timestamp < str(int(self.now() - self.tolerance)):
            raise RefusedError(self.refusal)
        if int(stamp.timestamp) > self.now() + self.skew:
            raise RefusedError(self.refusal)


class TakesHeaderForPattern(Miniature):
    """Looks for the header among those it has seen, as a regular expression."""

    exposed_by: ClassVar = ("property-malformed",)

    def parse(self, header: str) -> Stamp:
        re.compile(header)
        return super().parse(header)


class RemembersSixteen(RemembersTheLast):
    """Remembers the last sixteen nonces."""

    exposed_by: ClassVar = ("replay-later", "model-deliveries")
    remembered: ClassVar = 16


class KnowsPartsByShortName(Miniature):
    """Takes a second event for a duplicate where the part's identifier begins like the first's."""

    exposed_by: ClassVar = ("model-deliveries",)
    kept: ClassVar = 24

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.parts: dict[str, str] = {}

    def act(self, event: str) -> None:
        known = self.parts.setdefault(event[: self.kept], event)
        if known == event:
            super().act(event)


class ForgetsTheForged(Miniature):
    """Cleans up after a request that was refused, and gives back a nonce that it never took."""

    exposed_by: ClassVar = ("model-deliveries",)

    def verify(self, request: Request, stamp: Stamp) -> None:
        try:
            super().verify(request, stamp)
        except RefusedError:
            self.release(stamp, request.body)
            raise
