"""The mock sender's site over real sockets, with a small client that says exactly what it sends."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from hookproof_mockserver.app import MockApp, create_app
from hookproof_mockserver.sender import Forge, MockSender, NoForge, Setup
from hookproof_mockserver.server import serve
from hookproof_mockserver.stream import Limits
from hookproof_spec import pointers
from hookproof_spec.documents import load
from hookproof_spec.webhook import Document, JsonValue

TOKEN = "canary-token-5f1d"
PATIENCE = 20.0


@cache
def spare_parts() -> Document:
    """Return Mobility Work's document."""
    return load("mobility-work")


@dataclass(frozen=True)
class Answer:
    """What came back: a status, headers by lower-case name, a body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, JsonValue]:
        """The body's JSON object."""
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value

    def at(self, pointer: str) -> JsonValue:
        """The value at a JSON pointer of the body."""
        return pointers.get(self.json, pointer)

    @property
    def id(self) -> str:
        """The id of the thing in the body."""
        return str(self.json["id"])


@dataclass(frozen=True)
class MockSite:
    """A running site: its sender, its application, its address, and the errors it reported."""

    sender: MockSender
    app: MockApp
    url: str
    errors: list[BaseException] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def ask(
        self,
        method: str,
        path: str,
        body: JsonValue | bytes = None,
        *,
        token: str | None = TOKEN,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; a body that is no bytes is sent as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {} if body is None else {"Content-Type": "application/json"}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        sent |= headers or {}
        connection = HTTPConnection(*self.address, timeout=PATIENCE)
        try:
            connection.request(method, path, None if body is None else raw, sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        """Read something, as anybody may."""
        return self.ask("GET", path, token=None)

    def post(self, path: str, body: JsonValue | bytes = None) -> Answer:
        """Change something, with the token."""
        return self.ask("POST", path, body)


def setup(
    document: Document,
    *,
    store: Path | None = None,
    forge: Forge | None = None,
    errors: list[BaseException] | None = None,
) -> Setup:
    """Return a set-up for a test: in memory unless a store is named, loopback receivers only."""
    kept: list[BaseException] = [] if errors is None else errors
    return Setup(
        document=document,
        store=store,
        forge=forge or NoForge(),
        random=random.Random(7),
        workers=8,
        on_error=kept.append,
    )


@contextmanager
def mock_site(
    document: Document | None = None,
    *,
    store: Path | None = None,
    forge: Forge | None = None,
    allowed_hosts: tuple[str, ...] = (),
    limits: Limits | None = None,
) -> Iterator[MockSite]:
    """Run a site; what its threads report is in `errors`. Answers are checked by its document."""
    errors: list[BaseException] = []
    made = setup(document or spare_parts(), store=store, forge=forge, errors=errors)
    with MockSender(made) as sender:
        app = create_app(
            sender,
            report=errors.append,
            allowed_hosts=allowed_hosts,
            token=TOKEN,
            limits=limits,
            check_answers=True,
        )
        with serve(app, report=errors.append) as running:
            yield MockSite(sender, app, running.url, errors)


def deaf_url(port: int = 9) -> str:
    """Return the URL of a receiver that is not there (the discard port, closed everywhere)."""
    return f"http://127.0.0.1:{port}/webhook"
