"""Correct receivers with limits, queues, firewalls and habits of their own on the wire."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from hookproof.miniatures.base import HEADER, Miniature, RefusedError
from hookproof.miniatures.serving import DROP, OnTheWire, Steps
from hookproof_spec.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


class RefusesWithNotFound(Miniature):
    """Refuses with 404, as if nothing were here."""

    refusal: ClassVar = 404
    replay_status: ClassVar = 404


class BodyLimit(Steps, Miniature):
    """Takes 32 KiB at most: answers 413 to more, on the wire unread, and closes the connection."""

    may_warn: ClassVar = ("valid-body-64k",)
    limit: ClassVar = 32 * 1024

    def refuse_unread(self, head: Request) -> int | None:
        return 413 if int(head.header("Content-Length") or 0) > self.limit else None

    def receive(self, request: Request) -> int:
        return 413 if len(request.body) > self.limit else super().receive(request)


class DropsLargeBodies(OnTheWire):
    """Closes the connection of whoever announces more than 50 kB, without an answer."""

    may_warn: ClassVar = ("valid-body-64k", "payload-deep")  # the latter cannot be proven

    def refuse_unread(self, head: Request) -> int | None:
        return DROP if int(head.header("Content-Length") or 0) > 50_000 else None


class QueueFirst(Miniature):
    """Verifies, puts the body on a queue and answers 202; what is no event is dropped later."""

    may_warn: ClassVar = ("valid-status-200",)

    def read(self, body: bytes) -> str:
        return body.decode("latin-1")

    def act(self, event: str) -> None:
        threading.Thread(target=self.work, args=(event.encode("latin-1"),), daemon=True).start()

    def work(self, body: bytes) -> None:
        """Act on a body that was taken, if it is an event."""
        try:
            name = super().read(body)
        except RefusedError:
            return
        super().act(name)

    def answer(self, status: int, start_response: StartResponse) -> Iterable[bytes]:
        return super().answer(202 if status == 200 else status, start_response)


class IgnoresForged(Miniature):
    """Acknowledges everything, and acts on nothing that is forged, stale or replayed."""

    ignores_forged: ClassVar = True
    refusal: ClassVar = 200
    replay_status: ClassVar = 200


class Firewall(Miniature):
    """Stands behind a firewall that refuses markup, and compressed bodies, unread."""

    words: ClassVar = (b"<script", b"DROP TABLE")

    def receive(self, request: Request) -> int:
        if any(word in request.body for word in self.words):
            return 403
        return 415 if request.header("Content-Encoding") else super().receive(request)


class StrictShape(Miniature):
    """Forbids members that the document does not name, and other media types."""

    may_warn: ClassVar = ("valid-unknown-field",)
    known: ClassVar = {"_event", "_date", "_metadata", "stock", "sparePart", "movement"}

    def receive(self, request: Request) -> int:
        media_type = (request.header("Content-Type") or "").split(";")[0]
        return super().receive(request) if media_type == "application/json" else 415

    def read(self, body: bytes) -> str:
        name = super().read(body)
        if set(json.loads(body)) - self.known:
            raise RefusedError(422)
        return name


class ClosesConnections(OnTheWire):
    """Keeps no connection: every answer says Connection: close."""

    def answer(self, status: int, start_response: StartResponse) -> Iterable[bytes]:
        start_response(f"{status} -", [("Connection", "close")])
        return [b"ok" if status < 300 else b"refused"]


class RefusesEarly(OnTheWire):
    """Refuses what has no signature before its body is read, and closes the connection."""

    def refuse_unread(self, head: Request) -> int | None:
        return None if head.header(HEADER) or head.method == "GET" else self.refusal


class Bans(Miniature):
    """Refuses everything from whoever has sent it twenty requests that it refused."""

    defends_itself: ClassVar = True
    patience: ClassVar = 20

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.strikes = 0

    def receive(self, request: Request) -> int:
        if self.strikes >= self.patience:
            return 403
        try:
            return super().receive(request)
        except RefusedError:
            self.strikes += 1
            raise


class Busy(Miniature):
    """Has no time for every thirteenth request."""

    defends_itself: ClassVar = True

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.count = 0

    def receive(self, request: Request) -> int:
        with self.lock:
            self.count += 1
        return 503 if self.count % 13 == 0 else super().receive(request)


RECEIVERS: tuple[type[Miniature], ...] = (
    RefusesWithNotFound,
    BodyLimit,
    DropsLargeBodies,
    QueueFirst,
    IgnoresForged,
    Firewall,
    StrictShape,
    ClosesConnections,
    RefusesEarly,
    Bans,
    Busy,
)
