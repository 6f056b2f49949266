"""One webhook: how it stands, and everything that can be changed about it."""

from __future__ import annotations

from werkzeug import Response

from hookproof_mockserver.engine.secrets import unfolded
from hookproof_mockserver.model import SignWith, Subscription
from hookproof_mockserver.pages import faults
from hookproof_mockserver.pages.forms import Form
from hookproof_mockserver.pages.lists import said
from hookproof_mockserver.pages.notes import Note
from hookproof_mockserver.pages.policies import choices, read_policy, touched
from hookproof_mockserver.pages.visit import Visit
from hookproof_mockserver.pages.webhooks import FIELDS, with_secret
from hookproof_mockserver.pages.words import sign_with_words
from hookproof_mockserver.sender_errors import Invalid
from hookproof_spec.errors import SecretError

RECENT = 5
WEEK_OF_MINUTES = 7 * 24 * 60.0


def show(visit: Visit, id: str) -> Response:
    """Show a webhook."""
    return _page(visit, visit.sender.subscription(id), Form())


def _page(visit: Visit, webhook: Subscription, form: Form) -> Response:
    recent = visit.sender.deliveries(limit=RECENT, subscription=webhook.id).items
    return visit.page(
        "webhook.html",
        status=200 if form.good else 422,
        w=webhook,
        form=form,
        recent=recent,
        said=said(visit.sender.counts()),
        policy_open=touched(form),
        faults_open=faults.touched(form, webhook.faults),
        given=faults.written(webhook.faults),
        rules=faults.offered(visit, visit.document.webhooks.get(webhook.event)),
        sign_withs=_sign_withs(visit, webhook),
        **choices(),
    )


def _sign_withs(visit: Visit, webhook: Subscription) -> list[tuple[str, str]]:
    described = visit.document.webhooks.get(webhook.event)
    several = described is not None and described.scheme.repeat is not None
    offered = [way for way in SignWith if several or way is not SignWith.BOTH]
    return [(way.value, sign_with_words(way)) for way in offered]


def change(visit: Visit, id: str) -> Response:
    """Change the URL, the description and the policy."""
    webhook, form = visit.sender.subscription(id), visit.form()
    policy, chosen = read_policy(form), faults.read_faults(form)
    url = form.text("url", needed="Give the URL at which your receiver listens.")
    if not form.good:
        return _page(visit, webhook, form)
    try:
        visit.sender.change(
            id, url=url, policy=policy, description=form.text("description"), faults=chosen
        )
    except Invalid as error:
        form.blame(error, {**FIELDS, **faults.ERRORS}, "url")
        return _page(visit, webhook, form)
    return visit.go(f"/webhooks/{id}", Note(text="Saved."))


def activate(visit: Visit, id: str) -> Response:
    """Switch a webhook on or off."""
    active = visit.form().text("active") == "yes"
    visit.sender.change(id, active=active)
    text = "It is active: events are sent." if active else "It is not active: nothing is sent."
    return visit.go(f"/webhooks/{id}", Note(text=text))


def rotate(visit: Visit, id: str) -> Response:
    """Give it a new secret, and show it on the page that follows where it was made here."""
    webhook, form = visit.sender.subscription(id), visit.form()
    minutes = form.number("overlap", 0, WEEK_OF_MINUTES) if webhook.signed else 0.0
    sign_with = form.choice("sign_with", SignWith, SignWith.NEW)
    typed = unfolded(form.typed.get("new_secret", ""))
    if not form.good:
        return _page(visit, webhook, form)
    try:
        made = visit.sender.rotate(
            id, secret=typed or None, overlap=minutes * 60, sign_with=sign_with
        )
    except (Invalid, SecretError) as error:
        form.blame(error, {"overlap": "overlap", "sign_with": "sign_with"}, "new_secret")
        return _page(visit, webhook, form)
    note = Note(text="The webhook has a new secret key.")
    return visit.go(f"/webhooks/{id}", note if typed else with_secret(visit, note, made))


def test(visit: Visit, id: str) -> Response:
    """Send the example to every webhook of this one's event, and show the delivery to this one."""
    webhook = visit.sender.subscription(id)
    event = visit.sender.trigger(webhook.event)
    sent = visit.sender.deliveries(event=event.id, subscription=id, limit=1).items
    if not sent:
        text = "Nothing was sent here: the webhook is not active."
        return visit.go(f"/webhooks/{id}", Note(text=text, good=False))
    return visit.go(f"/deliveries/{sent[0].id}", Note(text="The example is sent."))


def remove(visit: Visit, id: str) -> Response:
    """Remove a webhook."""
    url = visit.sender.subscription(id).url
    visit.sender.remove(id)
    return visit.go("/webhooks", Note(text=f"The webhook to {url} is removed."))
