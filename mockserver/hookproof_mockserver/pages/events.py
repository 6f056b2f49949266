"""What happened, and triggering a webhook by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence

from werkzeug import Response

from hookproof_mockserver.pages import faults, wire
from hookproof_mockserver.pages.forms import Form
from hookproof_mockserver.pages.lists import PER_PAGE, pager, said
from hookproof_mockserver.pages.notes import Note
from hookproof_mockserver.pages.saving import saved
from hookproof_mockserver.pages.visit import Visit, offered
from hookproof_mockserver.sender_errors import Invalid, InvalidPayload, PlanError
from hookproof_spec import payloads
from hookproof_spec.errors import DocumentError, Problem
from hookproof_spec.webhook import Webhook


def show(visit: Visit) -> Response:
    """Show the events, newest first."""
    found = visit.sender.events(after=visit.asked("after") or None, limit=PER_PAGE)
    return visit.page(
        "events.html", events=found.items, pager=pager(visit, "/events", {}, found.after)
    )


def one(visit: Visit, id: str) -> Response:
    """Show an event: its payload, and who was sent it."""
    event = visit.sender.event(id)
    webhook = visit.document.webhooks.get(event.webhook)
    broken = webhook is not None and not event.valid
    return visit.page(
        "event.html",
        e=event,
        recent=visit.sender.deliveries(event=id, limit=PER_PAGE).items,
        problems=payloads.validate(webhook, event.body)[:20] if webhook and broken else (),
        payload=wire.shown(event.body, visit.asked("view")),
        said=said(visit.sender.counts()),
    )


def body(visit: Visit, id: str) -> Response:
    """Return an event's payload as a file."""
    return saved(visit.sender.event(id).body, f"{id}.bin")


def again(visit: Visit, id: str) -> Response:
    """Send an event's payload as a new event."""
    event = visit.sender.event(id)
    made = visit.sender.trigger(event.webhook, payload=event.body, allow_invalid=not event.valid)
    return visit.go(f"/events/{made.id}", _sent(visit, made.id))


def new(visit: Visit) -> Response:
    """Show the form for an event of one's own."""
    return _form(visit, Form())


def _form(visit: Visit, form: Form, problems: Sequence[Problem] = ()) -> Response:
    known = visit.document.webhooks
    wanted = form.value("event", visit.asked("webhook"))
    chosen = known.get(wanted) or next(iter(known.values()))
    every = visit.sender.subscriptions()
    takers = [w for w in every if w.event == chosen.name and w.active and not w.disabled]
    return visit.page(
        "trigger.html",
        status=200 if form.good else 422,
        form=form,
        chosen=chosen,
        takers=len(takers),
        webhooks=offered(visit.document),
        sample=_sample(chosen),
        problems=problems,
        rules=faults.offered(visit, chosen),
        given=faults.written(()),
        faults_open=faults.touched(form),
    )


def _sample(webhook: Webhook) -> str:
    """Return the example as one would type it; nothing where none can be built."""
    try:
        value = payloads.example(webhook)
    except DocumentError:
        return ""
    if payloads.is_form(webhook):
        return payloads.write(webhook, value).decode("utf-8", "replace")
    return json.dumps(value, indent=2, ensure_ascii=False)


def trigger(visit: Visit) -> Response:
    """Trigger a webhook with the payload and the faults that were chosen."""
    form = visit.form()
    kind = form.typed.get("payload_kind", "example")
    own = form.typed.get("payload", "").replace("\r\n", "\n").encode("utf-8", "replace")
    chosen = faults.read_faults(form)
    if not form.good:
        return _form(visit, form)
    try:
        made = visit.sender.trigger(
            form.text("event") or None,
            payload=own if kind == "own" else None,
            random=kind == "random",
            allow_invalid=form.ticked("allow_invalid"),
            faults=chosen,
        )
    except InvalidPayload as error:
        form.refuse("payload", "The payload breaks the document's schema; change it below.")
        return _form(visit, form, error.problems)
    except (Invalid, PlanError) as error:
        form.blame(error, faults.ERRORS, "payload")
        return _form(visit, form)
    return visit.go(f"/events/{made.id}", _sent(visit, made.id))


def _sent(visit: Visit, event_id: str) -> Note:
    count = len(visit.sender.deliveries(event=event_id, limit=100).items)
    if not count:
        return Note(text="Triggered, but no active webhook takes it.", good=False)
    return Note(text=f"Triggered: on its way to {count} webhook{'' if count == 1 else 's'}.")
