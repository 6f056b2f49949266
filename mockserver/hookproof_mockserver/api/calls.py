"""What a handler of the API is given and what it returns."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from werkzeug import Response

if TYPE_CHECKING:
    from hookproof_mockserver.sender import MockSender
    from hookproof_mockserver.site import Site
    from hookproof_mockserver.stream import Streams
    from hookproof_spec.webhook import JsonValue


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that fits the document.

    `ids` are the path's, `parameters` those of query and header that were given, `body` is the
    JSON value; `target` is the path and query as they were asked for.
    """

    site: Site
    streams: Streams
    document: Mapping[str, JsonValue]
    ids: Mapping[str, str]
    parameters: Mapping[str, JsonValue]
    body: JsonValue
    path: str
    head: bool = False

    @property
    def sender(self) -> MockSender:
        """The mock sender behind the API."""
        return self.site.sender

    @property
    def members(self) -> Mapping[str, JsonValue]:
        """The members of the body; none where it is no object."""
        return self.body if isinstance(self.body, dict) else {}

    def text(self, name: str) -> str | None:
        """Return a text among parameters or members, None where it was not given."""
        value = self.parameters.get(name, self.members.get(name))
        return value if isinstance(value, str) else None

    def flag(self, name: str, default: bool) -> bool:
        """Return a boolean member of the body."""
        value = self.members.get(name)
        return value if isinstance(value, bool) else default

    def whole(self, name: str, default: int) -> int:
        """Return an integer among parameters or members; 5.0 is one too."""
        value = self.parameters.get(name, self.members.get(name))
        return int(value) if isinstance(value, int | float) else default


@final
@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a JSON value (None for no body at all) and headers besides."""

    status: int
    value: JsonValue
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """Return it as a response; it is not stored, since it is data."""
        if self.status == 204:
            answer = Response(status=204)
            del answer.headers["Content-Type"]
        else:
            answer = Response(_json(self.value), self.status, content_type="application/json")
        answer.headers["Cache-Control"] = "no-store"
        answer.headers.update(self.headers)
        return answer


def _json(value: JsonValue) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def created(path: str, value: JsonValue) -> Answer:
    """Return the answer for a thing that was made, and where it is found."""
    return Answer(201, value, {"Location": path})


Handler = Callable[[Call], Answer | Response]
