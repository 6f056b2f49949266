"""What every handler of the mock sender's web side is given, and what a handler is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from werkzeug import Request, Response

    from hookproof_mockserver.sender import MockSender


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One running mock sender as its API and its pages see it.

    `token` is what a request must carry to change something; no `repr` may show it. `started` is
    when the site came up, in Unix seconds.
    """

    sender: MockSender
    token: str
    started: float

    def __repr__(self) -> str:
        return f"Site(started={self.started})"


if TYPE_CHECKING:
    Handler = Callable[..., Response]
    """`handler(site: Site, request: Request, **values) -> Response`; a rule's endpoint."""

    ErrorPage = Callable[[Site, Request, int, str, str], Response]
    """`error_page(site, request, status, title, detail) -> Response`: a refusal for a person."""
