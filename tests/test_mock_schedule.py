"""What follows a try: laws that hold for every policy, and the words people read."""

from __future__ import annotations

import time
from dataclasses import replace
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof_mockserver.model import (
    DeliveryPolicy,
    DeliveryState,
    Response,
    RetryPolicy,
    Schedule,
)
from hookproof_mockserver.schedule import (
    LONGEST,
    STANDARD,
    Tried,
    after,
    duration,
    most_tries,
    planned_wait,
    refusal,
    retry_after,
)

NOW = 1_700_000_000.0

retries = st.builds(
    RetryPolicy,
    schedule=st.sampled_from(Schedule),
    attempts=st.integers(1, 20),
    first=st.floats(0, 1_000),
    most=st.floats(0, 100_000),
    jitter=st.floats(0, 1),
)
policies = st.builds(
    DeliveryPolicy,
    retry=retries,
    success=st.sampled_from([(), (200,), (204, 200)]),
    disable_after=st.integers(0, 3),
)
responses = st.none() | st.builds(
    Response,
    status=st.integers(200, 599),
    headers=st.sampled_from(
        [(), (("Retry-After", "7"),), (("retry-after", formatdate(NOW + 50)),), (("X", "1"),)]
    ),
    body=st.just(b""),
)
tries = st.builds(
    Tried,
    policy=policies,
    tries=st.integers(1, 25),
    failures=st.integers(0, 5),
    response=responses,
    failure=st.just(""),
    now=st.just(NOW),
    roll=st.floats(0, 1),
    scale=st.floats(0.1, 1_000),
    verbatim=st.booleans(),
)


def answered(status: int, *headers: tuple[str, str]) -> Response:
    return Response(status=status, headers=headers, body=b"")


def tried(response: Response | None, **more: object) -> Tried:
    values: dict[str, object] = {
        "policy": DeliveryPolicy(retry=RetryPolicy(jitter=0.0)),
        "tries": 1,
        "failures": 0,
        "response": response,
        "failure": "",
        "now": NOW,
        "roll": 0.5,
        **more,
    }
    return Tried(**values)  # type: ignore[arg-type]


@given(tries)
def test_every_try_ends_or_is_tried_again(what: Tried) -> None:
    following = after(what)
    assert following.state in (
        DeliveryState.DELIVERED,
        DeliveryState.FAILED,
        DeliveryState.WAITING,
    )
    assert (following.wait is not None) == (following.state is DeliveryState.WAITING)
    assert following.words
    if following.wait is not None:
        assert 0 <= following.wait <= max(LONGEST, 100_000) / what.scale
        assert what.tries < most_tries(what.policy.retry)


@given(tries)
def test_success_forgets_failures_and_failure_counts_once(what: Tried) -> None:
    following = after(what)
    expected = {
        DeliveryState.DELIVERED: 0,
        DeliveryState.WAITING: what.failures,
        DeliveryState.FAILED: what.failures + 1,
    }
    assert following.failures == expected[following.state]
    if following.disables:
        assert following.state is DeliveryState.FAILED


@given(retries, st.integers(1, 500), st.floats(0, 1))
def test_waits_stay_within_the_policy(policy: RetryPolicy, number: int, roll: float) -> None:
    wait = planned_wait(policy, number, roll)
    if policy.schedule is Schedule.STANDARD:
        assert wait in STANDARD
    else:
        assert 0 <= wait <= policy.most


@given(st.integers(1, 60), st.floats(0.1, 10))
def test_exponential_waits_double_without_jitter(number: int, first: float) -> None:
    policy = RetryPolicy(first=first, most=1e30, jitter=0.0)
    assert planned_wait(policy, number + 1, 0.5) == 2 * planned_wait(policy, number, 0.5)


@given(st.text() | st.integers().map(str))
def test_no_retry_after_header_raises(text: str) -> None:
    wait = retry_after(answered(503, ("Retry-After", text)), NOW)
    assert wait is None or wait >= 0


@pytest.mark.parametrize(
    "date",
    [
        "Sun, 06 Nov 1994 08:50:37 GMT",
        "Sunday, 06-Nov-94 08:50:37 GMT",
        "Sun Nov  6 08:50:37 1994",
    ],
)
def test_every_form_of_an_http_date_is_in_gmt(date: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert retry_after(answered(503, ("Retry-After", date)), 784_111_777.0) == 60
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_standard_schedule_is_the_published_one() -> None:
    assert [int(wait) for wait in STANDARD] == [
        5,
        5 * 60,
        30 * 60,
        *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24)),
    ]
    assert most_tries(RetryPolicy(schedule=Schedule.STANDARD, attempts=100)) == 10


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (tried(answered(200)), "received"),
        (tried(answered(500)), "tries again in 5.0 s (attempt 2 of 8)"),
        (tried(None, tries=3), "tries again in 20 s (attempt 4 of 8)"),
        (tried(None, tries=8), "gives up: 8 of 8 attempts have failed"),
        (
            tried(answered(410)),
            "gives up: the receiver answered 410, which disables this webhook",
        ),
        (
            tried(answered(503, ("Retry-After", "90"))),
            "tries again in 90 s (attempt 2 of 8), as the receiver asked",
        ),
        (
            tried(answered(503, ("Retry-After", formatdate(NOW + 600)))),
            "tries again in 10 min (attempt 2 of 8), as the receiver asked",
        ),
        (
            tried(answered(503, ("Retry-After", "9999999"))),
            "tries again in 24 h (attempt 2 of 8), at most 24 h although the receiver asked"
            " for more",
        ),
        (tried(answered(503, ("Retry-After", "1"))), "tries again in 5.0 s (attempt 2 of 8)"),
        (tried(answered(500), scale=60.0), "tries again in 83 ms (attempt 2 of 8)"),
        (
            tried(answered(401), verbatim=True),
            "gives up: the receiver refused the copy with 401, and would refuse it again",
        ),
        (tried(answered(429), verbatim=True), "tries again in 5.0 s (attempt 2 of 8)"),
        (tried(answered(500), verbatim=True), "tries again in 5.0 s (attempt 2 of 8)"),
        (
            tried(None, policy=DeliveryPolicy(retry=RetryPolicy(schedule=Schedule.NONE))),
            "gives up: this webhook's policy has no retries",
        ),
    ],
)
def test_words_say_what_happens_next(what: Tried, words: str) -> None:
    assert after(what).words == words


def test_failures_in_a_row_disable() -> None:
    policy = DeliveryPolicy(retry=RetryPolicy(schedule=Schedule.NONE), disable_after=3)
    second = after(tried(None, policy=policy, failures=1))
    third = after(tried(None, policy=policy, failures=2))
    assert (second.disables, second.failures) == ("", 2)
    assert (third.disables, third.failures) == ("3 deliveries in a row have failed", 3)


def test_a_redirect_is_told_with_its_place() -> None:
    policy = DeliveryPolicy()
    response = answered(302, ("Location", "http://elsewhere.example/"))
    assert refusal(policy, response) == (
        "answered 302, a redirect to 'http://elsewhere.example/'; redirects are not followed"
    )
    assert refusal(policy, answered(500)) == refusal(policy, answered(200)) == ""


def test_a_status_that_was_not_asked_for_is_told() -> None:
    policy = replace(DeliveryPolicy(), success=(200,))
    assert refusal(policy, answered(204)) == "answered 204, and only 200 counts as received"
    assert after(tried(answered(204), policy=policy)).state is DeliveryState.WAITING


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.2, "200 ms"), (5, "5.0 s"), (12, "12 s"), (300, "5 min"), (7_200, "2 h")],
)
def test_durations_are_written_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
