"""Receivers that cannot cope with several requests at once, or with many, with one bug each."""

from __future__ import annotations

import time
from typing import ClassVar

from hookproof.miniatures.base import Miniature, RefusedError, Stamp
from hookproof_spec.request import Request


class SharesRequest(Miniature):
    """Keeps the request it works on where the next one writes its own."""

    exposed_by: ClassVar = ("load-interleaved",)
    latest: Request

    def receive(self, request: Request) -> int:
        self.latest = request
        return super().receive(request)

    def read(self, body: bytes) -> str:
        time.sleep(0.005)
        return super().read(self.latest.body)


class FillsItsTable(Miniature):
    """Remembers the nonce of every request it refuses, in a table that is full one day."""

    exposed_by: ClassVar = ("load-forged-flood",)
    judged_by: ClassVar = ("valid-basic", "forged-signature", "load-forged-flood")
    rows: ClassVar = 400

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.refused: list[str] = []

    def verify(self, request: Request, stamp: Stamp) -> None:
        if len(self.refused) > self.rows and self.matches(request, stamp):
            raise MemoryError("the table is full")
        try:
            super().verify(request, stamp)
        except RefusedError:
            self.refused.append(stamp.nonce)
            raise

    def matches(self, request: Request, stamp: Stamp) -> bool:
        """Tell whether the signature is right."""
        return self.same(self.expected(stamp, request.body), stamp.signature)


class SearchesRefused(Miniature):
    """Searches what it has refused, row by row, before it accepts anything."""

    exposed_by: ClassVar = ("load-forged-flood",)
    judged_by: ClassVar = ("valid-basic", "forged-signature", "load-forged-flood")

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.refused: list[str] = []

    def verify(self, request: Request, stamp: Stamp) -> None:
        try:
            super().verify(request, stamp)
        except RefusedError:
            self.refused.append(stamp.nonce)
            raise
        time.sleep(len(self.refused) * 0.00006)
