"""Receivers that a sender's rotation of its key breaks, with one bug each."""

from __future__ import annotations

from typing import ClassVar

from hookproof.miniatures.base import RefusedError, Stamp
from hookproof.miniatures.correct import Rotates
from hookproof_spec.request import Request


class TakesFirstSignature(Rotates):
    """Compares the first of several signatures."""

    exposed_by: ClassVar = ("rotation-wrong-then-right",)

    def verify(self, request: Request, stamp: Stamp) -> None:
        stamp.others = stamp.others[:1]
        super().verify(request, stamp)


class KnowsOneVersion(Rotates):
    """Refuses a header with an item of another version."""

    exposed_by: ClassVar = ("rotation-unknown-item",)

    def parse(self, header: str) -> Stamp:
        if any(item.startswith("v99") for item in header.split(",")):
            raise RefusedError(self.refusal)
        return super().parse(header)
