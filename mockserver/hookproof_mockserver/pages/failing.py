"""What a person sees when something cannot be done: what, why, and where to go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from werkzeug import Request, Response

from hookproof_mockserver.pages.forms import sentence
from hookproof_mockserver.pages.notes import Note, Notes
from hookproof_mockserver.pages.visit import Visit
from hookproof_mockserver.sender_errors import Conflict, Invalid, PlanError

if TYPE_CHECKING:
    from hookproof_mockserver.site import Site


def telling(visit: Visit, act: Callable[[], Response]) -> Response:
    """Return what a handler answers; a refused change leads back to where it was asked.

    Everything else that goes wrong is told by the application, through `error_page`.
    """
    try:
        return act()
    except (Conflict, Invalid, PlanError) as error:
        if visit.request.method != "POST":
            raise
        return visit.back(_thing(visit.request.path), Note(text=sentence(error), good=False))


def _thing(path: str) -> str:
    """Return the page of the thing that a change is about: `/webhooks/1` of `/webhooks/1/test`."""
    parts = path.split("/")
    return "/".join(parts[:3]) if len(parts) > 3 and parts[1] != "stock" else f"/{parts[1]}"


def error_page(site: Site, request: Request, status: int, title: str, detail: str) -> Response:
    """Return a refusal for a person."""
    visit = Visit(site, request, Notes())
    return visit.page("error.html", status=status, code=status, heading=title, detail=detail)
