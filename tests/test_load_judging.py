"""Judging a load: exact where it can be, open where it cannot, and never green on nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.events import ExitStatus
from hookproof.load.judging import NEVER, Effects, Facts, Finding, Judged, Row, Weight, judge
from hookproof.load.mix import Kind
from hookproof.load.tally import Tally
from hookproof.verdicts import ForgedPolicy, Outcome, ReplayPolicy

Counts = Mapping[Kind, Mapping[str, int]]
RIGHT: Counts = {
    Kind.VALID: {"200": 100},
    Kind.FORGED: {"401": 10},
    Kind.STALE: {"401": 10},
    Kind.REPLAYED: {"409": 10},
}
NUMBER = st.integers(0, 50)
EARLIER = 7


def tally(counts: Counts) -> Tally:
    counted = Tally()
    for kind, answers in counts.items():
        for answer, number in answers.items():
            for _ in range(number):
                counted.add(kind, answer, 0.01, 1.7e9)
    return counted


def facts(counts: Counts, had: int | None = None, **more: object) -> Facts:
    effects = None if had is None else Effects(EARLIER, EARLIER + had)
    return Facts(tally=tally({**RIGHT, **counts}), effects=effects, **more)  # type: ignore[arg-type]


def ids(judged: Judged) -> list[str]:
    return [finding.id for finding in judged.findings]


def row(judged: Judged, kind: Kind) -> Row:
    return next(row for row in judged.rows if row.kind is kind)


def test_right_receiver_has_no_findings() -> None:
    for had in (None, 100):
        judged = judge(facts({}, had))
        assert judged.findings == ()
        assert judged.status is ExitStatus.PROVEN


@pytest.mark.parametrize(
    ("counts", "had", "id", "found"),
    [
        (
            {Kind.FORGED: {"200": 4, "401": 6}},
            104,
            "forged-accepted",
            "4 of 10 forged requests were accepted: 200",
        ),
        (
            {Kind.STALE: {"202": 10}},
            110,
            "stale-accepted",
            "10 of 10 stale requests were accepted: 202",
        ),
        (
            {Kind.REPLAYED: {"200": 10}},
            103,
            "replayed-accepted",
            "3 of 10 replayed requests were accepted: 200",
        ),
        (
            {Kind.VALID: {"200": 90, "401": 9, "403": 1}},
            90,
            "valid-refused",
            "10 of 100 genuine events were refused: 401 (9), 403 (1)",
        ),
        (
            {Kind.VALID: {"200": 99, "500": 1}},
            100,
            "valid-crashed",
            "1 of 100 genuine events were answered with an error: 500",
        ),
        (
            {Kind.VALID: {"200": 98, "timeout": 2}},
            99,
            "valid-unanswered",
            "2 of 100 genuine events got no answer: timeout",
        ),
        (
            {},
            97,
            "valid-lost",
            "3 of 100 genuine events that were answered 2xx had no effect",
        ),
        ({}, 101, "effects-doubled", "1 effect too many: genuine events were acted on twice"),
    ],
)
def test_one_bug_is_one_finding_with_its_numbers(
    counts: Counts, had: int, id: str, found: str
) -> None:
    judged = judge(facts(counts, had))
    assert [(finding.id, finding.found) for finding in judged.findings] == [(id, found)]
    assert judged.status is ExitStatus.BROKEN


def test_acknowledged_copies_without_effect_are_ignored() -> None:
    judged = judge(facts({Kind.REPLAYED: {"200": 10}}, 100))
    assert judged.status is ExitStatus.PROVEN
    assert row(judged, Kind.REPLAYED).ignored == 10


def test_acknowledged_copies_are_open_without_a_probe() -> None:
    judged = judge(facts({Kind.REPLAYED: {"200": 10}}))
    assert ids(judged) == ["replayed-unproven"]
    assert judged.status is ExitStatus.UNPROVEN
    assert "--effects-url" in judged.findings[0].remedy
    declared = judge(facts({Kind.REPLAYED: {"200": 10}}, replay=ReplayPolicy.REJECTS))
    assert ids(declared) == ["replayed-accepted"]


@pytest.mark.parametrize("kind", [Kind.FORGED, Kind.STALE])
def test_any_2xx_on_a_forgery_fails_without_a_probe(kind: Kind) -> None:
    assert judge(facts({kind: {"200": 1, "401": 9}})).status is ExitStatus.BROKEN
    declared = judge(facts({kind: {"200": 1}}, forged=ForgedPolicy.IGNORES))
    assert declared.status is ExitStatus.UNPROVEN


def test_acknowledged_forgery_without_effect_is_a_warning() -> None:
    counts: Counts = {Kind.FORGED: {"200": 10}}
    judged = judge(facts(counts, 100))
    assert [(finding.id, finding.weight) for finding in judged.findings] == [
        ("forged-ignored", Weight.WARN)
    ]
    assert judged.status is ExitStatus.PROVEN
    assert judge(facts(counts, 100, forged=ForgedPolicy.IGNORES)).findings == ()


def test_surplus_of_two_suspects_is_blamed_on_neither() -> None:
    judged = judge(facts({Kind.FORGED: {"200": 10}, Kind.REPLAYED: {"200": 10}}, 105))
    assert ids(judged) == ["effects-too-many"]
    assert (
        judged.findings[0].found == "5 effects too many: forged or replayed requests were acted on"
    )
    assert row(judged, Kind.FORGED).unknown == row(judged, Kind.REPLAYED).unknown == 10


def test_single_request_tells_which_suspect_it_is() -> None:
    counts: Counts = {Kind.FORGED: {"200": 10}, Kind.REPLAYED: {"200": 10}}
    judged = judge(facts(counts, 110, acts_alone=frozenset({Kind.FORGED})))
    assert ids(judged) == ["forged-accepted"]
    assert judged.findings[0].found.endswith("; a single one was, too, before the load")
    assert row(judged, Kind.REPLAYED).ignored == 10


def test_losses_do_not_hide_behind_forgeries() -> None:
    counts: Counts = {Kind.FORGED: {"200": 10}}
    judged = judge(facts(counts, 100, acts_alone=frozenset({Kind.FORGED})))
    assert ids(judged) == ["valid-lost", "forged-accepted"]
    assert judged.lost == 10


def test_throttling_is_no_breach() -> None:
    judged = judge(facts({Kind.VALID: {"200": 90, "429": 5, "503": 5}}, 90))
    assert ids(judged) == ["valid-put-off"]
    assert judged.status is ExitStatus.PROVEN


@pytest.mark.parametrize(
    "counts",
    [{}, {Kind.VALID: {"429": 10}}, {Kind.FORGED: {"401": 5}}],
)
def test_nothing_genuine_taken_is_never_green(counts: Counts) -> None:
    assert judge(Facts(tally=tally(counts))).status is ExitStatus.UNPROVEN


def test_what_was_found_before_the_load_counts() -> None:
    found = Finding(id="unreachable", weight=Weight.UNPROVEN, found="f", expected="e", remedy="r")
    assert judge(facts({}, before=(found,))).status is ExitStatus.UNPROVEN


@given(
    counts=st.fixed_dictionaries(
        {
            kind: st.dictionaries(
                st.sampled_from(["200", "401", "429", "500", "closed"]), st.integers(1, 8)
            )
            for kind in Kind
        }
    ),
    had=st.none() | st.integers(0, 40),
    acts=st.frozensets(st.sampled_from(NEVER)),
    replay=st.sampled_from(ReplayPolicy),
    forged=st.sampled_from(ForgedPolicy),
)
def test_every_request_ends_in_one_column(
    counts: Counts,
    had: int | None,
    acts: frozenset[Kind],
    replay: ReplayPolicy,
    forged: ForgedPolicy,
) -> None:
    judged = judge(facts(counts, had, acts_alone=acts, replay=replay, forged=forged))
    for one in judged.rows:
        split = (one.accepted, one.ignored, one.unknown)
        assert min(split) >= 0
        assert sum(split) == one.had(Outcome.ACCEPTED)
        assert one.count.sent == sum(one.count.outcomes.values())
    wrong = any(finding.weight is Weight.FAIL for finding in judged.findings)
    assert (judged.status is ExitStatus.BROKEN) == wrong


@given(taken=st.integers(1, 50), unclear=NUMBER, acted=st.data())
def test_unanswered_events_may_have_had_their_effect(
    taken: int, unclear: int, acted: st.DataObject
) -> None:
    """A receiver that did its work and answered too late is not said to have doubled it."""
    late = acted.draw(st.integers(0, unclear))
    judged = judge(facts({Kind.VALID: {"200": taken, "timeout": unclear}}, taken + late))
    assert judged.lost == judged.doubled == 0


@given(
    kind=st.sampled_from(NEVER),
    taken=st.integers(1, 50),
    lost=NUMBER,
    acted=st.data(),
)
def test_single_wrong_kind_is_counted_exactly(
    kind: Kind, taken: int, lost: int, acted: st.DataObject
) -> None:
    had = acted.draw(st.integers(0, taken))
    judged = judge(facts({kind: {"200": taken}}, 100 + had))
    assert row(judged, kind).accepted == had
    assert row(judged, kind).ignored == taken - had
    assert (f"{kind.value}-accepted" in ids(judged)) == (had > 0)
    assert judge(facts({}, 100 - lost)).lost == lost
