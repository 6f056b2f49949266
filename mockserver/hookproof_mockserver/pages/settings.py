"""The account's plan, and how this run was started."""

from __future__ import annotations

from werkzeug import Response

from hookproof_mockserver.pages.notes import Note
from hookproof_mockserver.pages.visit import Visit


def show(visit: Visit) -> Response:
    """Show the settings."""
    return visit.page("settings.html", setup=visit.sender.setup, started=visit.site.started)


def plan(visit: Visit) -> Response:
    """Change the plan."""
    wanted = visit.form().text("plan")
    visit.sender.set_plan(wanted)
    account = visit.sender.account
    has = "it has webhooks" if account.plans.get(wanted, True) else "it has no webhooks"
    return visit.go("/settings", Note(text=f"The plan is {wanted}: {has}."))
