"""The contract, against receivers that are written with providers' own packages."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hookproof.catalogue import RULES
from hookproof.effects import CallableProbe
from hookproof.events import RuleFinished, RuleResult
from hookproof.rule import Category
from hookproof.run import Setup, run
from hookproof.targets.wsgi import WsgiTarget
from hookproof.verdicts import Verdict
from hookproof_spec.webhook import Webhook
from providers.judges import JUDGES, Judge, page, webhooks_of
from providers.keys import Keys, made_for
from providers.npm import Node
from providers.receivers import receiver_with

SEARCHES = (Category.PROPERTY, Category.MODEL, Category.LOAD)
"""What these find depends on what they draw; the page lists what is found every time."""

SAME_EACH_TIME = tuple(rule for rule in RULES if rule.category not in SEARCHES)


def results(judge: Judge, node: Node, webhook: Webhook, keys: Keys) -> Mapping[str, RuleResult]:
    """Run the contract against a receiver that verifies with a package."""
    events: list[object] = []
    app = receiver_with(
        lambda request: judge.verdict(node, request, keys.receiver), events, webhook.responses
    )
    setup = Setup(
        webhook=webhook,
        spec=judge.document,
        secret=keys.signer,
        target=WsgiTarget(app),
        probe=CallableProbe(lambda: len(events)),
        rules=SAME_EACH_TIME,
    )
    finished = [event for event in run(setup) if isinstance(event, RuleFinished)]
    return {event.rule.id: event.result for event in finished}


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("judge", JUDGES, ids=str)
def test_receiver_breaks_what_the_page_says(judge: Judge, node: Node) -> None:
    judge.require()
    webhook = webhooks_of(judge)[0]
    found = results(judge, node, webhook, made_for(webhook.scheme))
    facts = page()[str(judge)]
    verdicts = {id: result.verdict for id, result in found.items()}
    assert {id for id in verdicts if verdicts[id] is Verdict.FAIL} == facts.musts
    assert {id for id in verdicts if verdicts[id] is Verdict.WARN} == facts.shoulds
    assert list(verdicts.values()).count(Verdict.PASS) > 25
