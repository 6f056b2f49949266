"""The registered webhooks, and registering one."""

from __future__ import annotations

from dataclasses import replace

from werkzeug import Response

from hookproof_mockserver.engine.registering import Generate
from hookproof_mockserver.engine.secrets import public_half, unfolded
from hookproof_mockserver.model import DeliveryPolicy, Subscription
from hookproof_mockserver.pages.forms import Form
from hookproof_mockserver.pages.notes import Note
from hookproof_mockserver.pages.policies import FIELDS as POLICY_FIELDS
from hookproof_mockserver.pages.policies import choices, read_policy, touched
from hookproof_mockserver.pages.visit import Visit, offered
from hookproof_mockserver.sender import GENERATE
from hookproof_mockserver.sender_errors import Invalid, PlanError
from hookproof_spec.errors import SecretError

FIELDS = {
    **POLICY_FIELDS,
    "url": "url",
    "event": "event",
    "secret": "secret",
    "description": "description",
}


def show(visit: Visit) -> Response:
    """Show all webhooks."""
    return visit.page("webhooks.html", webhooks=visit.sender.subscriptions())


def new(visit: Visit) -> Response:
    """Show the form, with everything filled in that can be."""
    return _form(visit, Form(), 200)


def _form(visit: Visit, form: Form, status: int) -> Response:
    known = visit.document.webhooks
    wanted = known.get(form.value("event", visit.asked("event")))
    first = wanted or next(iter(known.values()))
    return visit.page(
        "webhook_new.html",
        status=status,
        form=form,
        first=first,
        unsigned=first.unsigned_allowed,
        events=offered(visit.document),
        default_policy=DeliveryPolicy(),
        policy_open=touched(form),
        **choices(),
    )


def register(visit: Visit) -> Response:
    """Register a webhook; its secret is shown on the page that follows."""
    form = visit.form()
    policy = read_policy(form) if "schedule" in form.typed else DeliveryPolicy()
    url = form.text("url", needed="Give the URL at which your receiver listens.")
    secret = _secret(form)
    if not form.good:
        return _form(visit, form, 422)
    try:
        made = visit.sender.register(
            url=url,
            event=form.text("event") or None,
            secret=secret,
            policy=policy,
            description=form.text("description"),
        )
    except (Invalid, SecretError, PlanError) as error:
        form.blame(error, FIELDS, "secret" if isinstance(error, SecretError) else "url")
        return _form(visit, form, 403 if isinstance(error, PlanError) else 422)
    note = Note(text="The webhook is registered.", link="/", link_text="Go on with the overview")
    if form.typed.get("secret_kind") != "typed":
        note = with_secret(visit, note, made)
    return visit.go(f"/webhooks/{made.id}", note)


def with_secret(visit: Visit, note: Note, made: Subscription) -> Note:
    """Return a note with the secret that was made for a webhook, to be shown this once."""
    secret = made.secrets.current
    scheme = visit.document.webhook(made.event).scheme
    public = "" if secret is None else public_half(scheme, secret)
    return replace(note, secret=secret, public=public)


def _secret(form: Form) -> str | Generate | None:
    match form.typed.get("secret_kind", "generate"):
        case "none":
            return None
        case "typed":
            secret = unfolded(form.typed.get("secret", ""))
            if not secret:
                form.refuse("secret", "Type the secret key, or let one be made.")
            return secret
        case _:
            return GENERATE
