"""A signed request through an application in this process, beside other test clients.

The reference calls the application directly, with an environ or a scope made by hand.

    .venv/bin/python benchmarks/in_process.py [--json FILE]
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from measuring import Row, calls, in_environment, report

if TYPE_CHECKING:
    from hookproof_spec.request import Request

PEERS = ["flask", "fastapi", "httpx", "werkzeug", "python-multipart"]
BODY = b'{"_event":"Spare part was out of stock"}'.ljust(449)
HEADERS = (("Content-Type", "application/json"), ("X-MW-Signature", "t=1,nonce=2,signature=3"))


def main() -> None:
    report([_wsgi(), _asgi()], PEERS)


def _request(url: str) -> Request:
    from hookproof_spec.request import Request

    return Request("POST", url, HEADERS, BODY)


def _wsgi() -> Row:
    from flask import Flask, request
    from werkzeug.test import Client

    from hookproof.targets.wsgi import WsgiTarget

    app = Flask("receiver")

    @app.post("/webhook")
    def webhook() -> str:
        request.get_data()
        return "ok"

    target = WsgiTarget(app, "/webhook")
    ours = _request(target.url)
    client = Client(app)

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> object:
        return None

    def direct() -> bytes:
        environ = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": "/webhook",
            "QUERY_STRING": "",
            "SERVER_NAME": "in-process",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(BODY)),
            "HTTP_X_MW_SIGNATURE": HEADERS[1][1],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(BODY),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        return b"".join(app(environ, start))

    return calls(
        "WSGI (Flask), a request through the target",
        {
            "calling the app": direct,
            "hookproof": lambda: target.send(ours),
            "Werkzeug's client": lambda: (
                client.post("/webhook", data=BODY, headers=list(HEADERS)).data
            ),
        },
        goal="at most 1.15 x calling the app",
    )


def _asgi() -> Row:
    import httpx
    from fastapi import FastAPI, Request
    from fastapi.testclient import TestClient

    from hookproof.targets.asgi import AsgiTarget

    app = FastAPI()

    async def webhook(request: Request) -> str:
        await request.body()
        return "ok"

    webhook.__annotations__["request"] = Request
    app.post("/webhook")(webhook)
    target = AsgiTarget(app, "/webhook")
    ours = _request(target.url)
    loop = asyncio.new_event_loop()
    client = TestClient(app)
    transport = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://in-process")
    row = calls(
        "ASGI (FastAPI), a request through the target",
        {
            "calling the app": _direct(app, loop),
            "hookproof": lambda: target.send(ours),
            "httpx.ASGITransport": lambda: loop.run_until_complete(
                transport.post("/webhook", content=BODY, headers=list(HEADERS))
            ),
            "Starlette's TestClient": lambda: client.post(
                "/webhook", content=BODY, headers=dict(HEADERS)
            ),
        },
        goal="at most 1.2 x calling the app",
    )
    target.close()
    loop.run_until_complete(transport.aclose())
    loop.close()
    return row


def _direct(app: Any, loop: asyncio.AbstractEventLoop) -> Callable[[], object]:  # noqa: ANN401
    raw = [(name.lower().encode(), value.encode()) for name, value in HEADERS]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: MutableMapping[str, object]) -> None:
        pass

    async def call() -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/webhook",
            "raw_path": b"/webhook",
            "query_string": b"",
            "root_path": "",
            "headers": [*raw, (b"content-length", str(len(BODY)).encode())],
            "client": ("127.0.0.1", 1),
            "server": ("in-process", 80),
            "state": {},
        }
        await app(scope, receive, send)

    return lambda: loop.run_until_complete(call())


if __name__ == "__main__":
    in_environment("in-process", PEERS)
    main()
