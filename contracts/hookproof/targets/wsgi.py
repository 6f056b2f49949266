"""A WSGI application in this process as a target: called directly, with real threads for a race."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import TYPE_CHECKING, final
from urllib.parse import unquote_to_bytes, urlsplit

from hookproof.targets.base import PLAIN, Capability, Exchange, Failure, Framing
from hookproof_spec.request import Header, Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LIMIT = 65_536
"""How many bytes of an answer's body are kept."""


@final
class WsgiTarget:
    """Calls an application as a server would. An exception in it becomes the answer 500.

    Duplicate header lines are joined with a comma, as WSGI servers do. `host` is what requests name
    as theirs, "" for that of their address.
    """

    def __init__(self, app: WSGIApplication, path: str = "/webhook", *, host: str = "") -> None:
        self._app = app
        self._host = host
        self._url = f"http://in-process{path}"

    @property
    def url(self) -> str:
        """The address that requests carry; it names no host on a network."""
        return self._url

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Several requests at once; the wire itself is not there."""
        return frozenset({Capability.TOGETHER})

    def send(self, request: Request, framing: Framing = PLAIN) -> Exchange:
        """Call the application with a request; pauses and connections have no meaning here."""
        answer = _Answer()
        begun = time.perf_counter()
        try:
            environ = _environ(request, framing, self._host)
            body = answer.read(self._app(environ, answer.start_response))
        except Exception as error:
            return Exchange(
                request=request,
                status=500,
                seconds=time.perf_counter() - begun,
                detail=f"the application raised {type(error).__name__}",
            )
        if answer.status is None:
            return Exchange(request=request, failure=Failure.GARBAGE, detail="no status was given")
        return Exchange(
            request=request,
            status=answer.status,
            headers=tuple(answer.headers),
            body=body[:LIMIT],
            cut=len(body) > LIMIT,
            seconds=time.perf_counter() - begun,
        )

    def send_all(self, requests: Sequence[Request], *, together: bool = False) -> list[Exchange]:
        """Call the application from as many threads as there are requests, all starting at once."""
        if not requests:
            return []
        barrier = Barrier(len(requests))

        def call(request: Request) -> Exchange:
            barrier.wait()
            return self.send(request)

        with ThreadPoolExecutor(len(requests)) as threads:
            return list(threads.map(call, requests))

    def converse(self, requests: Iterable[Request]) -> list[Exchange]:
        """Call the application with each request in turn."""
        return [self.send(request) for request in requests]

    def close(self) -> None:
        """Nothing is held."""


@dataclass(slots=True)
class _Answer:
    status: int | None = None
    headers: list[Header] = field(default_factory=list)
    written: list[bytes] = field(default_factory=list)

    def start_response(
        self, status: str, headers: list[Header], exc_info: object = None
    ) -> Callable[[bytes], object]:
        self.status = int(status.split(" ", 1)[0])
        self.headers = list(headers)
        return self.written.append

    def read(self, chunks: Iterable[bytes]) -> bytes:
        try:
            self.written.extend(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        return b"".join(self.written)


def _environ(request: Request, framing: Framing, host: str) -> dict[str, object]:
    url = urlsplit(request.url)
    environ: dict[str, object] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname or "in-process",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": host or url.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme or "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ.update(_header_variables(request.headers))
    if framing.chunked:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    else:
        environ["CONTENT_LENGTH"] = str(len(request.body))
    return environ


def _header_variables(headers: Iterable[Header]) -> Mapping[str, str]:
    variables: dict[str, str] = {}
    for name, value in headers:
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        variables[key] = f"{variables[key]},{value}" if key in variables else value
    return variables
