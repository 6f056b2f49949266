"""Receivers that are poor HTTP servers, with one bug each."""

from __future__ import annotations

import time
from typing import ClassVar

from hookproof.miniatures.base import Miniature, RefusedError, Stamp
from hookproof_spec.request import Request


class RaisesOnStale(Miniature):
    """Lets the error for a stale request through to its framework, which answers 500."""

    exposed_by: ClassVar = ("http-reject-status",)

    def check_age(self, stamp: Stamp) -> None:
        try:
            super().check_age(stamp)
        except RefusedError as error:
            raise ValueError("the timestamp is too old") from error


class RaisesOnMismatch(Miniature):
    """Lets the verifier's error through: every forged request is answered 500."""

    exposed_by: ClassVar = ("http-reject-status",)

    def verify(self, request: Request, stamp: Stamp) -> None:
        if not self.same(self.expected(stamp, request.body), stamp.signature):
            raise ValueError("the signature does not match")


class RedirectsToLogin(Miniature):
    """Sends whoever it does not know to a page on which to log in."""

    exposed_by: ClassVar = ("http-reject-status",)
    refusal: ClassVar = 302


class WorksBeforeAnswering(Miniature):
    """Does all its work before it answers."""

    exposed_by: ClassVar = ("http-latency",)
    judged_by: ClassVar = ("valid-basic", "http-latency")
    seconds: ClassVar[float] = 5.05

    def act(self, event: str) -> None:
        time.sleep(self.seconds)
        super().act(event)


class TakesAnyMethod(Miniature):
    """Is routed for every method."""

    exposed_by: ClassVar = ("http-methods",)

    def receive(self, request: Request) -> int:
        return super().receive(request.with_method("POST"))


class TakesEncodingForCharset(Miniature):
    """Takes Content-Encoding for the name of a character set."""

    exposed_by: ClassVar = ("http-compressed",)

    def receive(self, request: Request) -> int:
        request.body.decode(request.header("Content-Encoding") or "latin-1")
        return super().receive(request)


class AcknowledgesFailures(Miniature):
    """Catches every error of its handler, writes it to a log and answers 200."""

    exposed_by: ClassVar = ("http-ack-on-failure",)

    def receive(self, request: Request) -> int:
        status = super().receive(request)
        return 200 if status == 500 else status
