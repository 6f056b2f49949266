"""What `hookproof listen` hears: each delivery, the verdict on it, and the answer it got."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, final

from hookproof.receiver import MIB, read_body, request_from_environ
from hookproof.redact import Redactor
from hookproof.reports.console import Console, Style
from hookproof.reports.exchanges import escaped, printable, request_lines, status_words
from hookproof.reports.terminal import Detail
from hookproof.targets.base import Exchange
from hookproof_spec.request import Header, Request
from hookproof_spec.signing import Verification
from hookproof_spec.webhook import Webhook

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HOP_BY_HOP = frozenset(
    (
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers of one connection (RFC 9110, 7.6.1), which are not passed on, and the length."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One delivery. `verdict` is None when there was nothing to judge: another path or method."""

    number: int
    webhook: str
    verdict: Verification | None
    request: Request | None
    status: int | None
    seconds: float
    forwarded: bool = False
    detail: str = ""


Forward = Callable[[Request], Exchange]
"""Passes a delivery on; called by several threads at a time."""


class Show(Protocol):
    """Tells the user what is heard; called by one thread at a time."""

    def ready(self, url: str) -> None:
        """Say, once, where deliveries can be sent."""

    def heard(self, heard: Heard) -> None:
        """Say what became of a delivery."""


@final
@dataclass(slots=True, kw_only=True)
class Hearing:
    """Stands around the receiver: shows each delivery, and passes it on where that is wished."""

    webhook: Webhook
    path: str
    show: Show
    forward: Forward | None = None
    monotonic: Callable[[], float] = time.monotonic
    _count: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _here: threading.local = field(default_factory=threading.local, init=False)

    def judged(self, request: Request, verdict: Verification) -> None:
        """Take the receiver's verdict, which comes in the thread of the delivery."""
        self._here.verdict, self._here.request = verdict, request

    def around(self, app: WSGIApplication) -> WSGIApplication:
        """Return the receiver with ears. What asks for other paths is not a delivery."""

        def listening(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ["PATH_INFO"] != self.path:
                return app(environ, start_response)
            return self._hear(app, environ, start_response)

        return listening

    def _hear(
        self, app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        begun = self.monotonic()
        self._here.verdict = self._here.request = None
        answer, exchange = self._answered(app, environ)
        with self._lock:
            self._count += 1
            self.show.heard(
                Heard(
                    number=self._count,
                    webhook=self.webhook.name,
                    verdict=self._here.verdict,
                    request=self._here.request,
                    status=answer.code if exchange is None else exchange.status,
                    seconds=self.monotonic() - begun,
                    forwarded=exchange is not None,
                    detail=exchange.detail if exchange is not None else "",
                )
            )
        return answer.give(start_response)

    def _answered(
        self, app: WSGIApplication, environ: WSGIEnvironment
    ) -> tuple[Answer, Exchange | None]:
        """Return what the sender hears, and the exchange where the delivery was passed on."""
        if self.forward is None:
            return Answer.by(app, environ), None
        request = _taken(environ)
        if request is None:
            return Answer(
                "413 Content Too Large", body=b"cut, or too large to be passed on\n"
            ), None
        Answer.by(app, environ)  # for the verdict
        exchange = self.forward(_passed_on(request))
        return Answer.of(exchange), exchange


@final
@dataclass(slots=True)
class Answer:
    """An answer as WSGI has it."""

    status: str = "500 Internal Server Error"
    headers: list[Header] = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def by(cls, app: WSGIApplication, environ: WSGIEnvironment) -> Answer:
        """Return what an application answers."""
        answer = cls()

        def start(status: str, headers: list[Header], _: object = None) -> Callable[..., None]:
            answer.status, answer.headers = status, headers
            return lambda _: None

        answer.body = b"".join(app(environ, start))
        return answer

    @classmethod
    def of(cls, exchange: Exchange) -> Answer:
        """Return what a forwarded delivery was answered; 502 when nothing usable came back."""
        if exchange.status is None or exchange.status < 200:
            return cls("502 Bad Gateway", body=b"nothing usable came back\n")
        kept = [line for line in exchange.headers if line[0].lower() not in HOP_BY_HOP]
        return cls(f"{status_words(exchange.status)} ", kept, exchange.body)

    @property
    def code(self) -> int:
        """The status as a number."""
        return int(self.status[:3])

    def give(self, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, as a WSGI application does."""
        named = {name.lower() for name, _ in self.headers}
        framing = [] if "content-length" in named else [("Content-Length", str(len(self.body)))]
        start_response(self.status, [*self.headers, *framing])
        return [self.body]


def _passed_on(request: Request) -> Request:
    """Return a request to be sent elsewhere: its body and its own headers as they came."""
    left_out = HOP_BY_HOP | {"host"}
    kept = tuple(line for line in request.headers if line[0].lower() not in left_out)
    return request.with_headers(kept)


def _taken(environ: WSGIEnvironment) -> Request | None:
    """Read a request whole, and put its body back; None when it is cut or too large."""
    try:
        body = read_body(environ, MIB)
    except (OSError, ValueError):
        body = None
    if body is None:
        return None
    request = request_from_environ(environ, body)
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return request


@final
@dataclass(frozen=True, slots=True)
class TextShow:
    """Shows each delivery as a pair of lines: when quiet, only those that are not accepted."""

    console: Console
    redactor: Redactor
    detail: Detail = Detail.NORMAL
    clock: Callable[[], str] = lambda: time.strftime("%H:%M:%S")

    def ready(self, url: str) -> None:
        """Say where; see `Show.ready`."""
        self.console.line(f"listening on {url}")

    def heard(self, heard: Heard) -> None:
        """Say what; see `Show.heard`."""
        if self.detail is Detail.QUIET and _accepted(heard):
            return
        now, style = self.clock(), Style.GOOD if _accepted(heard) else Style.BAD
        verdict = self.console.paint(self._words(heard), style)
        self.console.line(f"{now}  -->  {heard.webhook}  #{heard.number}  {verdict}")
        if self.detail is Detail.VERBOSE and heard.request is not None:
            for line in request_lines(self.redactor.request(heard.request)):
                self.console.line(f"          {line}".rstrip())
        self.console.line(f"{now}  <--  {self._answer(heard)}  #{heard.number}")

    def _words(self, heard: Heard) -> str:
        if heard.verdict is None:
            return "not judged"
        if heard.verdict.reason is None:
            return "accepted"
        detail = printable(self.redactor.text(heard.verdict.detail))
        return f"refused: {heard.verdict.reason.value}" + (f": {detail}" if detail else "")

    def _answer(self, heard: Heard) -> str:
        took = f"{heard.seconds * 1000:.0f} ms"
        by = "  forwarded" if heard.forwarded else ""
        if heard.status is None:
            return f"no answer: {escaped(self.redactor.text(heard.detail))}  {took}{by}"
        return f"{status_words(heard.status)}  {took}{by}"


@final
@dataclass(frozen=True, slots=True)
class JsonShow:
    """Shows each delivery as one line of JSON."""

    console: Console
    redactor: Redactor

    def ready(self, url: str) -> None:
        """Say where; see `Show.ready`."""
        self.console.line(json.dumps({"ready": url}))

    def heard(self, heard: Heard) -> None:
        """Say what; see `Show.heard`."""
        verdict = heard.verdict or Verification()
        self.console.line(
            json.dumps(
                {
                    "number": heard.number,
                    "webhook": heard.webhook,
                    "accepted": _accepted(heard),
                    "reason": verdict.reason.value if verdict.reason else None,
                    "detail": self.redactor.text(verdict.detail or heard.detail),
                    "status": heard.status,
                    "seconds": round(heard.seconds, 6),
                    "forwarded": heard.forwarded,
                }
            )
        )


def _accepted(heard: Heard) -> bool:
    return heard.verdict is not None and heard.verdict.accepted
