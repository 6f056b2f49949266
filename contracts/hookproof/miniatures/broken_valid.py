"""Receivers that lose genuine events, with one bug each."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from hookproof.miniatures.base import Miniature, RefusedError, Stamp
from hookproof_spec.request import Request


class CsrfGuard(Miniature):
    """Stands behind a guard that refuses every sender without a CSRF token."""

    exposed_by: ClassVar = ("valid-basic",)

    def receive(self, request: Request) -> int:
        if request.header("X-CSRF-Token") is None:
            return 403
        return super().receive(request)


class InsistsOnSignature(Miniature):
    """Was set up without a secret, and asks for a signature all the same."""

    exposed_by: ClassVar = ("valid-unsigned",)
    unsigned: ClassVar = True


class ActsTwice(Miniature):
    """Is registered twice in its own event loop and acts on every event two times."""

    exposed_by: ClassVar = ("valid-basic",)

    def act(self, event: str) -> None:
        super().act(event)
        super().act(event)


class Reserialises(Miniature):
    """Computes the HMAC over parsed and re-written JSON."""

    exposed_by: ClassVar = (
        "valid-php-escapes",
        "valid-whitespace",
        "forged-duplicate-json-key",
        "forged-reformatted",
        "forged-lossy-text",
    )

    def expected(self, stamp: Stamp, body: bytes) -> str:
        try:
            rewritten = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":"))
            return super().expected(stamp, rewritten.encode())
        except (ValueError, RecursionError) as error:
            raise RefusedError(400) from error


class StripsSlashes(Miniature):
    r"""Turns `\/` into `/` before it computes the HMAC."""

    exposed_by: ClassVar = ("valid-php-escapes",)

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, body.replace(b"\\/", b"/"))


class DecodesAsAscii(Miniature):
    """Decodes the body as ASCII before it computes the HMAC."""

    exposed_by: ClassVar = ("valid-utf8",)

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, body.decode("ascii", "replace").encode())


class TakesIndentationOut(Miniature):
    """Takes the indentation out of the body before it computes the HMAC."""

    exposed_by: ClassVar = ("valid-whitespace",)

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, body.replace(b"\n    ", b""))


class SniffsFirstMember(Miniature):
    """Takes the event's name from the first member, wherever the name may stand."""

    exposed_by: ClassVar = ("valid-key-order",)

    def read(self, body: bytes) -> str:
        if not re.match(rb'\s*\{\s*"_event"', body):
            raise RefusedError(422)
        return super().read(body)


class ShortNonces(Miniature):
    """Keeps nonces in a column of 32 characters."""

    exposed_by: ClassVar = ("valid-nonce-last-char",)

    def key(self, stamp: Stamp, body: bytes) -> str:
        return stamp.nonce[:32]


class FiveMinutesInsteadOfAnHour(Miniature):
    """Says it takes events of an hour, and enforces the five minutes of its library."""

    exposed_by: ClassVar = ("valid-edge-fresh",)
    tolerance: ClassVar = 300


class TakesNoFuture(Miniature):
    """Refuses every time that its own clock has not reached yet."""

    exposed_by: ClassVar = ("valid-skew-ahead",)
    skew: ClassVar = 0.5


class SmallLimit(Miniature):
    """Takes no more than 32 KiB."""

    exposed_by: ClassVar = ("valid-body-64k",)

    def receive(self, request: Request) -> int:
        return 413 if len(request.body) > 32_768 else super().receive(request)


class ForbidsMore(Miniature):
    """Refuses an event with a member it does not know."""

    exposed_by: ClassVar = ("valid-unknown-field",)
    known: ClassVar = {"_event", "_date", "_metadata", "stock", "sparePart", "movement"}

    def read(self, body: bytes) -> str:
        name = super().read(body)
        if set(json.loads(body)) - self.known:
            raise RefusedError(422)
        return name


class ExactMediaType(Miniature):
    """Compares the Content-Type letter by letter."""

    exposed_by: ClassVar = ("valid-content-type-charset",)

    def receive(self, request: Request) -> int:
        if request.header("Content-Type") != "application/json":
            return 415
        return super().receive(request)


class AnswersCreated(Miniature):
    """Answers 201, though the document says 200."""

    exposed_by: ClassVar = ("valid-status-200",)

    def receive(self, request: Request) -> int:
        status = super().receive(request)
        return 201 if status == 200 else status


class JudgesEventDate(Miniature):
    """Looks at the age of the event as well as at that of the request."""

    exposed_by: ClassVar = ("valid-old-event-date",)

    def read(self, body: bytes) -> str:
        name = super().read(body)
        try:
            made = datetime.fromisoformat(json.loads(body)["_date"]).timestamp()
        except (KeyError, TypeError, ValueError) as error:
            raise RefusedError(422) from error
        if self.now() - made > self.tolerance:
            raise RefusedError(422)
        return name


class RefusesSameBody(Miniature):
    """Takes an event with the bytes of an earlier one for a duplicate, and refuses it."""

    exposed_by: ClassVar = ("valid-same-body",)

    def claim(self, stamp: Stamp, body: bytes) -> bool:
        if not super().claim(stamp, body):
            return False
        return super().claim(self.by_body(stamp, body), body)

    def release(self, stamp: Stamp, body: bytes) -> None:
        super().release(stamp, body)
        super().release(self.by_body(stamp, body), body)

    @staticmethod
    def by_body(stamp: Stamp, body: bytes) -> Stamp:
        return Stamp(stamp.timestamp, hashlib.sha256(body).hexdigest(), stamp.signature)


class IgnoresSamePart(Miniature):
    """Acknowledges a second event about a spare part and does nothing."""

    exposed_by: ClassVar = ("valid-same-subject",)

    def act(self, event: str) -> None:
        if event not in self.names:
            super().act(event)


class ReadsLocalTime(Miniature):
    """Takes the timestamp for local time, which nobody sees where servers run on UTC."""

    exposed_by: ClassVar = ("valid-timezone",)
    offset: float = 0

    def restart(self, environment: Mapping[str, str]) -> None:
        zone = environment.get("TZ", "UTC")
        offset = datetime.now(ZoneInfo(zone)).utcoffset()
        self.offset = offset.total_seconds() if offset else 0

    def check_age(self, stamp: Stamp) -> None:
        local = str(int(int(stamp.timestamp) - self.offset))
        super().check_age(Stamp(local, stamp.nonce, stamp.signature))
