"""Refusals as problem details (RFC 9457): what a client is told, and nothing it should not know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import final

from werkzeug import Response

REFERENCE = "/api"
MEDIA_TYPE = "application/problem+json"


class Kind(Enum):
    """Every kind of refusal: its name, its status, its title."""

    BAD_REQUEST = ("bad-request", 400, "The request cannot be read")
    NO_TOKEN = ("no-token", 401, "The token is missing or wrong")
    FOREIGN = ("foreign-origin", 403, "The request comes from another site")
    PLAN = ("plan", 403, "The plan has no webhooks")
    NOT_FOUND = ("not-found", 404, "There is no such thing")
    METHOD = ("method-not-allowed", 405, "The method is not allowed here")
    CONFLICT = ("conflict", 409, "It does not fit how things are now")
    TOO_LARGE = ("too-large", 413, "The body is too large")
    LONG_URL = ("uri-too-long", 414, "The URL is too long")
    MEDIA = ("unsupported-media-type", 415, "The body is of another media type")
    FOREIGN_HOST = ("foreign-host", 421, "The Host is none of this sender's names")
    INVALID = ("invalid", 422, "The request does not fit")
    LARGE_HEADERS = ("headers-too-large", 431, "The headers are too large")
    INTERNAL = ("internal", 500, "The sender failed")
    BUSY = ("busy", 503, "There are too many streams")

    def __init__(self, word: str, status: int, title: str) -> None:
        self.word = word
        self.status = status
        self.title = title

    @property
    def address(self) -> str:
        """The problem's `type`: its place in the reference."""
        return f"{REFERENCE}#problem-{self.word}"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One thing wrong in a request: in its body at a JSON pointer, or in a parameter."""

    detail: str
    pointer: str | None = None
    parameter: str = ""
    place: str = ""
    """Where the parameter stands: `path`, `query` or `header`."""

    def members(self) -> dict[str, str]:
        """Return it as the members of a JSON object."""
        found = {"detail": self.detail}
        if self.pointer is not None:
            found["pointer"] = self.pointer
        if self.parameter:
            found |= {"parameter": self.parameter, "in": self.place}
        return found


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is refused; `headers` go with the answer."""

    kind: Kind
    detail: str
    hint: str = ""
    breaches: Sequence[Breach] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def members(self) -> dict[str, object]:
        """Return it as the members of a problem detail."""
        found: dict[str, object] = {
            "type": self.kind.address,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
        }
        found |= {"hint": self.hint} if self.hint else {}
        found |= {"errors": [breach.members() for breach in self.breaches]} if self.breaches else {}
        return found

    def response(self) -> Response:
        """Return it as a response."""
        # ASCII only, since a detail may repeat half a surrogate pair that UTF-8 cannot write
        text = json.dumps(self.members()) + "\n"
        answer = Response(text, self.kind.status, content_type=MEDIA_TYPE)
        answer.headers.update(self.headers)
        return answer


class Refused(Exception):
    """A request is refused; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


def refuse(kind: Kind, detail: str, hint: str = "") -> Refused:
    """Return a plain refusal, to be raised."""
    return Refused(Refusal(kind=kind, detail=detail, hint=hint))


def invalid(breaches: Sequence[Breach], hint: str = "") -> Refused:
    """Return the refusal of a request that breaks the document, to be raised."""
    things = "1 thing is wrong" if len(breaches) == 1 else f"{len(breaches)} things are wrong"
    first = f"{things}: {breaches[0].detail}" if breaches else things
    return Refused(Refusal(kind=Kind.INVALID, detail=first, hint=hint, breaches=breaches))
