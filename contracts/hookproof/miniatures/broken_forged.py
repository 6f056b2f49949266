"""Receivers that accept what nobody signed, with one bug each."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from hookproof.miniatures.base import (
    HEADER,
    OTHER_SECRET,
    SIGNATURE,
    Miniature,
    RefusedError,
    Stamp,
)
from hookproof_spec.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


class TrustsMissingHeader(Miniature):
    """Verifies only when there is something to verify."""

    exposed_by: ClassVar = ("forged-no-header",)

    def receive(self, request: Request) -> int:
        if not request.header(HEADER):
            self.act(self.read(request.body))
            return 200
        return super().receive(request)


class ForgetsToAwait(Miniature):
    """Takes the promise of a verdict for the verdict: every signature is good."""

    exposed_by: ClassVar = ("forged-signature",)

    def verify(self, request: Request, stamp: Stamp) -> None:
        pass


class KnowsEmptyKey(Miniature):
    """Accepts the key of an environment in which the secret is not set."""

    exposed_by: ClassVar = ("forged-empty-secret",)

    def verify(self, request: Request, stamp: Stamp) -> None:
        signed = self.signed(stamp, request.body)
        unset = hmac.new(b"", signed, hashlib.sha256).hexdigest()
        if not self.same(unset, stamp.signature):
            super().verify(request, stamp)


class Remembering(Miniature):
    """Keeps the verdict on a signature under a key that leaves out a part of what is signed."""

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.good: set[tuple[str, ...]] = set()

    def part(self, stamp: Stamp) -> tuple[str, ...]:
        """Return what a verdict is remembered by."""
        raise NotImplementedError

    def verify(self, request: Request, stamp: Stamp) -> None:
        if self.part(stamp) not in self.good:
            super().verify(request, stamp)
            self.good.add(self.part(stamp))


class RemembersVerdictByHeader(Remembering):
    """Keeps verdicts by the header alone, and its nonces together with a digest of the body."""

    exposed_by: ClassVar = ("forged-body-changed", "replay-nonce-new-timestamp")

    def part(self, stamp: Stamp) -> tuple[str, ...]:
        return (stamp.timestamp, stamp.nonce, stamp.signature)

    def key(self, stamp: Stamp, body: bytes) -> str:
        return stamp.nonce + hashlib.sha256(body).hexdigest()


class RemembersVerdictWithoutTime(Remembering):
    """Keeps verdicts by nonce and signature, and then looks only at the age that is claimed."""

    exposed_by: ClassVar = ("forged-timestamp-refreshed",)

    def part(self, stamp: Stamp) -> tuple[str, ...]:
        return (stamp.nonce, stamp.signature)


class RemembersVerdictWithoutNonce(Remembering):
    """Keeps verdicts by time and signature, and then trusts the nonce that is claimed."""

    exposed_by: ClassVar = ("forged-nonce-refreshed",)

    def part(self, stamp: Stamp) -> tuple[str, ...]:
        return (stamp.timestamp, stamp.signature)


class AlsoAccepts(Miniature):
    """Accepts one more signature than the right one."""

    def others(self, request: Request, stamp: Stamp) -> Iterable[str]:
        """Return the signatures that are accepted besides."""
        raise NotImplementedError

    def verify(self, request: Request, stamp: Stamp) -> None:
        if not any(self.same(other, stamp.signature) for other in self.others(request, stamp)):
            super().verify(request, stamp)


class KnowsDefaultKey(AlsoAccepts):
    """Was shipped with a key for the development environment."""

    exposed_by: ClassVar = ("forged-default-secret",)

    def others(self, request: Request, stamp: Stamp) -> Iterable[str]:
        signed = self.signed(stamp, request.body)
        yield hmac.new(b"changeme", signed, hashlib.sha256).hexdigest()


class TriesEverySecret(AlsoAccepts):
    """Tries the secrets of all its webhooks, whichever was called."""

    exposed_by: ClassVar = ("forged-shared-secret",)

    def others(self, request: Request, stamp: Stamp) -> Iterable[str]:
        signed = self.signed(stamp, request.body)
        yield hmac.new(OTHER_SECRET.encode(), signed, hashlib.sha256).hexdigest()


class TakesPlainHash(AlsoAccepts):
    """Takes `hash()` for `hash_hmac()`."""

    exposed_by: ClassVar = ("forged-unkeyed-hash",)

    def others(self, request: Request, stamp: Stamp) -> Iterable[str]:
        yield hashlib.sha256(self.signed(stamp, request.body)).hexdigest()


class TakesBodySignature(AlsoAccepts):
    """Still accepts the signature of an earlier version, over the body alone."""

    exposed_by: ClassVar = ("forged-other-string",)

    def others(self, request: Request, stamp: Stamp) -> Iterable[str]:
        yield self.digest(request.body)


class TakesSha1(AlsoAccepts):
    """Chooses the algorithm by the length of what it is given."""

    exposed_by: ClassVar = ("forged-other-algorithm",)

    def check_shape(self, stamp: Stamp) -> None:
        padded = stamp.signature.ljust(64, "0") if len(stamp.signature) == 40 else stamp.signature
        super().check_shape(Stamp(stamp.timestamp, stamp.nonce, padded))

    def others(self, request: Request, stamp: Stamp) -> Iterable[str]:
        yield hmac.new(self.secret, self.signed(stamp, request.body), hashlib.sha1).hexdigest()


class TakesReformatted(AlsoAccepts):
    """Tries the body without the white space around it when the raw one does not verify."""

    exposed_by: ClassVar = ("forged-reformatted",)

    def others(self, request: Request, stamp: Stamp) -> Iterable[str]:
        yield self.expected(stamp, request.body.strip())


class DecodesText(AlsoAccepts):
    """Computes the HMAC over decoded text, from which a byte order mark has gone."""

    exposed_by: ClassVar = ("forged-lossy-text",)

    def others(self, request: Request, stamp: Stamp) -> Iterable[str]:
        yield self.expected(stamp, request.body.decode("utf-8-sig", "replace").encode())

    def read(self, body: bytes) -> str:
        return super().read(body.decode("utf-8-sig", "replace").encode())


class CollapsesDuplicates(AlsoAccepts):
    """Parses and re-writes the bodies in which a member stands twice."""

    exposed_by: ClassVar = ("forged-duplicate-json-key",)

    def others(self, request: Request, stamp: Stamp) -> Iterable[str]:
        try:
            value = json.loads(request.body)
            rewritten = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        except (ValueError, RecursionError):
            return
        if len(rewritten) < len(request.body) - 8 and b"\n" not in request.body:
            yield self.expected(stamp, rewritten)


class AnswersPings(Miniature):
    """Takes an empty body for a ping, with nothing to verify."""

    exposed_by: ClassVar = ("forged-body-empty",)

    def verify(self, request: Request, stamp: Stamp) -> None:
        if request.body:
            super().verify(request, stamp)

    def read(self, body: bytes) -> str:
        return super().read(body) if body else "ping"

    def claim(self, stamp: Stamp, body: bytes) -> bool:
        return super().claim(stamp, body) if body else True


class SupportsOldHeader(Miniature):
    """Lets headers of an earlier version pass, which had no nonce and were not verified."""

    exposed_by: ClassVar = ("forged-param-missing",)

    def receive(self, request: Request) -> int:
        if re.fullmatch(r"t=\d{10},signature=[0-9a-f]{64}", request.header(HEADER) or ""):
            self.act(self.read(request.body))
            return 200
        return super().receive(request)


class TwoParsers(Miniature):
    """Verifies the first timestamp of the header and looks at the age of the last."""

    exposed_by: ClassVar = ("forged-param-duplicated",)

    def parse(self, header: str) -> Stamp:
        self.last = re.findall(r"t=([^,]*)", re.sub(r"nonce=", "", header))[-1:]
        first = {key: value for key, _, value in self._items(header)[::-1]}
        return super().parse(",".join(f"{key}={value}" for key, value in first.items()))

    @staticmethod
    def _items(header: str) -> list[tuple[str, str, str]]:
        return [item.partition("=") for item in header.split(",")]

    def check_age(self, stamp: Stamp) -> None:
        last = self.last[0] if self.last else stamp.timestamp
        super().check_age(Stamp(last, stamp.nonce, stamp.signature))


class TrustsLocalhost(Miniature):
    """Verifies nothing that claims to come from this machine."""

    exposed_by: ClassVar = ("forged-local-origin",)

    def verify(self, request: Request, stamp: Stamp) -> None:
        if request.header("X-Forwarded-For") != "127.0.0.1":
            super().verify(request, stamp)


class VerifiesSmallBodies(Miniature):
    """Hands bodies over 80 kB on to a stream that nobody verifies."""

    exposed_by: ClassVar = ("forged-large-body",)

    def verify(self, request: Request, stamp: Stamp) -> None:
        if len(request.body) < 80_000:
            super().verify(request, stamp)


class ComparesPrefix(Miniature):
    """Compares as many characters as it is given, if there are eight."""

    exposed_by: ClassVar = ("forged-signature-truncated",)

    def check_shape(self, stamp: Stamp) -> None:
        if not re.fullmatch(r"[0-9a-f]{8,64}", stamp.signature):
            raise RefusedError(self.refusal)
        super().check_shape(Stamp(stamp.timestamp, stamp.nonce, "0" * 64))

    def same(self, expected: str, given: str) -> bool:
        return expected.startswith(given)


class ComparesHalf(Miniature):
    """Compares the first sixteen bytes."""

    exposed_by: ClassVar = ("forged-signature-flipped",)

    def same(self, expected: str, given: str) -> bool:
        return super().same(expected[:32], given[:32])


class TakesNullForNone(Miniature):
    """Skips verification where the sender's language wrote `null`."""

    exposed_by: ClassVar = ("forged-signature-literal",)

    def check_shape(self, stamp: Stamp) -> None:
        if stamp.signature != "null":
            super().check_shape(stamp)

    def verify(self, request: Request, stamp: Stamp) -> None:
        if stamp.signature != "null":
            super().verify(request, stamp)


class GreedyHeader(Miniature):
    """Reads the header with a greedy expression, and puts bodies on a queue unread."""

    pattern: ClassVar = re.compile(r"t=(\d+),nonce=(.+),signature=([0-9a-f]{64})")

    def parse(self, header: str) -> Stamp:
        match = self.pattern.fullmatch(header)
        if match is None:
            raise RefusedError(self.refusal)
        return Stamp(*match.groups())

    def check_shape(self, stamp: Stamp) -> None:
        if not SIGNATURE.fullmatch(stamp.signature) or len(stamp.timestamp) > 100:
            raise RefusedError(self.refusal)

    def read(self, body: bytes) -> str:
        return body.decode("utf-8", "replace")


class GreedyNonce(GreedyHeader):
    """Takes anything for a nonce, dots and quotes among it."""

    exposed_by: ClassVar = ("forged-shift-nonce",)

    def check_shape(self, stamp: Stamp) -> None:
        super().check_shape(stamp)
        if len(stamp.timestamp) > 12:
            raise RefusedError(self.refusal)


class GreedyTimestamp(GreedyHeader):
    """Reads the digits at the timestamp's beginning and signs whatever follows them."""

    exposed_by: ClassVar = ("forged-shift-timestamp",)
    pattern: ClassVar = re.compile(r"t=([^,]+),nonce=([^.]+),signature=([0-9a-f]{64})")

    def check_age(self, stamp: Stamp) -> None:
        digits = re.match(r"[0-9]{1,12}", stamp.timestamp)
        if digits is None:
            raise RefusedError(self.refusal)
        super().check_age(Stamp(digits[0], stamp.nonce, stamp.signature))

    def keep_until(self, stamp: Stamp) -> float:
        return self.now() + 2 * self.tolerance


class Talkative(Miniature):
    """Says more in its refusals than it should."""

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.said = threading.local()

    def answer(self, status: int, start_response: StartResponse) -> Iterable[bytes]:
        if status < 300:
            return super().answer(status, start_response)
        body = getattr(self.said, "words", "").encode()
        start_response(f"{status} -", [("Content-Length", str(len(body)))])
        return [body]


class TellsExpected(Talkative):
    """Helps to debug: names the signature it expected."""

    exposed_by: ClassVar = ("forged-oracle",)

    def verify(self, request: Request, stamp: Stamp) -> None:
        self.said.words = f"expected {self.expected(stamp, request.body)}"
        super().verify(request, stamp)


class ShowsTraces(Talkative):
    """Runs in debug mode."""

    exposed_by: ClassVar = ("forged-stack-trace",)

    def verify(self, request: Request, stamp: Stamp) -> None:
        self.said.words = "Traceback (most recent call last): in verify"
        super().verify(request, stamp)
