"""Counts under load: exact when they are added up, in whatever order, and small for ever."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.load import parts
from hookproof.load.histogram import LONGEST, SHORTEST, Histogram
from hookproof.load.mix import Kind
from hookproof.load.tally import SLICES, Tally, Timeline
from hookproof.verdicts import Outcome

ANSWERS = ("200", "204", "302", "401", "409", "429", "500", "503", "timeout", "closed")
SECONDS = st.floats(SHORTEST, 30.0)
Answer = tuple[Kind, str, float, float]
ANSWERED = st.tuples(
    st.sampled_from(Kind), st.sampled_from(ANSWERS), SECONDS, st.floats(1.7e9, 1.7e9 + 2000)
)


def counted(answers: Sequence[Answer]) -> Tally:
    tally = Tally()
    for answer in answers:
        tally.add(*answer)
    return tally


def measured(latencies: Sequence[float]) -> Histogram:
    histogram = Histogram()
    for seconds in latencies:
        histogram.add(seconds)
    return histogram


@given(st.lists(SECONDS, min_size=1, max_size=200), st.sampled_from([1, 50, 90, 95, 99, 100]))
def test_percentile_is_that_of_the_list_within_two_percent(
    latencies: list[float], percent: int
) -> None:
    exact = sorted(latencies)[max(1, math.ceil(len(latencies) * percent / 100)) - 1]
    found = measured(latencies).percentile(percent)
    assert found is not None
    assert exact * 0.9999 <= found <= exact * 1.0201


def test_nothing_measured_has_no_percentile() -> None:
    assert Histogram().percentile(50) is None


@pytest.mark.parametrize("seconds", [0.0, -1.0, SHORTEST / 2, LONGEST * 2, 1e12])
def test_latency_beyond_every_bucket_is_counted(seconds: float) -> None:
    assert measured([seconds]).count == 1


@given(st.lists(st.tuples(ANSWERED, st.integers(0, 3)), max_size=60), st.randoms())
def test_parts_of_workers_add_up_to_the_whole(
    answers: list[tuple[Answer, int]], chance: object
) -> None:
    whole = counted([answer for answer, _ in answers])
    shares = [counted([a for a, by in answers if by == worker]) for worker in range(4)]
    chance.shuffle(shares)  # type: ignore[attr-defined]
    merged = Tally()
    for share in shares:
        merged.merge(parts.read(json.loads(json.dumps(parts.written(share)))))
    assert merged == whole
    assert merged.sent == len(answers)


def test_unfinished_requests_survive_the_way_to_a_master() -> None:
    tally = counted([(Kind.VALID, "200", 0.01, 1.7e9)])
    tally.of(Kind.VALID).unfinished += 2
    merged = Tally()
    merged.merge(parts.read(parts.written(tally)))
    assert merged.of(Kind.VALID).sent == 3
    assert merged.of(Kind.VALID).unclear == 2


@given(st.lists(st.integers(0, 10**7), max_size=400))
def test_slices_stay_few_and_lose_nothing(moments: list[int]) -> None:
    timeline = Timeline()
    for moment in moments:
        timeline.at(moment).outcomes[Outcome.ACCEPTED] += 1
    assert len(timeline.slices) <= SLICES
    assert sum(one.outcomes[Outcome.ACCEPTED] for one in timeline.slices.values()) == len(moments)
    numbers = {moment // timeline.width for moment in moments}
    assert set(timeline.slices) == numbers


@given(st.lists(st.integers(0, 10**6), max_size=300), st.lists(st.integers(0, 10**4), max_size=300))
def test_timelines_of_other_widths_can_be_added(long: list[int], short: list[int]) -> None:
    one, other = Timeline(), Timeline()
    for timeline, moments in ((one, long), (other, short)):
        for moment in moments:
            timeline.at(moment).outcomes[Outcome.ACCEPTED] += 1
    other.merge(one)
    assert other.width >= one.width
    counts = [one.outcomes[Outcome.ACCEPTED] for one in other.slices.values()]
    assert sum(counts) == len(long) + len(short)


def test_what_is_kept_does_not_grow_with_the_requests() -> None:
    """Once each bucket of each slice has been met, more requests are larger numbers and no more."""

    def numbers(count: int) -> int:
        tally = Tally()
        for n in range(count):
            tally.add(Kind.VALID, ANSWERS[n % 10], 0.001 * (1 + n % 37), 1.7e9 + n / 10)
        told = parts.written(tally)
        return json.dumps(told).count(",") * SLICES // len(tally.timeline.slices)

    assert numbers(100_000) < 1.1 * numbers(25_000)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"kinds": []},
        {"kinds": {"odd": {}}, "width": 1, "slices": [], "first": None, "last": None},
        {"kinds": {}, "width": "1", "slices": [], "first": None, "last": None},
        {"kinds": {}, "width": 1, "slices": [[1, {}]], "first": None, "last": None},
        {"kinds": {}, "width": 1, "slices": [], "first": "now", "last": None},
    ],
)
def test_part_that_is_none_is_refused(told: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        parts.read(told)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("200", Outcome.ACCEPTED),
        ("302", Outcome.REJECTED),
        ("401", Outcome.REJECTED),
        ("429", Outcome.THROTTLED),
        ("500", Outcome.CRASHED),
        ("timeout", Outcome.DROPPED),
    ],
)
def test_answer_has_the_outcome_that_the_rules_give_it(answer: str, outcome: Outcome) -> None:
    tally = counted([(Kind.FORGED, answer, 0.1, 1.7e9)])
    assert tally.of(Kind.FORGED).outcomes == {outcome: 1}
    assert tally.of(Kind.FORGED).answers_of(outcome) == {answer: 1}


def test_time_of_a_load_is_from_first_request_to_last_answer() -> None:
    tally = counted([(Kind.VALID, "200", 0.5, 1.7e9), (Kind.VALID, "200", 1.0, 1.7e9 + 9)])
    assert tally.seconds == pytest.approx(9.5)
