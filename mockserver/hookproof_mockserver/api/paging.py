"""A page of a list, and where the next one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from hookproof_mockserver.api.calls import Answer
from hookproof_mockserver.problems import Kind, refuse
from hookproof_mockserver.sender_errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookproof_mockserver.api.calls import Call
    from hookproof_mockserver.model import Page
    from hookproof_spec.webhook import JsonValue

Item = TypeVar("Item")


def page(call: Call, ask: Callable[[], Page[Item]], show: Callable[[Item], JsonValue]) -> Answer:
    """Return a page; its `Link` leads to the next one with the same conditions.

    Raises:
        Refused: there is nothing to continue after.
    """
    try:
        found = ask()
    except Invalid as error:
        if error.field != "/after":
            raise
        raise refuse(Kind.NOT_FOUND, error.problem, "begin again without `after`") from error
    links = {} if found.after is None else {"Link": f'<{_next(call, found.after)}>; rel="next"'}
    return Answer(200, {"items": list(map(show, found.items)), "after": found.after}, links)


def _next(call: Call, after: str) -> str:
    asked = {name: str(value) for name, value in call.parameters.items()}
    return f"{call.path}?{urlencode({**asked, 'after': after})}"
