"""The whole contract on every document: the reference receiver breaks nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hookproof.catalogue import RULES
from hookproof.effects import CallableProbe
from hookproof.events import RuleFinished, RuleResult
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.run import Setup, run
from hookproof.targets.wsgi import WsgiTarget
from hookproof.verdicts import Verdict
from hookproof_spec import load, names
from hookproof_spec.documents import check
from hookproof_spec.errors import Severity
from hookproof_spec.webhook import Webhook
from providers.keys import made_for
from providers.verdicts import MORE

DOCUMENTS = (*names(), *sorted(map(str, MORE.glob("*.yaml"))))
SHIPPED = [(name, webhook) for name in names() for webhook in load(name).webhooks]
WEBHOOKS = [(document, webhook) for document in DOCUMENTS for webhook in load(document).webhooks]
UNAVOIDABLE = re.compile(
    r"the signature does not cover \{nonce\}: anyone can change it"
    r"|the boundary between \{\w+\} and \{\w+\} can be shifted: nothing stands between"
    r"|the boundary between \{timestamp\} and \{body\} can be shifted: ':' may stand in both"
    r"|the signature does not cover the body"
    r"|neither a time nor a nonce travels: a captured request is good for ever"
)
"""Weaknesses of a provider's scheme itself; a document only tells them."""


def title(value: object) -> str:
    return Path(str(value)).stem


def results(document: str, webhook: Webhook) -> dict[str, RuleResult]:
    """Run the contract against the reference receiver."""
    keys = made_for(webhook.scheme)
    events: list[object] = []
    app = create_receiver(webhook, keys.receiver, nonces=MemoryNonceStore(), on_event=events.append)
    setup = Setup(
        webhook=webhook,
        spec=document,
        secret=keys.signer,
        target=WsgiTarget(app),
        probe=CallableProbe(lambda: len(events)),
        rules=RULES,
        examples=2,
        search_seconds=20,
    )
    return {event.rule.id: event.result for event in run(setup) if isinstance(event, RuleFinished)}


def lawful(webhook: Webhook) -> set[str]:
    """Return the SHOULD rules that a provider's own demands keep a receiver from following."""
    rule = webhook.scheme.timestamp
    brief = rule is not None and rule.tolerance is not None and rule.tolerance < 30
    ours = {"200", "2XX"} & set(webhook.responses)
    return ({"valid-edge-fresh"} if brief else set()) | (set() if ours else {"valid-status-200"})


@pytest.mark.parametrize(("document", "name"), SHIPPED, ids=title)
def test_reference_receiver_breaks_no_rule(document: str, name: str) -> None:
    webhook = load(document).webhook(name)
    found = results(document, webhook)
    said = {Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.INFO}
    wrong = {id for id, result in found.items() if result.verdict not in said}
    assert wrong == lawful(webhook)
    silent = [
        id for id, one in found.items() if one.verdict is not Verdict.PASS and not one.message
    ]
    assert silent == []
    assert sum(result.verdict is Verdict.PASS for result in found.values()) > 30


@pytest.mark.parametrize("document", DOCUMENTS, ids=title)
def test_document_is_sound_and_warns_of_nothing_avoidable(document: str) -> None:
    found = check(document)
    assert [problem for problem in found if problem.severity is Severity.ERROR] == []
    assert [str(p) for p in found if not UNAVOIDABLE.fullmatch(p.message)] == []
    assert load(document).unusable == {}


@pytest.mark.parametrize(("document", "name"), WEBHOOKS, ids=title)
def test_document_says_what_is_known_and_what_is_not(document: str, name: str) -> None:
    webhook = load(document).webhook(name)
    assert webhook.assumptions
    assert webhook.responses
    assert webhook.summary
    assert webhook.marker is not None
    assert webhook.example is not None
    assert webhook.scheme.timestamp is None or webhook.scheme.timestamp.tolerance is not None
