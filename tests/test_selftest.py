"""`hookproof selftest` tells of every receiver how it was judged, and fails where that is wrong.

Whether the contract itself judges rightly is what `test_matrix` shows; here it is how it is told.
"""

from __future__ import annotations

import json
import os
from typing import ClassVar

import pytest

from hookproof.catalogue import rule
from hookproof.cli import main, selftest
from hookproof.cli.selftest import Row, tried, unexposed
from hookproof.miniatures.base import Miniature
from hookproof.miniatures.broken_forged import KnowsEmptyKey, TrustsMissingHeader
from hookproof.miniatures.correct import IgnoresReplays, Plain, TakesFutureTimes
from hookproof.rule import Rule
from support.command_line import hookproof_command

RULES = tuple(
    rule(id) for id in ("valid-basic", "forged-no-header", "forged-empty-secret", "stale-future")
)


class Blameless(Miniature):
    """Says it has a bug. And has none."""

    exposed_by: ClassVar = ("forged-no-header",)


class Guilty(TrustsMissingHeader):
    """Says it is correct."""


class AcceptsNothing(Miniature):
    """Refuses whatever comes."""

    exposed_by: ClassVar = ("valid-basic",)

    def verify(self, request: object, stamp: object) -> None:
        self.check_age(self.parse("t=0,nonce=00000000,signature=" + "0" * 64))


class AcceptsAnyFuture(TakesFutureTimes):
    """Looks at one side of the age."""

    exposed_by: ClassVar = ("stale-future",)


CORRECT = (Plain, IgnoresReplays, TakesFutureTimes)
BROKEN = (AcceptsNothing, TrustsMissingHeader, KnowsEmptyKey, AcceptsAnyFuture)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch)


def use(
    monkeypatch: pytest.MonkeyPatch,
    *,
    correct: tuple[type[Miniature], ...] = CORRECT,
    flawed: tuple[type[Miniature], ...] = BROKEN,
    rules: tuple[Rule, ...] = RULES,
) -> None:
    monkeypatch.setattr(selftest, "CORRECT", correct)
    monkeypatch.setattr(selftest, "BROKEN", flawed)
    monkeypatch.setattr(selftest, "RULES", rules)


def test_matrix_that_is_right_has_a_line_for_each_receiver(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["selftest"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "correct receivers: 3",
        "  ok     Plain: The miniature as it is -> no finding",
        "  ok     IgnoresReplays: Acknowledges a replay with 200 and does nothing -> no finding",
        "  ok     TakesFutureTimes: Looks at one side of the age only, as several official SDKs do"
        " -> stale-future (as it may)",
        "",
        "receivers with a bug: 4",
        "  ok     AcceptsNothing: Refuses whatever comes -> valid-basic",
        "  ok     TrustsMissingHeader: Verifies only when there is something to verify"
        " -> forged-no-header",
        "  ok     KnowsEmptyKey: Accepts the key of an environment in which the secret is not set"
        " -> forged-empty-secret",
        "  ok     AcceptsAnyFuture: Looks at one side of the age -> stale-future",
        "",
        "4 rules, 4 of them exposed a bug; 3 of 3 correct receivers and 4 of 4 with a bug judged"
        " rightly",
    ]


def test_missed_bug_fails_the_selftest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, flawed=(*BROKEN, Blameless))
    assert main(["selftest"]) == 1
    out = capsys.readouterr().out
    assert "  WRONG  Blameless: Says it has a bug -> no finding [missed: forged-no-header]\n" in out
    assert out.endswith("4 of 5 with a bug judged rightly\n")


def test_false_alarm_fails_the_selftest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, correct=(*CORRECT, Guilty))
    assert main(["selftest"]) == 1
    out = capsys.readouterr().out
    assert "Guilty: Says it is correct -> forged-no-header [false alarm: forged-no-header]" in out
    assert "3 of 4 correct receivers" in out


def test_rule_that_exposes_nothing_fails_the_selftest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, rules=(*RULES, rule("forged-unkeyed-hash")))
    assert main(["selftest"]) == 1
    out = capsys.readouterr().out
    assert "rules that exposed no receiver: forged-unkeyed-hash\n" in out
    assert "5 rules, 4 of them exposed a bug" in out


def test_json_tells_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selftest", "--format", "json", "--seed", "7"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["right"], value["seed"], value["unexposed"]) == (True, 7, [])
    assert value["rules"] == [rule.id for rule in RULES]
    assert value["receivers"][4] == {
        "name": "TrustsMissingHeader",
        "correct": False,
        "about": "Verifies only when there is something to verify.",
        "expected": ["forged-no-header"],
        "broken": ["forged-no-header"],
        "right": True,
    }


def test_seed_reaches_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []

    def noting(*_: object, seed: int) -> dict[str, object]:
        seeds.append(seed)
        return {}

    monkeypatch.setattr(selftest, "trial", noting)
    tried(Plain, 7)
    assert seeds == [7]


def test_rule_counts_as_exposing_by_a_bug_alone() -> None:
    row = Row(name="x", correct=True, about="", expected=("a",), found=("valid-basic",))
    assert "valid-basic" in unexposed([row])


@pytest.mark.parametrize("arguments", [["--format", "xml"], ["--seed", "x"], ["word"]])
def test_wrong_use_is_told_in_a_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["selftest", *arguments]) == 2
    assert capsys.readouterr().err.startswith("hookproof: selftest")


@pytest.mark.skipif("HOOKPROOF_LONG" not in os.environ, reason="test_matrix runs the same matrix")
def test_whole_matrix_is_right() -> None:
    result = hookproof_command("selftest", secret=None)
    assert result.returncode == 0, result.stdout.decode()
