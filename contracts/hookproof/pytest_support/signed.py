"""What the fixture `webhook` gives: a signed payload for any test client, and an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict, final

from hookproof.targets.base import Exchange
from hookproof_spec.request import Header, Request
from hookproof_spec.webhook import JsonValue


class FlaskArguments(TypedDict):
    """Arguments of Flask's, Werkzeug's and aiohttp's test clients, and of requests."""

    data: bytes
    headers: dict[str, str]


class DjangoArguments(TypedDict):
    """Arguments of Django's test client."""

    data: bytes
    content_type: str
    headers: dict[str, str]


class HttpxArguments(TypedDict):
    """Arguments of httpx and of what is made of it: FastAPI's and Starlette's test clients."""

    content: bytes
    headers: dict[str, str]


@final
@dataclass(frozen=True, slots=True)
class SignedPayload:
    """A body and the headers that sign it; give both to a test client as they are.

    `client.post("/webhook", **signed.flask)`, or `.django`, or `.httpx` (FastAPI, Starlette).
    """

    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, request: Request) -> SignedPayload:
        """Take them from a signed request."""
        return cls(dict(request.headers), request.body)

    @property
    def flask(self) -> FlaskArguments:
        """For the test clients of Flask, Werkzeug and aiohttp, and for requests."""
        return {"data": self.body, "headers": self.headers}

    @property
    def httpx(self) -> HttpxArguments:
        """For httpx, and the test clients of FastAPI and Starlette."""
        return {"content": self.body, "headers": self.headers}

    @property
    def django(self) -> DjangoArguments:
        """For Django's test client, which takes the content type by itself."""
        others = {k: v for k, v in self.headers.items() if k.lower() != "content-type"}
        return {
            "data": self.body,
            "content_type": self.headers.get("Content-Type", "application/json"),
            "headers": others,
        }

    def __iter__(self) -> Iterator[object]:
        """Let `headers, body = webhook.sign(payload)` take it apart."""
        return iter((self.headers, self.body))


@final
@dataclass(frozen=True, slots=True)
class Delivered:
    """A request that was sent to the receiver, its answer, and what it did.

    `effects` is how many effects the probe counted more than before; None without a probe. `note`
    says how the request differs from a genuine one.
    """

    exchange: Exchange
    effects: int | None = None
    note: str = ""

    @property
    def request(self) -> Request:
        """The request, byte for byte."""
        return self.exchange.request

    @property
    def status(self) -> int | None:
        """The answer's status; None where there was no answer, see `exchange.detail`."""
        return self.exchange.status

    @property
    def headers(self) -> tuple[Header, ...]:
        """The answer's header lines."""
        return self.exchange.headers

    @property
    def body(self) -> bytes:
        """The answer's body."""
        return self.exchange.body

    @property
    def accepted(self) -> bool:
        """Whether the answer was 2xx."""
        return self.status is not None and 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """Return the first value of an answer's header, found whatever its case."""
        return self.exchange.header(name)

    def json(self) -> JsonValue:
        """Return the answer's body as JSON.

        Raises:
            ValueError: it is none.
        """
        value: JsonValue = json.loads(self.body)
        return value
