"""The Python that is written: the fixture `webhook_receiver`, and the test that is the contract."""

from __future__ import annotations

from collections.abc import Iterator

from hookproof.starting.choosing import Application, Choice
from hookproof.starting.frameworks import Kind
from hookproof.starting.rendering import quoted, rendered

_EXAMPLES = {Kind.DJANGO: "Order.objects.count()", Kind.AIOHTTP: "list(app[ORDERS])"}
_TITLES = {
    (True, False): "The receiver that the webhook contract judges.",
    (False, True): "The contract of the webhook receiver.",
    (True, True): "The webhook receiver, and its contract.",
}
_UNKNOWN = ("from my_shop import app",)


def module_text(choice: Choice, path: str, *, fixture: bool, contract: bool) -> str:
    """Return the text of a module that holds the fixture, the contract, or both."""
    call = _call(choice)
    values = {
        "kind": choice.kind.value,
        "title": _TITLES[fixture, contract],
        "standard": list(_standard(choice, call)) if fixture else [],
        "has_fixture": fixture,
        "has_contract": contract,
        "application": choice.application,
        "call": call,
        "wanted": _wanted(choice),
        "path": choice.path,
        "path_remark": _path_remark(choice),
        "example": _EXAMPLES.get(choice.kind, "list(orders)"),
        "file": path,
    }
    return rendered("module.py", values)


def _standard(choice: Choice, call: str) -> Iterator[str]:
    if choice.kind is Kind.AIOHTTP or "asyncio." in call:
        yield "asyncio"
    if "os.environ" in call:
        yield "os"
    if choice.kind is Kind.AIOHTTP:
        yield "threading"


def _call(choice: Choice) -> str:
    """Return the expression that is the application, "" where it is not known whole."""
    application = choice.application
    if application is None:
        return "get_wsgi_application()" if choice.kind is Kind.DJANGO else ""
    if not application.is_made:
        return application.name
    if all("secret" in name.lower() for name in application.needs):
        call = f"{application.name}({_secrets(application, choice.secret)})"
        return _awaited(call, choice.kind) if application.is_awaited else call
    return ""


def _awaited(call: str, kind: Kind) -> str:
    """Return what a call comes to; with aiohttp on the loop that the application then runs on."""
    runs = "app_loop.run_until_complete" if kind is Kind.AIOHTTP else "asyncio.run"
    return f"{runs}({call})"


def _secrets(application: Application, variable: str) -> str:
    value = f'os.environ.get({quoted(variable)}, "")'
    return ", ".join(f"{name}={value}" for name in application.needs)


def _wanted(choice: Choice) -> tuple[str, ...]:
    """Return lines that say what has to be filled in for an application."""
    application = choice.application
    if application is None:
        return _UNKNOWN
    needs = ", ".join(f"{name}=…" for name in application.needs)
    made = f"{application.name}({needs})"
    made = _awaited(made, choice.kind) if application.is_awaited else made
    return (
        f"from {application.module.name} import {application.name}",
        f"return {made}" if choice.kind is Kind.AIOHTTP else f"app = {made}",
    )


def _path_remark(choice: Choice) -> str:
    if not choice.is_path_known:
        return "  # FILL IN where it takes the webhook"
    if choice.route is None:
        return ""
    before = "" if choice.route.on_app else ", without what its router puts before it"
    return f"  # {choice.route.place}{before}"
