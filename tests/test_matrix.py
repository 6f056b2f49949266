"""The self-proof: every rule against every miniature receiver.

A correct receiver has no finding; a broken one has exactly those it names; and no rule can be taken
away unnoticed, because for each there is a receiver that it exposes, and for each MUST rule one
that no other MUST rule does.
"""

from __future__ import annotations

import pytest

from hookproof.catalogue import BY_ID, RULES
from hookproof.events import RuleResult
from hookproof.miniatures.base import Miniature
from hookproof.miniatures.broken_valid import ActsTwice, IgnoresSamePart
from hookproof.miniatures.catalogue import BROKEN, CORRECT
from hookproof.miniatures.trial import broken, trial
from hookproof.rule import Rule
from hookproof.verdicts import Level, ReplayPolicy, Verdict
from support.trials import briefly_tried, searches

BY_EFFECT_ALONE = (ActsTwice, IgnoresSamePart)
SLOW = ("load-interleaved", "load-forged-flood", "payload-huge-unsigned", "replay-later")
"""Most of a run's requests and bytes: left out where another test of a receiver has them."""
TIMED = {"replay-race", "valid-split-writes"}
TRIES = 4
"""For what is timed: a race may be lost, or a pause slept through, on a busy machine."""
PROVABLE = [kind for kind in CORRECT if not kind.defends_itself]


def name_of(kind: type[Miniature]) -> str:
    return kind.__name__


def rules_without_slow(kind: type[Miniature]) -> list[Rule]:
    return [rule for rule in RULES if rule.id not in SLOW or rule.id in kind.exposed_by]


def rules_without_searches(kind: type[Miniature]) -> list[Rule]:
    """Leave out what `test_properties` and `test_model` try with seeds of their own."""
    return [rule for rule in rules_without_slow(kind) if not searches(rule)]


def told(results: dict[str, RuleResult]) -> dict[str, str]:
    return {
        id: f"{result.verdict.value}: {result.message}"
        for id, result in results.items()
        if result.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE)
    }


@pytest.mark.parametrize("kind", PROVABLE, ids=name_of)
@pytest.mark.parametrize("seed", [0, 1])
def test_correct_receiver_has_no_finding(kind: type[Miniature], seed: int) -> None:
    results = trial(kind, RULES if seed == 0 else rules_without_searches(kind), seed=seed)
    assert set(told(results)) <= set(kind.may_warn), told(results)


@pytest.mark.parametrize(
    "kind", [kind for kind in PROVABLE if not kind.ignores_forged], ids=name_of
)
def test_correct_receiver_has_no_finding_by_status_alone(kind: type[Miniature]) -> None:
    results = trial(kind, rules_without_slow(kind), probe=False)
    assert broken(results) <= set(kind.may_warn), told(results)


@pytest.mark.once
@pytest.mark.parametrize("kind", BROKEN, ids=name_of)
def test_broken_receiver_breaks_exactly_what_it_names(kind: type[Miniature]) -> None:
    exposed = set(kind.exposed_by)
    for _ in range(TRIES if exposed & TIMED else 1):
        results = briefly_tried(kind, RULES)
        if not broken(results) < exposed:
            break
    assert broken(results) == exposed, told(results)


@pytest.mark.once
@pytest.mark.parametrize(
    "kind",
    [kind for kind in BROKEN if kind not in BY_EFFECT_ALONE and not kind.judged_by],
    ids=name_of,
)
def test_broken_receiver_never_looks_whole_by_status(kind: type[Miniature]) -> None:
    """Without a probe a bug may be out of sight, but then its rule says that it cannot tell."""
    rules = rules_without_slow(kind)
    results = briefly_tried(kind, rules, probe=False, replay=ReplayPolicy.REJECTS)
    assert broken(results) <= set(kind.exposed_by), told(results)
    unseen = set(kind.exposed_by) - broken(results)
    assert all(results[id].verdict is not Verdict.PASS for id in unseen), told(results)


def must_rules(kind: type[Miniature]) -> set[str]:
    return {id for id in kind.exposed_by if BY_ID[id].level is Level.MUST}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rule_has_a_receiver_that_it_exposes(rule: object) -> None:
    id = getattr(rule, "id", "")
    exposed = [kind for kind in BROKEN if id in kind.exposed_by]
    if BY_ID[id].level is Level.MUST:
        exposed = [kind for kind in exposed if must_rules(kind) == {id}]
    assert exposed
