"""The courier is patient with receivers that limit their rate, and calm about what they say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.courier import PATIENCE, Courier, Unreachable
from hookproof.targets.base import PLAIN, Capability, Exchange, Failure, Framing
from hookproof_spec.request import Header, Request

REQUEST = Request("POST", "http://127.0.0.1/webhook", (), b"{}")
NOW = 1_700_000_000.0


@dataclass
class Scripted:
    """A target that gives one answer after another, and the last one for ever."""

    answers: list[Exchange]
    url: str = "http://127.0.0.1/webhook"
    capabilities: frozenset[Capability] = frozenset()
    slept: list[float] = field(default_factory=list)

    def send(self, request: Request, framing: Framing = PLAIN) -> Exchange:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def send_all(self, requests: Sequence[Request], *, together: bool = False) -> list[Exchange]:
        return [self.send(request) for request in requests]

    def converse(self, requests: Iterable[Request]) -> list[Exchange]:
        return [self.send(request) for request in requests]

    def close(self) -> None:
        pass

    def courier(self, rate: float | None = None) -> Courier:
        return Courier(self, rate, sleep=self.slept.append, monotonic=lambda: 0, wall=lambda: NOW)


def answer(status: int, *headers: Header) -> Exchange:
    return Exchange(request=REQUEST, status=status, headers=headers)


def test_receiver_that_asks_for_patience_is_waited_for() -> None:
    target = Scripted(
        [answer(429, ("Retry-After", "3")), answer(503, ("Retry-After", "1")), answer(200)]
    )
    courier = target.courier()
    assert courier.send(REQUEST).status == 200
    assert (target.slept, courier.sent) == ([3.0, 1.0], 3)


@pytest.mark.parametrize("asked", ["31", "9" * 400])
def test_longer_waits_than_our_patience_are_not_begun(asked: str) -> None:
    target = Scripted([answer(429, ("Retry-After", asked))])
    assert target.courier().send(REQUEST).status == 429
    assert target.slept == []


def test_receiver_that_never_relents_uses_up_our_patience() -> None:
    target = Scripted([answer(429, ("Retry-After", "0"))])
    assert target.courier().send(REQUEST).status == 429
    assert sum(target.slept) <= PATIENCE


def test_rate_spreads_requests_over_time() -> None:
    target = Scripted([answer(200)])
    courier = target.courier(rate=4)
    for _ in range(3):
        courier.send(REQUEST)
    assert target.slept == [0.25, 0.5]


def test_receiver_that_was_never_there_ends_the_run() -> None:
    gone = Exchange(request=REQUEST, failure=Failure.UNREACHABLE, detail="Connection refused")
    with pytest.raises(Unreachable, match="cannot reach the receiver: Connection refused"):
        Scripted([gone]).courier().send(REQUEST)
    courier = Scripted([answer(200), gone]).courier()
    courier.send(REQUEST)
    assert courier.send(REQUEST).failure is Failure.UNREACHABLE


def test_skew_is_read_from_the_date() -> None:
    courier = Scripted([answer(200, ("Date", "Tue, 14 Nov 2023 22:14:00 GMT"))]).courier()
    courier.send(REQUEST)
    assert courier.skew == 40.0


hostile = st.one_of(
    st.text(st.characters(max_codepoint=255)),
    st.from_regex(
        r"\A(Mon, )?[0-9]{0,25} (Jan|Feb|Foo) [0-9]{0,25} [0-9]{0,25}:[0-9]{0,3}:[0-9]{0,3}"
        r" (GMT|[+-][0-9]{0,25})?\Z"
    ),
)


@given(hostile, hostile)
def test_no_header_of_an_answer_stops_a_run(date: str, pause: str) -> None:
    target = Scripted([answer(429, ("Date", date), ("Retry-After", pause))])
    assert target.courier().send(REQUEST).status == 429
