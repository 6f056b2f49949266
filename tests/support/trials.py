"""The contract tried on miniatures where a search for what nobody listed is not what is tested."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from unittest import mock

from hookproof.events import RuleResult
from hookproof.miniatures import trial as trials
from hookproof.miniatures.base import Miniature
from hookproof.miniatures.trial import trial
from hookproof.rule import Category, Rule
from hookproof.run import Setup
from hookproof.verdicts import ReplayPolicy

LONG = bool(os.environ.get("HOOKPROOF_LONG"))
FEW = 8
"""Examples of a search; correct receivers are tried with all that a run has."""
SEARCHES = (Category.PROPERTY, Category.MODEL)
PATIENCE = 60.0
"""Seconds for a search, which its examples end: how fast this machine is, is not what is tested."""


def searches(rule: Rule) -> bool:
    """Tell whether a rule draws what it sends; `test_properties` and `test_model` are about it."""
    return rule.category in SEARCHES


def briefly_tried(
    kind: type[Miniature],
    rules: Sequence[Rule],
    *,
    probe: bool = True,
    replay: ReplayPolicy = ReplayPolicy.EITHER,
    wire: bool = False,
) -> dict[str, RuleResult]:
    """Try rules as `trial` does, each search with a few examples unless the time is there."""
    setup = Setup if LONG else partial(Setup, examples=FEW)
    with mock.patch.object(trials, "Setup", setup):
        return trial(kind, rules, probe=probe, replay=replay, wire=wire, search_seconds=PATIENCE)
