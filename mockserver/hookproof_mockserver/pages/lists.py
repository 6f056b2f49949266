"""Pages of a long list, and a list's state in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from markupsafe import Markup

from hookproof_mockserver.model import DeliveryState
from hookproof_mockserver.pages.visit import Visit, environment

PER_PAGE = 50
_TRAIL = 40


def pager(visit: Visit, path: str, asked: Mapping[str, str], older: str | None) -> Markup:
    """Return the links to newer and older items.

    A list knows how it goes on, not what came before; the address therefore carries the trail of
    the pages that led here.
    """
    after, trail = visit.asked("after"), visit.asked("trail").split(",")[-_TRAIL:]
    trail = [mark for mark in trail if mark]
    links = {
        "newer": _address(path, asked, trail[-1] if trail else "", trail[:-1]) if after else None,
        "older": _address(path, asked, older, [*trail, after] if after else trail)
        if older
        else None,
    }
    return Markup(environment().get_template("pager.html").render(links))


def _address(path: str, asked: Mapping[str, str], after: str, trail: list[str]) -> str:
    given = {**asked, "after": after, "trail": ",".join(trail)}
    query = urlencode({name: value for name, value in given.items() if value})
    return f"{path}?{query}" if query else path


def said(counts: Mapping[DeliveryState, int]) -> str:
    """Say how deliveries stand, for those who hear the page."""
    underway = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.WAITING)
    waiting = sum(counts.get(state, 0) for state in underway)
    delivered, failed = counts.get(DeliveryState.DELIVERED, 0), counts.get(DeliveryState.FAILED, 0)
    return f"{delivered} delivered, {waiting} on their way, {failed} failed"
