"""Where a finding's requests alone tell nothing, `hookproof replay` tries the rule itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from hookproof.catalogue import BY_ID, select
from hookproof.effects import Probe
from hookproof.events import RuleFinished
from hookproof.redact import Redactor
from hookproof.reports.again import advice
from hookproof.reports.model import FINDINGS, RuleReport, RunReport
from hookproof.reports.telling import CANNOT_TELL, NOT_SEEN, SEEN, Told
from hookproof.rule import Category
from hookproof.run import Setup, run
from hookproof.targets.base import Target
from hookproof.verdicts import Verdict
from hookproof_spec import load
from hookproof_spec.errors import DocumentError
from hookproof_spec.webhook import Webhook

PROBED = "by probe"
UNSIGNED = "unsigned"
"""What a report says of a run with a probe, and of one without a secret."""
BY_CHANCE = (Category.PROPERTY, Category.MODEL, Category.LOAD)
"""What draws its events, or has many at once, may pass by chance."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """The receiver as it is reached now. `settle`: how long effects are waited for, in seconds."""

    target: Target
    probe: Probe | None
    secret: str | None
    settle: float


def tried(report: RunReport, finding: RuleReport, receiver: Receiver) -> Told | None:
    """Try the rule of a finding once more; None where that would tell nothing either.

    It is tried with the seed and the policy of the run. One that counted effects tells nothing
    without them, and what a run was given beside (a restart, another instance, headers) is in no
    report: a rule that asks for it does not apply, or cannot be told.
    """
    webhook = _webhook(report)
    counted = report.effects == PROBED or finding.effects is not None
    if webhook is None or finding.id not in BY_ID or (counted and receiver.probe is None):
        return None
    setup = Setup(
        webhook=webhook,
        spec=report.spec,
        secret=receiver.secret,
        target=receiver.target,
        probe=receiver.probe,
        policy=report.policy,
        seed=report.seed,
        rules=select([finding.id]).rules,
        effect_timeout=receiver.settle,
    )
    redactor = Redactor([receiver.secret] if receiver.secret else [], webhook.scheme)
    for event in redactor.events(run(setup)):
        if isinstance(event, RuleFinished) and event.rule.id == finding.id:
            return _told(event, finding)
    return None


_MAYBE = "the rule itself passes now, which it may do by chance"


def _told(event: RuleFinished, finding: RuleReport) -> Told:
    result = event.result
    unanswered = any(item.exchange.status is None for item in finding.evidence)
    if result.verdict in FINDINGS:
        return Told(SEEN, f"seen again: the rule itself was tried, and {result.message}")
    if result.verdict is not Verdict.PASS:
        words = f"the rule itself ended with {result.verdict.value}: {result.message}"
        return Told(CANNOT_TELL, f"cannot tell: {words}; {advice(event.rule.id)}")
    if unanswered or event.rule.category in BY_CHANCE:
        return Told(CANNOT_TELL, f"cannot tell: {_MAYBE}; {advice(event.rule.id)}")
    return Told(NOT_SEEN, "not seen again: the rule itself was tried, and passes now")


def _webhook(report: RunReport) -> Webhook | None:
    """Return the webhook, where its document is still at hand and signs as it did."""
    try:
        known = load(report.spec).webhooks.get(report.webhook)
    except DocumentError:
        return None  # it is elsewhere, or has changed since
    if known is None or report.scheme not in (UNSIGNED, known.scheme.describe()):
        return None
    return known
