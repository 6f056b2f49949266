"""The mock sender's web application: the control API, the pages, and what guards both."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, final

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.routing import Map, RequestRedirect

from hookproof_mockserver import pages, safety
from hookproof_mockserver.api import Api
from hookproof_mockserver.problems import Kind, Refusal, Refused, refuse
from hookproof_mockserver.refusals import refusal_of
from hookproof_mockserver.safety import SAFE_METHODS, BoundedRequest, Guard
from hookproof_mockserver.site import Site
from hookproof_mockserver.stream import Limits, Streams
from hookproof_spec.errors import HookproofError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from hookproof_mockserver.sender import MockSender
    from hookproof_mockserver.site import Handler

Report = Callable[[BaseException], None]

_INTERNAL = Refusal(
    kind=Kind.INTERNAL,
    detail="the sender made a mistake",
    hint="the terminal of the sender says more",
)
_WITHOUT_PAGE = frozenset(
    {
        Kind.FOREIGN_HOST,
        Kind.FOREIGN,
        Kind.BAD_REQUEST,
        Kind.LONG_URL,
        Kind.LARGE_HEADERS,
        Kind.INTERNAL,
    }
)
"""A page holds the token, which whoever was not admitted must not see, and might fail once more."""


@final
class MockApp:
    """A WSGI application for any server that gives a thread to each request.

    `token` is what changes need. `close()` ends the streams; the sender is not closed.
    """

    def __init__(self, site: Site, guard: Guard, api: Api, report: Report) -> None:
        self.token = site.token
        self._site = site
        self._guard = guard
        self._streams = api.streams
        self._report = report
        self._routes = Map(
            [*api.routes(), *pages.routes()], strict_slashes=True, merge_slashes=False
        )

    def __call__(self, environ: WSGIEnvironment, start: StartResponse, /) -> Iterable[bytes]:
        request = BoundedRequest(environ)
        response = self._answer(request)
        for name, value in safety.HEADERS.items():
            response.headers.setdefault(name, value)
        return response(environ, start)

    def close(self) -> None:
        """End all streams."""
        self._streams.close()

    def _answer(self, request: Request) -> Response:
        try:
            return self._answer_or_refusal(request)
        except Exception as error:  # a mistake of ours must not end a thread without an answer
            self._report(error)
            return self._refuse(request, _INTERNAL)

    def _answer_or_refusal(self, request: Request) -> Response:
        try:
            return self._admitted(request)
        except Refused as refused:
            return self._refuse(request, refused.refusal)
        except HookproofError as error:
            refusal = refusal_of(error)
            if refusal.kind is Kind.INTERNAL:
                self._report(error)
            return self._refuse(request, refusal)
        except RequestEntityTooLarge:
            return self._refuse(request, safety.too_large().refusal)
        except HTTPException:  # what Werkzeug cannot read: forms, and clients that left
            return self._refuse(request, refuse(Kind.BAD_REQUEST, "it cannot be read").refusal)

    def _admitted(self, request: Request) -> Response:
        self._guard.admit(request)
        safety.check_fetch(request)
        handler, values = self._route(request)
        if request.method == "OPTIONS":
            return Response(status=204, headers={"Allow": self._allowed(request)})
        if request.method not in SAFE_METHODS:
            safety.bound_chunks(request.environ)
            self._guard.admit_change(request)
        return handler(self._site, request, **values)

    def _route(self, request: Request) -> tuple[Handler, dict[str, str]]:
        adapter = self._routes.bind_to_environ(request.environ)
        try:
            if request.method == "OPTIONS" and adapter.allowed_methods():
                return _nothing, {}
            handler, values = adapter.match()
        except (NotFound, RequestRedirect):
            raise refuse(Kind.NOT_FOUND, "there is nothing at this path") from None
        except MethodNotAllowed:
            raise Refused(
                Refusal(
                    kind=Kind.METHOD,
                    detail=f"there is no {_word(request.method)} here",
                    headers={"Allow": self._allowed(request)},
                )
            ) from None
        return handler, dict(values)

    def _allowed(self, request: Request) -> str:
        adapter = self._routes.bind_to_environ(request.environ)
        return ", ".join(sorted({*adapter.allowed_methods(), "OPTIONS"}))

    def _refuse(self, request: Request, refusal: Refusal) -> Response:
        if _is_api(request.path) or refusal.kind in _WITHOUT_PAGE:
            response = refusal.response()
        else:
            response = self._page(request, refusal)
        response.headers["Cache-Control"] = "no-store"
        return response

    def _page(self, request: Request, refusal: Refusal) -> Response:
        kind = refusal.kind
        detail = f"{refusal.detail}; {refusal.hint}" if refusal.hint else refusal.detail
        page = pages.error_page(self._site, request, kind.status, kind.title, detail)
        page.headers.update(refusal.headers)
        return page


def _nothing(_site: Site, _request: Request) -> Response:
    return Response(status=204)


def _word(method: str) -> str:
    return method if method.isalpha() and len(method) <= 20 else "such method"


def _is_api(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")


def create_app(
    sender: MockSender,
    *,
    report: Report,
    allowed_hosts: Iterable[str] = (),
    token: str | None = None,
    limits: Limits | None = None,
    check_answers: bool = False,
) -> MockApp:
    """Return the application of a mock sender.

    `report` is told of mistakes of ours, which a client only sees as 500. `allowed_hosts` are Host
    names besides those of the loopback. Without a `token` one is made. With `check_answers`, an
    answer of the API that breaks its own document is an error.
    """
    site = Site(sender=sender, token=token or secrets.token_urlsafe(24), started=time.time())
    streams = Streams(sender.hub, limits or Limits())
    api = Api(sender, streams, check_answers=check_answers)
    return MockApp(site, safety.guard(site.token, allowed_hosts), api, report)
