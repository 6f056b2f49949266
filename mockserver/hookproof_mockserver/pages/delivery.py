"""One delivery: its attempts, its bytes, its signature taken apart, and doing it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import final

from werkzeug import Response

from hookproof_mockserver import anatomy
from hookproof_mockserver.model import ENDED, Attempt, Delivery, FaultKind
from hookproof_mockserver.pages import commands, wire
from hookproof_mockserver.pages.notes import Note
from hookproof_mockserver.pages.saving import saved
from hookproof_mockserver.pages.visit import Visit
from hookproof_mockserver.pages.words import state_words
from hookproof_mockserver.sender_errors import NotFound
from hookproof_spec import parts
from hookproof_spec.webhook import Webhook


def show(visit: Visit, id: str) -> Response:
    """Show a delivery, and one of its attempts in full; the last where none is asked for."""
    delivery = visit.sender.delivery(id)
    attempts = visit.sender.attempts(id)
    chosen = _chosen(attempts, visit.asked("attempt"))
    webhook = visit.document.webhooks.get(delivery.webhook)
    rules = visit.sender.forgeries(webhook) if webhook is not None else {}
    forms = {name: visit.asked(name) for name in ("view", "answer")}
    return visit.page(
        "delivery.html",
        d=delivery,
        attempts=attempts,
        chosen=chosen,
        ended=delivery.state in ENDED,
        webhook_there=_is_there(visit, delivery.subscription_id),
        rules=_grouped(rules),
        rule_title=_title(delivery, rules),
        said=f"{delivery.webhook}: {state_words(delivery.state)}, {delivery.next_words}",
        commands=_commands(visit, webhook, chosen),
        forms=forms,
        shown=_shown(webhook, chosen, forms),
    )


def _chosen(attempts: Sequence[Attempt], number: str) -> Attempt | None:
    asked = next((attempt for attempt in attempts if str(attempt.number) == number), None)
    return asked or (attempts[-1] if attempts else None)


def _is_there(visit: Visit, subscription: str) -> bool:
    return any(webhook.id == subscription for webhook in visit.sender.subscriptions())


def _title(delivery: Delivery, rules: Mapping[str, str]) -> str:
    fault = delivery.fault
    return rules.get(fault.rule, "") if fault and fault.kind is FaultKind.RULE else ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One attempt as the page shows it; all is None where there was none yet."""

    parts: anatomy.Anatomy | None = None
    sent: wire.Shown | None = None
    answered: wire.Shown | None = None
    target: str = ""


def _shown(webhook: Webhook | None, attempt: Attempt | None, forms: Mapping[str, str]) -> Exchange:
    if attempt is None:
        return Exchange()
    request, response = attempt.request, attempt.response
    return Exchange(
        parts=anatomy.take_apart(webhook.scheme, request) if webhook is not None else None,
        sent=wire.shown(request.body, forms["view"]),
        answered=wire.shown(response.body, forms["answer"]) if response is not None else None,
        target=parts.path(request.url),
    )


def _grouped(rules: Mapping[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return rules by category, which is the first word of a rule's id."""
    named = [(rule.partition("-")[0], rule, title) for rule, title in rules.items()]
    ordered = sorted(named, key=lambda found: found[0])
    return [
        (category, [(rule, title) for _, rule, title in found])
        for category, found in groupby(ordered, key=lambda found: found[0])
    ]


def _commands(
    visit: Visit, webhook: Webhook | None, attempt: Attempt | None
) -> list[tuple[str, str, str]]:
    if webhook is None or attempt is None:
        return []
    request, document = attempt.request, visit.document
    return [
        ("curl", "sends these bytes again", commands.curl(request)),
        (
            "hookproof check",
            "judges these bytes as a receiver would have, and explains a refusal",
            commands.check(document, webhook, request, attempt.started),
        ),
        (
            "hookproof send",
            "signs this payload anew and sends it",
            commands.send(document, webhook, request),
        ),
    ]


def body(visit: Visit, id: str, number: int, which: str) -> Response:
    """Return the body of a request or of its answer as a file."""
    attempts = visit.sender.attempts(visit.sender.delivery(id).id)
    attempt = next((attempt for attempt in attempts if attempt.number == number), None)
    found = attempt and (attempt.request if which == "request" else attempt.response)
    if found is None:
        raise NotFound("attempt", f"{id} #{number}", ())
    return saved(found.body, f"{id}-{number}-{which}.bin")


def resend(visit: Visit, id: str) -> Response:
    """Send the same bytes again, or the same payload signed anew."""
    verbatim = visit.form().text("how") == "same"
    made = visit.sender.resend(id, verbatim=verbatim)
    text = (
        "The same bytes are sent again: a right receiver acts on them only once."
        if verbatim
        else "The payload is signed anew and sent."
    )
    return visit.go(f"/deliveries/{made.id}", Note(text=text))


def forge(visit: Visit, id: str) -> Response:
    """Send what a rule of the contract would send."""
    made = visit.sender.forge(id, visit.form().text("rule"))
    return visit.go(
        f"/deliveries/{made.id}", Note(text="The forgery is sent: a right receiver refuses it.")
    )


def retry(visit: Visit, id: str) -> Response:
    """Try a waiting delivery again at once."""
    visit.sender.retry_now(id)
    return visit.go(f"/deliveries/{id}", Note(text="It is tried again now."))


def cancel(visit: Visit, id: str) -> Response:
    """Try no more."""
    visit.sender.cancel(id)
    return visit.go(f"/deliveries/{id}", Note(text="It is cancelled: it is not tried again."))
