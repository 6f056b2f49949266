"""The table of rules: ids that stay, an order that works, texts that say enough."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hookproof.catalogue import RULES, rule, select
from hookproof.cli.app import main
from hookproof.miniatures.correct import Plain
from hookproof.miniatures.trial import trial
from hookproof.rule import Rule
from hookproof.verdicts import Verdict
from hookproof_spec.errors import HookproofError

HERE = Path(__file__).parent
CORE = {
    "valid-basic",
    "forged-no-header",
    "forged-signature",
    "valid-php-escapes",
    "replay-race",
    "replay-exact",
    "stale-old",
    "replay-nonce-poisoned",
    "forged-empty-secret",
    "forged-body-changed",
}
every_rule = pytest.mark.parametrize("given", RULES, ids=lambda given: given.id)


def test_ids_are_those_that_users_know() -> None:
    """Whoever removes or renames an id edits this list and writes a line into the changelog."""
    assert sorted(given.id for given in RULES) == (HERE / "rule_ids.txt").read_text().split()


def test_core_is_the_ten_most_telling_rules() -> None:
    assert {given.id for given in RULES if given.core} == CORE


@every_rule
def test_rule_runs_after_what_it_stands_on(given: Rule) -> None:
    before = [other.id for other in RULES[: RULES.index(given)]]
    assert set(given.after) <= set(before)


@every_rule
def test_rule_says_what_why_and_what_to_do(given: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", given.id)
    for text in (given.title, given.requirement, given.source, given.remedy, given.sends):
        assert len(text) > 15, text
    assert given.requirement.endswith(".")
    assert given.remedy.endswith(".")
    assert given.sends.endswith(".")


@every_rule
def test_requirement_uses_the_word_of_its_level(given: Rule) -> None:
    if given.level.value != "INFO":
        assert re.search(r"\b(MUST|SHOULD)\b", given.requirement)


def test_page_of_rules_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "--format", "markdown"]) == 0
    assert (HERE.parent / "docs" / "rules.md").read_text() == capsys.readouterr().out


def test_rule_chosen_alone_brings_what_it_stands_on() -> None:
    chosen = [given.id for given in select(["replay-race"]).rules]
    assert chosen[-1] == "replay-race"
    assert {"valid-basic", "replay-exact", "replay-repeated"} <= set(chosen)


def test_opt_in_rules_run_only_when_named() -> None:
    assert not any(given.opt_in for given in select().rules)
    assert any(given.opt_in for given in select(["load"]).rules)


def test_skipped_rules_are_told_and_not_run() -> None:
    selection = select(skip=["replay-race", "stale"])
    assert "replay-race" not in {given.id for given in selection.rules}
    assert {"replay-race", "stale-old"} <= {given.id for given in selection.skipped}


def test_unknown_word_names_the_nearest() -> None:
    with pytest.raises(HookproofError, match="did you mean replay-race"):
        select(["replay-rase"])
    with pytest.raises(HookproofError, match="did you mean forged-signature"):
        rule("forged-signatur")


def test_nothing_left_to_run_is_an_error() -> None:
    with pytest.raises(HookproofError, match="no rule is left"):
        select(["core"], ["core", "valid", "forged", "stale", "replay"])


def test_short_secret_in_an_answer_is_no_finding() -> None:
    """`s` stands in every answer that says `refused`."""
    results = trial(Plain, select(["forged-oracle"]).rules, secret="s")
    assert results["forged-oracle"].verdict is Verdict.PASS
