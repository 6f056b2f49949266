"""A receiver of Mobility Work's webhook in as few words as possible, made of steps to get wrong."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from hookproof_spec.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HEADER = "X-MW-Signature"
OTHER_SECRET = "hookproof-secret-0002"
"""The secret of another webhook."""
TIMESTAMP = re.compile(r"[0-9]{1,12}")
NONCE = re.compile(r"[A-Za-z0-9_-]{8,128}")
SIGNATURE = re.compile(r"[0-9a-f]{64}")


class RefusedError(Exception):
    """The request is refused with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Stamp:
    """What the signature header said; `others` are all signatures that stood side by side."""

    def __init__(self, timestamp: str, nonce: str, signature: str) -> None:
        self.timestamp = timestamp
        self.nonce = nonce
        self.signature = signature
        self.others = [signature]


class Miniature:
    """A correct receiver. A bug is a subclass that gets one step wrong.

    `exposed_by` names the rules that must break on it, and no others may; `may_warn` the SHOULD
    rules that a correct receiver breaks on purpose. `declared` is the tolerance in seconds that its
    team tells, None where it tells none. `retries_keep_nonce` and `rotates` say so of its sender:
    the latter's header has its signatures side by side, `v1=…`. `names` is what it did: the spare
    part of each event it acted on, in order.

    `wire` says that it differs only where it is served over HTTP, see `serving`; `ignores_forged`
    that its team declares to acknowledge forgeries without acting on them; `defends_itself` that it
    bans or puts off whoever tests it, so that little can be proven. `judged_by` names the rules it
    is tried with, where all of them would take too long.
    """

    exposed_by: ClassVar[tuple[str, ...]] = ()
    declared: ClassVar[float | None] = 3600
    retries_keep_nonce: ClassVar[bool] = False
    rotates: ClassVar[bool] = False
    unsigned: ClassVar[bool] = False
    may_warn: ClassVar[tuple[str, ...]] = ()
    wire: ClassVar[bool] = False
    ignores_forged: ClassVar[bool] = False
    defends_itself: ClassVar[bool] = False
    judged_by: ClassVar[tuple[str, ...]] = ()
    refusal: ClassVar[int] = 401
    replay_status: ClassVar[int] = 409
    tolerance: ClassVar[float] = 3600
    skew: ClassVar[float] = 60

    def __init__(self, secret: str) -> None:
        self.secret = secret.encode()
        self.names: list[str] = []
        self.nonces: dict[str, float] = {}
        self.lock = threading.Lock()
        self.ahead = 0.0
        self.failing = False

    # --- the steps --------------------------------------------------------------------------

    def receive(self, request: Request) -> int:
        """Return the status for a request, having acted on it or not."""
        if request.method != "POST":
            return 405
        stamp = self.parse(self.header(request))
        self.check_shape(stamp)
        self.verify(request, stamp)
        self.check_age(stamp)
        event = self.read(request.body)
        if not self.claim(stamp, request.body):
            return self.replay_status
        if self.failing:
            self.failing = False
            self.release(stamp, request.body)
            return 500
        self.act(event)
        return 200

    def header(self, request: Request) -> str:
        """Return the signature header."""
        values = request.header_values(HEADER)
        if len(values) != 1 or not values[0]:
            raise RefusedError(self.refusal)
        return values[0]

    def parse(self, header: str) -> Stamp:
        """Take the header apart."""
        items: dict[str, str] = {}
        for item in header.split(","):
            key, equals, value = item.partition("=")
            if not equals or key in items:
                raise RefusedError(self.refusal)
            items[key] = value
        if set(items) != {"t", "nonce", "signature"}:
            raise RefusedError(self.refusal)
        return Stamp(items["t"], items["nonce"], items["signature"])

    def check_shape(self, stamp: Stamp) -> None:
        """Refuse values that cannot be genuine before anything is computed from them."""
        if not (
            TIMESTAMP.fullmatch(stamp.timestamp)
            and NONCE.fullmatch(stamp.nonce)
            and SIGNATURE.fullmatch(stamp.signature)
        ):
            raise RefusedError(self.refusal)

    def verify(self, request: Request, stamp: Stamp) -> None:
        """Refuse a signature that the secret did not make."""
        if not self.same(self.expected(stamp, request.body), stamp.signature):
            raise RefusedError(self.refusal)

    def same(self, expected: str, given: str) -> bool:
        """Compare two signatures."""
        return hmac.compare_digest(expected.encode(), given.encode("latin-1"))

    def expected(self, stamp: Stamp, body: bytes) -> str:
        """Return the signature that this request must carry."""
        return self.digest(self.signed(stamp, body))

    def digest(self, content: bytes) -> str:
        """Return the HMAC of some content."""
        return hmac.new(self.secret, content, hashlib.sha256).hexdigest()

    def signed(self, stamp: Stamp, body: bytes) -> bytes:
        """Return the bytes that are signed."""
        return f"{stamp.timestamp}.{stamp.nonce}.".encode("latin-1") + body

    def check_age(self, stamp: Stamp) -> None:
        """Refuse what is too old, or from the future."""
        age = self.now() - int(stamp.timestamp)
        if age > self.tolerance or age < -self.skew:
            raise RefusedError(self.refusal)

    def now(self) -> float:
        """Return the time in Unix seconds."""
        return time.time() + self.ahead

    def read(self, body: bytes) -> str:
        """Return the spare part that the event is about."""
        try:
            event = json.loads(body)
            name = event["sparePart"]["sparePartId"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RefusedError(422) from error
        if not isinstance(name, str):
            raise RefusedError(422)
        return name

    def claim(self, stamp: Stamp, body: bytes) -> bool:
        """Take the nonce if nobody has; it is kept until its message is too old."""
        key = self.key(stamp, body)
        with self.lock:
            if self.nonces.get(key, -1) >= self.now():
                return False
            self.nonces[key] = self.keep_until(stamp)
            return True

    def key(self, stamp: Stamp, body: bytes) -> str:
        """Return what identifies the request."""
        return stamp.nonce

    def keep_until(self, stamp: Stamp) -> float:
        """Return until when the nonce is remembered."""
        return int(stamp.timestamp) + self.tolerance

    def release(self, stamp: Stamp, body: bytes) -> None:
        """Give the nonce back, as the event was not processed."""
        with self.lock:
            self.nonces.pop(self.key(stamp, body), None)

    def act(self, event: str) -> None:
        """Do what the event asks for."""
        with self.lock:
            self.names.append(event)

    # --- ways in for a test -----------------------------------------------------------------

    def restart(self, environment: Mapping[str, str]) -> None:
        """Stop and start; the store of nonces is on disk and stays."""

    def sibling(self) -> Miniature:
        """Return another instance with the same store."""
        other = type(self)(self.secret.decode())
        vars(other).update(vars(self))
        return other

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self.ahead += seconds

    def fail_once(self) -> None:
        """Let the handler of the next event fail."""
        self.failing = True

    # --- the way in -------------------------------------------------------------------------

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve as a WSGI application; a bug that raises becomes the server's 500.

        `GET /effects` answers with the names of the events acted on, for a probe.
        """
        request = _request(environ)
        if (request.method, request.url) == ("GET", "/effects"):
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(self.names).encode()]
        return self.respond(request, start_response)

    def respond(self, request: Request, start_response: StartResponse) -> Iterable[bytes]:
        """Receive a request and answer it."""
        try:
            status = self.receive(request)
        except RefusedError as refused:
            status = refused.status
        return self.answer(status, start_response)

    def answer(self, status: int, start_response: StartResponse) -> Iterable[bytes]:
        """Send a status and a short text."""
        body = b"ok" if status < 300 else b"refused"
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response(f"{status} -", headers)
        return [body]


def _request(environ: WSGIEnvironment) -> Request:
    headers = [
        (key[5:].replace("_", "-"), value)
        for key, value in environ.items()
        if key.startswith("HTTP_")
    ]
    headers += [
        (key.replace("_", "-"), environ[key])
        for key in ("CONTENT_TYPE", "CONTENT_LENGTH")
        if environ.get(key)
    ]
    length = environ.get("CONTENT_LENGTH")
    chunked = "HTTP_TRANSFER_ENCODING" in environ  # else a body without a length is none at all
    size = int(length) if length else -1 if chunked else 0
    body = environ["wsgi.input"].read(size)
    url = environ["PATH_INFO"] + ("?" + query if (query := environ.get("QUERY_STRING")) else "")
    return Request(environ["REQUEST_METHOD"], url, tuple(headers), body)
