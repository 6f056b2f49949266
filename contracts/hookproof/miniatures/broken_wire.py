"""Receivers with one bug each that shows only on a real connection."""

from __future__ import annotations

import threading
from typing import ClassVar

from hookproof.miniatures.base import HEADER, RefusedError, Stamp
from hookproof.miniatures.serving import OnTheWire, Stream
from hookproof_spec.request import Request


class ExactHeaderName(OnTheWire):
    """Looks its header up letter by letter."""

    exposed_by: ClassVar = ("valid-header-name-case",)

    def header(self, request: Request) -> str:
        exact = [value for name, value in request.headers if name == HEADER]
        if len(exact) != 1 or not exact[0]:
            raise RefusedError(self.refusal)
        return exact[0]


class GivesBodiesNoTime(OnTheWire):
    """Takes a body for empty that does not begin together with its head."""

    exposed_by: ClassVar = ("valid-split-writes",)

    def read_body(self, stream: Stream, head: Request) -> bytes:
        reads = stream.reads
        if int(head.header("Content-Length") or 0):
            stream.peek(1)
        return super().read_body(stream, head) if stream.reads == reads else b""


class KnowsNoChunks(OnTheWire):
    """Reads as many bytes as Content-Length says, and none where there is no such header."""

    exposed_by: ClassVar = ("valid-chunked",)

    def read_body(self, stream: Stream, head: Request) -> bytes:
        return stream.read(int(head.header("Content-Length") or 0))


class TwoLookups(OnTheWire):
    """Verifies the first line of its header, and looks at the age of the last."""

    exposed_by: ClassVar = ("forged-header-duplicated",)

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.of_this_request = threading.local()

    def header(self, request: Request) -> str:
        lines = request.header_values(HEADER)
        if not lines or not lines[0]:
            raise RefusedError(self.refusal)
        self.of_this_request.last = lines[-1]
        return lines[0]

    def check_age(self, stamp: Stamp) -> None:
        super().check_age(self.parse(self.of_this_request.last))


class VerifiesOncePerConnection(OnTheWire):
    """Keeps the verdict in its thread, which lives as long as the connection."""

    exposed_by: ClassVar = ("forged-after-valid",)

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.of_this_connection = threading.local()

    def verify(self, request: Request, stamp: Stamp) -> None:
        if not getattr(self.of_this_connection, "verified", False):
            super().verify(request, stamp)
            self.of_this_connection.verified = True


class LeavesBodiesUnread(OnTheWire):
    """Refuses what has no signature before its body is read, and leaves it on the connection."""

    exposed_by: ClassVar = ("http-keepalive-after-reject",)
    keeps_open: ClassVar = True

    def refuse_unread(self, head: Request) -> int | None:
        return None if head.header(HEADER) or head.method == "GET" else self.refusal
