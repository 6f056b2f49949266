"""Of every receiver with a bug, the finding's first line says what the bug is.

`findings.yaml` has bug and sentence side by side, to be read by people. Here it is held against
what a run really says.
"""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path

import pytest
import yaml

from hookproof.catalogue import BY_ID, select
from hookproof.events import RuleResult
from hookproof.miniatures.base import Miniature
from hookproof.miniatures.catalogue import BROKEN
from hookproof.miniatures.trial import BROKEN as WRONG
from hookproof.miniatures.trial import trial
from hookproof.reports.finding import finding_text
from hookproof.verdicts import Verdict

FILE = Path(__file__).with_name("findings.yaml")
LISTED: dict[str, dict[str, str]] = yaml.safe_load(FILE.read_text("utf-8"))
FEEDS = {
    "forged-stack-trace": ("forged-no-header",),
    "replay-status": ("replay-exact",),
    "http-reject-status": ("stale-old", "forged-signature"),
}
"""Rules that judge what others have sent, and one that sends it."""
TRIES = 4
SLEEPERS = ("WorksBeforeAnswering",)
"""Receivers that take many seconds by their nature: tried by HOOKPROOF_LONG=1 alone."""


def pattern_of(sentence: str) -> re.Pattern[str]:
    """Return a sentence as a pattern: `#` stands for a number, `…` for anything short."""
    escaped = re.escape(sentence).replace(r"\#", r"[0-9]+(?:\.[0-9]+)?").replace("…", ".{1,60}")
    return re.compile(escaped)


def result_of(kind: type[Miniature], rule: str) -> RuleResult:
    """Try a rule; again where nothing is found, as a race may be lost on a busy machine."""
    rules = select((rule, *FEEDS.get(rule, ()))).rules
    results = (trial(kind, rules)[rule] for _ in range(TRIES))
    return next(
        (result for result in results if result.verdict in WRONG), RuleResult(verdict=Verdict.PASS)
    )


def test_list_has_every_bug_and_no_other() -> None:
    assert list(LISTED) == [kind.__name__ for kind in BROKEN]


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_bug_is_listed_in_the_words_of_its_receiver(kind: type[Miniature]) -> None:
    listed = LISTED[kind.__name__]
    assert listed["bug"] == " ".join(inspect.cleandoc(kind.__doc__ or "").split())
    assert listed["rule"] in kind.exposed_by


@pytest.mark.parametrize(
    "kind",
    [kind for kind in BROKEN if "HOOKPROOF_LONG" in os.environ or kind.__name__ not in SLEEPERS],
    ids=lambda kind: kind.__name__,
)
def test_first_line_of_the_finding_names_the_bug(kind: type[Miniature]) -> None:
    listed = LISTED[kind.__name__]
    result = result_of(kind, listed["rule"])
    assert pattern_of(listed["told"]).fullmatch(result.message), result.message
    found = re.search(r"^  found +(.*)$", finding_text(BY_ID[listed["rule"]], result), re.M)
    assert found is not None
    assert found[1].startswith(listed["told"][:20])
