"""Correct receivers that differ in everything lawful: a finding on any of them is a false alarm."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from hookproof.miniatures.base import Miniature, RefusedError, Stamp
from hookproof_spec.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


class Plain(Miniature):
    """The miniature as it is."""


class IgnoresReplays(Miniature):
    """Acknowledges a replay with 200 and does nothing."""

    replay_status: ClassVar = 200


class MinuteTolerance(Miniature):
    """Accepts nothing older than a minute."""

    tolerance: ClassVar = 60
    declared: ClassVar = 60


class TakesFutureTimes(Miniature):
    """Looks at one side of the age only, as several official SDKs do."""

    skew: ClassVar = float("inf")
    may_warn: ClassVar = ("stale-future",)


class RefusesWithForbidden(Miniature):
    """Refuses with 403, and replays with the same status."""

    refusal: ClassVar = 403
    replay_status: ClassVar = 403


class RefusesWithBadRequest(Miniature):
    """Refuses everything with 400."""

    refusal: ClassVar = 400
    replay_status: ClassVar = 400


class LenientLayout(Miniature):
    """Takes spaces around items, items in any order, unknown items and capitals."""

    def parse(self, header: str) -> Stamp:
        items: dict[str, str] = {}
        for item in header.split(","):
            key, _, value = item.strip().partition("=")
            if key in items:
                return super().parse(header)
            items[key] = value
        kept = ",".join(
            f"{key}={items[key]}" for key in ("t", "nonce", "signature") if key in items
        )
        stamp = super().parse(kept)
        return Stamp(stamp.timestamp, stamp.nonce, stamp.signature.lower())


class ActsLater(Miniature):
    """Answers first and acts a moment later, from a queue."""

    delay: ClassVar[float] = 0.021

    def act(self, event: str) -> None:
        timer = threading.Timer(self.delay, super().act, (event,))
        timer.daemon = True
        timer.start()


class AnswersAccepted(Miniature):
    """Answers 202 and JSON."""

    may_warn: ClassVar = ("valid-status-200",)

    def answer(self, status: int, start_response: StartResponse) -> Iterable[bytes]:
        start_response(
            f"{202 if status == 200 else status} -", [("Content-Type", "application/json")]
        )
        return [b'{"ok": true}' if status < 300 else b'{"error": "refused"}']


class AnswersEmpty(Miniature):
    """Answers 204 without a body."""

    may_warn: ClassVar = ("valid-status-200",)

    def answer(self, status: int, start_response: StartResponse) -> Iterable[bytes]:
        start_response(f"{204 if status == 200 else status} -", [])
        return []


class OneAtATime(Miniature):
    """Serves one request after another."""

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.turn = threading.Lock()

    def receive(self, request: Request) -> int:
        with self.turn:
            time.sleep(0.001)
            return super().receive(request)


class TakesUnsigned(Miniature):
    """Was set up without a secret, and verifies nothing."""

    unsigned: ClassVar = True

    def receive(self, request: Request) -> int:
        if request.method != "POST":
            return 405
        self.act(self.read(request.body))
        return 200


class AcknowledgesRetries(IgnoresReplays):
    """Receives from a sender whose retries keep their nonce."""

    retries_keep_nonce: ClassVar = True


class Rotates(Miniature):
    """Receives from a sender that puts several signatures side by side during a rotation."""

    rotates: ClassVar = True

    def parse(self, header: str) -> Stamp:
        items = [item.partition("=")[::2] for item in header.split(",")]
        known = [(key, value) for key, value in items if key in ("t", "nonce", "v1")]
        signatures = [value for key, value in known if key == "v1"]
        rest = [f"{key}={value}" for key, value in known if key != "v1"]
        stamp = super().parse(",".join((*rest, f"signature={self.chosen(signatures)}")))
        stamp.others = signatures
        return stamp

    def chosen(self, signatures: list[str]) -> str:
        """Return one of the signatures; all are looked at later."""
        return signatures[0] if signatures else ""

    def verify(self, request: Request, stamp: Stamp) -> None:
        expected = self.expected(stamp, request.body)
        if not any(self.same(expected, other) for other in stamp.others):
            raise RefusedError(self.refusal)


RECEIVERS: tuple[type[Miniature], ...] = (
    Plain,
    IgnoresReplays,
    TakesUnsigned,
    AcknowledgesRetries,
    MinuteTolerance,
    TakesFutureTimes,
    RefusesWithForbidden,
    RefusesWithBadRequest,
    LenientLayout,
    ActsLater,
    AnswersAccepted,
    AnswersEmpty,
    OneAtATime,
    Rotates,
)
