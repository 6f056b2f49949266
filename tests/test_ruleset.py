"""A rule that is younger than the rule set runs, is told, and turns no run red."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hookproof.catalogue import BY_ID, RULES
from hookproof.events import ExitStatus, RuleFinished, RunFinished
from hookproof.rule import CURRENT, Rule
from hookproof.run import Setup, run
from hookproof.targets.wsgi import WsgiTarget
from hookproof.verdicts import Unproven, Verdict
from hookproof_spec import load


def credulous(_: object, start: object) -> list[bytes]:
    start("200 OK", [])  # type: ignore[operator]
    return [b""]


def ended(*rules: Rule, ruleset: int) -> tuple[dict[str, Verdict], ExitStatus, str]:
    setup = Setup(
        webhook=load("mobility-work").webhook(),
        spec="mobility-work",
        secret="s3cret",
        target=WsgiTarget(credulous),
        rules=rules,
        ruleset=ruleset,
    )
    *events, last = run(setup)
    assert isinstance(last, RunFinished)
    results = {e.rule.id: e.result for e in events if isinstance(e, RuleFinished)}
    message = results[rules[-1].id].message
    return {id: result.verdict for id, result in results.items()}, last.exit, message


YOUNG = replace(BY_ID["forged-no-header"], since=2)


def test_young_rule_is_told_and_not_scored() -> None:
    verdicts, status, message = ended(BY_ID["valid-basic"], YOUNG, ruleset=1)
    assert verdicts["forged-no-header"] is Verdict.INFO
    assert status is ExitStatus.PROVEN
    assert message.startswith("not scored, as it came with rule set 2: ")


def test_same_rule_counts_in_its_own_rule_set() -> None:
    verdicts, status, _ = ended(BY_ID["valid-basic"], YOUNG, ruleset=2)
    assert verdicts["forged-no-header"] is Verdict.FAIL
    assert status is ExitStatus.BROKEN


@pytest.mark.parametrize(("ruleset", "status"), [(1, ExitStatus.PROVEN), (2, ExitStatus.UNPROVEN)])
def test_young_rule_that_cannot_be_proven_counts_likewise(ruleset: int, status: ExitStatus) -> None:
    unproven = replace(YOUNG, check=lambda _: Unproven(message="nobody can tell"))
    assert ended(BY_ID["valid-basic"], unproven, ruleset=ruleset)[1] is status


def test_every_rule_is_of_a_rule_set_that_exists() -> None:
    assert {rule.since for rule in RULES} == set(range(1, CURRENT + 1))
