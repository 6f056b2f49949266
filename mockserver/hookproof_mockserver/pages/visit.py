"""One request for a page, with all that a handler needs to answer it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from werkzeug import Request, Response

from hookproof_mockserver import anatomy
from hookproof_mockserver.model import DeliveryState
from hookproof_mockserver.pages import assets, words
from hookproof_mockserver.pages.forms import Form
from hookproof_mockserver.pages.notes import Note, Notes
from hookproof_mockserver.pages.wire import visible

if TYPE_CHECKING:
    from hookproof_mockserver.sender import MockSender
    from hookproof_mockserver.site import Site
    from hookproof_spec.webhook import Document, Webhook


@final
@dataclass(frozen=True, slots=True)
class Visit:
    """A request, the site it came to, and the notes that wait to be shown."""

    site: Site
    request: Request
    notes: Notes

    @property
    def sender(self) -> MockSender:
        """The mock sender behind the pages."""
        return self.site.sender

    @property
    def document(self) -> Document:
        """The document whose webhooks are sent."""
        return self.site.sender.document

    def form(self) -> Form:
        """Return the form that was sent."""
        return Form(dict(self.request.form.items()))

    def asked(self, name: str) -> str:
        """Return a parameter of the address, "" where there is none."""
        return self.request.args.get(name, "").strip()

    def page(self, template: str, *, status: int = 200, **values: object) -> Response:
        """Return a page. It is not stored: it may hold a new secret key."""
        note = self.notes.take(self.request.args.get("note", ""))
        common = _common(self, note)
        text = environment().get_template(template).render(**{**common, **values})
        response = Response(text, status, content_type="text/html; charset=utf-8")
        response.headers["Cache-Control"] = "no-store"
        # With none at all, browsers would send `Origin: null` with our own forms.
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    def go(self, path: str, note: Note | None = None) -> Response:
        """Return the answer to a change: see that page next, with a note on it."""
        bare, mark, anchor = path.partition("#")
        if note is not None:
            query = urlencode({"note": self.notes.put(note)})
            bare += ("&" if "?" in bare else "?") + query
        return Response(status=303, headers={"Location": bare + mark + anchor})

    def back(self, otherwise: str, note: Note | None = None) -> Response:
        """Return to the page that the form stood on, where it names one of ours."""
        path = self.request.form.get("back", "")
        ours = path.startswith("/") and not path.startswith("//") and path.isprintable()
        return self.go(path if ours and path.isascii() and "\\" not in path else otherwise, note)


def _common(visit: Visit, note: Note | None) -> Mapping[str, object]:
    counts = visit.sender.counts()
    underway = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.WAITING)
    return {
        "account": visit.sender.account,
        "counts": {state: counts.get(state, 0) for state in DeliveryState},
        "underway": sum(counts.get(state, 0) for state in underway),
        "document": visit.document,
        "has_stock": has_stock(visit.document),
        "here": visit.request.path,
        "now": time.time(),
        "note": note,
        "token": visit.site.token,
        "DeliveryState": DeliveryState,
        "form": Form(),
    }


def offered(document: Document) -> list[tuple[str, str]]:
    """Return the names of the document's webhooks, each with its title."""
    return [
        (webhook.name, f"{webhook.name}: {webhook.summary}" if webhook.summary else webhook.name)
        for webhook in document.webhooks.values()
    ]


def has_stock(document: Document) -> bool:
    """Tell whether a webhook of the document is sent when stock runs out."""
    return stock_webhook(document) is not None


def stock_webhook(document: Document) -> Webhook | None:
    """Return the webhook that is sent when stock runs out."""
    return next((w for w in document.webhooks.values() if w.stock), None)


@cache
def environment() -> Environment:
    """Return the templates; everything that they are given is escaped."""
    made = Environment(
        loader=PackageLoader("hookproof_mockserver"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        age=words.age,
        asset=assets.address,
        encoding_words=anatomy.encoding_words,
        exact=words.exact,
        formula=anatomy.formula,
        key_words=anatomy.key_words,
    )
    made.filters.update(
        ago=_ago,
        capitalize_first=words.capitalized,
        fault=words.fault_words,
        schedule=words.schedule_words,
        short=words.short,
        sign_with=words.sign_with_words,
        size=words.size,
        source=words.source_words,
        seconds=words.seconds,
        span=words.span,
        state=words.state_words,
        status=words.status_words,
        took=words.took,
        visible=visible,
    )
    return made


@pass_context
def _ago(context: Context, seconds: float) -> Markup:
    """Return a moment as it is read, with the exact one behind it."""
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        words.machine(seconds),
        words.exact(seconds),
        words.relative(seconds, float(context["now"])),
    )
