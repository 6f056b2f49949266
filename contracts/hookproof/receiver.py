"""The reference receiver: what a receiver of signed webhooks does, in the order in which it must.

Read the whole body, verify, claim the nonce, act, commit, acknowledge. A refusal has one constant
body for its kind, tells nothing of keys or digests, and leaves nothing behind. `demo` and `listen`
run it; teams may read it as a model, or take `request_from_environ` and `RequestValidator` from it.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, final
from urllib.parse import quote

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Response
from werkzeug.wsgi import get_input_stream

from hookproof.nonces import Claim, NonceStore
from hookproof.serving import RAW_HEADERS
from hookproof.serving import serve as serve_receiver
from hookproof.validators import RequestValidator
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Header, Request
from hookproof_spec.scheme import OnRetry
from hookproof_spec.signing import Reason, Verification

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from hookproof_spec.webhook import Webhook

MIB = 1024 * 1024
DRAIN_LIMIT = 16 * MIB
"""How many bytes beyond the limit are read and dropped, so that a sender hears the refusal."""
NAMES_KEPT = 1_000
"""How many nonces `/effects` lists, as each reading has the cost of all; the count goes on."""

__all__ = [
    "Effects",
    "ReceivedEvent",
    "create_receiver",
    "read_body",
    "request_from_environ",
    "serve_receiver",
]

log = logging.getLogger(__name__)

STATUS = {
    Reason.MISSING_HEADER: HTTPStatus.UNAUTHORIZED,
    Reason.MALFORMED_HEADER: HTTPStatus.BAD_REQUEST,
    Reason.MALFORMED_NONCE: HTTPStatus.BAD_REQUEST,
    Reason.WRONG_SIGNATURE: HTTPStatus.UNAUTHORIZED,
    Reason.STALE: HTTPStatus.UNAUTHORIZED,
    Reason.FROM_THE_FUTURE: HTTPStatus.UNAUTHORIZED,
    Reason.REPLAYED: HTTPStatus.CONFLICT,
    Reason.WRONG_MEDIA_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Reason.INVALID_PAYLOAD: HTTPStatus.UNPROCESSABLE_ENTITY,
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """An accepted delivery on its way to its effect.

    Only what the scheme signs is proven: the body, seldom the URL or any other header.
    """

    webhook: Webhook
    request: Request
    verification: Verification


OnEvent = Callable[[ReceivedEvent], None]
OnVerdict = Callable[[Request, Verification], None]


def request_from_environ(environ: WSGIEnvironment, body: bytes) -> Request:
    """Return what arrived as a `Request`; the body has been read by the caller.

    Under our own server the header lines are exact. Under others they are what WSGI leaves of
    them: capital names, and lines of one name joined by a comma.
    """
    lines = environ.get(RAW_HEADERS)
    return Request(
        method=environ["REQUEST_METHOD"],
        url=_url(environ),
        headers=tuple(lines) if lines is not None else tuple(_headers(environ)),
        body=body,
    )


def _url(environ: WSGIEnvironment) -> str:
    path = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not path:
        decoded = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        path = quote(decoded.encode("latin-1", "replace"), "/:;,=@&+$!*'()~")
        path += f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    if not path.startswith("/"):
        return str(path)
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return f"{environ['wsgi.url_scheme']}://{host}{path}"


def _headers(environ: WSGIEnvironment) -> Iterable[Header]:
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            yield key[5:].replace("_", "-").title(), value
        elif key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield key.replace("_", "-").title(), value


def read_body(environ: WSGIEnvironment, limit: int) -> bytes | None:
    """Return the whole body, chunked or not; None when it is longer than the limit.

    What is too long is read on and dropped, up to `DRAIN_LIMIT`.

    Raises:
        OSError: it did not arrive whole, or its chunks are malformed.
    """
    stream = get_input_stream(environ)
    parts: list[bytes] = []
    size = 0
    while size <= limit + DRAIN_LIMIT and (part := stream.read(64 * 1024)):
        size += len(part)
        if size <= limit:
            parts.append(part)
    return b"".join(parts) if size <= limit else None


@final
class Effects:
    """What has been processed: how many, and the last `NAMES_KEPT` nonces."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processed = 0
        self._nonces: deque[str] = deque(maxlen=NAMES_KEPT)

    def add(self, nonce: str | None) -> None:
        """Count one effect."""
        with self._lock:
            self._processed += 1
            if nonce is not None:
                self._nonces.append(nonce)

    def report(self, *, named: bool) -> dict[str, object]:
        """Return what an effects probe reads; the nonces only where every effect has one."""
        with self._lock:
            names: dict[str, object] = {"nonces": list(self._nonces)} if named else {}
            return {"processed": self._processed, **names}


@final
@dataclass(frozen=True, slots=True)
class _Receiver:
    validator: RequestValidator
    effects: Effects
    on_event: OnEvent | None
    on_verdict: OnVerdict | None
    clock: Callable[[], float]
    path: str
    ignores_replays: bool
    limit: int

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._answer(environ)(environ, start_response)

    def _answer(self, environ: WSGIEnvironment) -> Response:
        # Even a request that is refused by its path is read, or its body would be taken for the
        # next request of the connection.
        try:
            body = read_body(environ, self.limit)
        except (OSError, ClientDisconnected):
            return _refusal(HTTPStatus.BAD_REQUEST, "the body did not arrive whole")
        if environ["PATH_INFO"] == "/effects":
            return self._show_effects(environ["REQUEST_METHOD"])
        if environ["PATH_INFO"] != self.path:
            return _refusal(HTTPStatus.NOT_FOUND, "nothing here")
        method = self.validator.webhook.method.upper()
        if environ["REQUEST_METHOD"] != method:
            return _not_allowed(method)
        if body is None:
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")
        return self._receive(request_from_environ(environ, body))

    def _receive(self, request: Request) -> Response:
        now = self.clock()
        try:
            verdict = self.validator.judge(request, now)
            claim = self.validator.claim(verdict, now)
            verdict = self.validator.after_claim(verdict, claim)
            if not verdict.accepted:
                self._tell(request, verdict)
                return self._refuse(verdict, claim)
            with self.validator.settling(verdict):
                self._tell(request, verdict)
                self._act(request, verdict)
        except Exception:
            # The one door to code of others, the handler and the store: whatever they raise, the
            # sender must hear that its event was not taken, and in our words.
            log.exception("an event could not be processed")
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "not processed, try again")
        return _answer(HTTPStatus.OK, {"status": "processed"})

    def _tell(self, request: Request, verdict: Verification) -> None:
        if self.on_verdict is not None:
            self.on_verdict(request, verdict)

    def _act(self, request: Request, verdict: Verification) -> None:
        if self.on_event is not None:
            event = ReceivedEvent(
                webhook=self.validator.webhook, request=request, verification=verdict
            )
            self.on_event(event)
        self.effects.add(verdict.nonce)

    def _refuse(self, verdict: Verification, claim: Claim | None) -> Response:
        # Only a spent nonce may be acknowledged: what is still in flight may yet fail, and its
        # sender would never try again.
        if self.ignores_replays and claim is Claim.SPENT:
            return _answer(HTTPStatus.OK, {"status": "already processed"})
        if verdict.reason is None:
            raise ValueError("an accepted request has no refusal")
        log.info("refused: %s: %s", verdict.reason, verdict.detail)
        return _refusal(STATUS[verdict.reason], verdict.reason.value)

    def _show_effects(self, method: str) -> Response:
        if method not in ("GET", "HEAD"):
            return _not_allowed("GET")
        return _answer(HTTPStatus.OK, self.effects.report(named=self.validator.sees_nonces))


def _answer(status: HTTPStatus, content: dict[str, object]) -> Response:
    return Response(json.dumps(content) + "\n", status, content_type="application/json")


def _refusal(status: HTTPStatus, error: str) -> Response:
    response = _answer(status, {"error": error})
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Webhook-Signature"
    return response


def _not_allowed(method: str) -> Response:
    response = _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "another method")
    response.headers["Allow"] = method
    return response


def create_receiver(
    webhook: Webhook,
    secrets: str | Iterable[str] | None,
    *,
    nonces: NonceStore,
    on_event: OnEvent | None = None,
    on_verdict: OnVerdict | None = None,
    clock: Callable[[], float] = time.time,
    path: str = "/webhook",
    replay: Literal["reject", "ignore"] | None = None,
    tolerance: float | None = None,
    limit: int = MIB,
) -> WSGIApplication:
    """Return a WSGI application that receives one webhook, and shows its effects at `/effects`.

    Args:
        webhook: what is received.
        secrets: the secrets that are valid now; None to take unsigned requests, where the document
            allows them.
        nonces: where nonces are remembered; shared by all workers.
        on_event: the effect, called once an event and by several threads at a time. When it raises,
            the answer is 500 and the sender's retry is processed.
        on_verdict: told of every judged request, also the refused ones, before any effect.
        clock: Unix seconds.
        path: where the webhook is received; exactly this, nothing is redirected.
        replay: answer a replay with 409, or acknowledge and ignore it. By default it is ignored
            where the scheme says that a retry keeps its nonce, and refused elsewhere.
        tolerance: the oldest age to accept in seconds, instead of the declared one.
        limit: the longest body in bytes; a longer one is answered with 413.

    Raises:
        HookproofError: a secret, the tolerance or the path cannot be used.
    """
    if not path.startswith("/") or path == "/effects":
        raise HookproofError(f"a receiver cannot have the path {path!r}", hint="take /webhook")
    rule = webhook.scheme.nonce
    retry_keeps_nonce = rule is not None and rule.on_retry is OnRetry.SAME
    return _Receiver(
        validator=RequestValidator(webhook, secrets, nonces=nonces, tolerance=tolerance),
        effects=Effects(),
        on_event=on_event,
        on_verdict=on_verdict,
        clock=clock,
        path=path,
        ignores_replays=retry_keeps_nonce if replay is None else replay == "ignore",
        limit=limit,
    )
