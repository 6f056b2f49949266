"""The model of a receiver: one effect for each new nonce, whatever else arrives, in any order."""

from __future__ import annotations

from hookproof.lab import Lab
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules.roots import AGES, ONCE
from hookproof.verdicts import Judgement, Level

LISTED = (
    *ONCE,
    *AGES,
    "valid-same-subject",
    "valid-nonce-last-char",
    "forged-nonce-refreshed",
    "replay-repeated",
    "replay-race",
    "replay-nonce-poisoned",
    "replay-header-rewritten",
    "replay-request-rewritten",
)
"""Listed sequences: who gets one of them wrong gets many wrong that are played."""


@rule(
    id="model-deliveries",
    level=Level.MUST,
    title="Whatever arrives in whatever order, each new event has one effect",
    requirement="After any sequence of new, replayed, forged and stale deliveries, there MUST be"
    " one effect for each new event and no other.",
    source="vendor: the nonce identifies the request; one already processed can be ignored or"
    " rejected",
    remedy="Key the store by the whole nonce, let nothing unverified touch it, and forget no nonce"
    " while its message is fresh.",
    who=Who.SENDER,
    needs=(Need.NONCE, Need.EFFECTS),
    after=LISTED,
)
def model_deliveries(lab: Lab) -> Judgement:
    """Sequences of new events, new ones like earlier ones, replays as they were or with unsigned
    parts rewritten, forgeries of earlier ones, stale events, and copies at once."""
    from hookproof.searching.machine import judge_deliveries

    return judge_deliveries(lab, "model-deliveries")


RULES: tuple[Rule, ...] = (model_deliveries,)
