"""What is on its way: told from the rows alone, through retries, forgeries, kills and removals."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hookproof_mockserver.model import Attempt, DeliveryState, Fault, FaultKind
from hookproof_mockserver.sender import MockSender
from hookproof_mockserver.sender_errors import Conflict
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Request
from hookproof_spec.webhook import Webhook
from support.mock_making import FAST, SECRET, TwoRules, mock_sender, only_delivery, settled
from support.mock_receiving import Received, Receiver, Reply, answers, receiving

FORGERY = (Fault(kind=FaultKind.RULE, rule="forged-x"),)
TWICE = (Fault(kind=FaultKind.DUPLICATE),)
UNDERWAY = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.WAITING)


class Slow(TwoRules):
    """A forge that makes a request when it is told to, or fails."""

    def __init__(self, problem: str = "") -> None:
        self.asked, self.go = threading.Event(), threading.Event()
        self.problem = problem

    def requests(
        self, rule: str, webhook: Webhook, secret: str, url: str, now: float
    ) -> tuple[Request, ...]:
        self.asked.set()
        self.go.wait(30)
        if self.problem:
            raise HookproofError(self.problem)
        return super().requests(rule, webhook, secret, url, now)


def listed(sender: MockSender, state: DeliveryState) -> list[str]:
    return [each.id for each in sender.deliveries(state=state).items]


def test_each_delivery_is_listed_under_the_state_it_has() -> None:
    with receiving() as receiver, mock_sender() as sender:
        sleeping = sender.register(url=receiver.url, secret=SECRET, active=False)
        event = sender.trigger(faults=TWICE)
        assert not sender.deliveries(event=event.id).items  # nobody was subscribed
        webhook = sender.register(url=receiver.url, secret=SECRET, policy=FAST)
        receiver.gate.clear()
        going = only_delivery(sender, sender.trigger()).id
        held = only_delivery(
            sender, sender.trigger(faults=(Fault(kind=FaultKind.DELAY, seconds=600),))
        ).id
        receiver.wait_for(1)
        found = {state: listed(sender, state) for state in UNDERWAY}
        of_it = sender.deliveries(state=DeliveryState.SENDING, subscription=webhook.id).items
        of_other = sender.deliveries(state=DeliveryState.SENDING, subscription=sleeping.id).items
        everything = {
            each.id: each.state for each in sender.deliveries(subscription=webhook.id).items
        }
        receiver.gate.set()
        sender.cancel(held)
        settled(sender)
        assert not listed(sender, DeliveryState.SENDING)
        assert listed(sender, DeliveryState.DELIVERED) == [going]
    assert found == {
        DeliveryState.PENDING: [],
        DeliveryState.SENDING: [going],
        DeliveryState.WAITING: [held],
    }
    assert [each.id for each in of_it] == [going]
    assert not of_other
    assert everything == {going: DeliveryState.SENDING, held: DeliveryState.WAITING}


def test_an_attempt_keeps_its_outcome_while_the_next_is_on_its_way() -> None:
    replies = answers(Reply(503, (("X-Why", "busy"),), b"no"), Reply(500), Reply())
    with receiving(replies) as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET, policy=FAST)
        heard: list[tuple[int | None, str, tuple[Attempt, ...]]] = []

        def hear(delivery: object, attempt: Attempt) -> None:
            if attempt.seconds is None:
                now = sender.delivery(attempt.delivery_id)
                heard.append((now.last_status, now.state.value, sender.attempts(now.id)))

        sender.add_listener(hear)
        delivery = only_delivery(sender, sender.trigger())
        settled(sender)
        after = sender.attempts(delivery.id)
    assert [state for _, state, _ in heard] == ["sending"] * 3
    assert [status for status, _, _ in heard] == [None] * 3
    for number, (_, _, attempts) in enumerate(heard):
        assert attempts[:number] == after[:number]
        assert (attempts[number].seconds, attempts[number].response) == (None, None)
    first, second, third = after
    assert first.response is not None
    assert (first.response.status, first.response.body) == (503, b"no")
    assert ("X-Why", "busy") in first.response.headers
    assert first.next_words.endswith("(attempt 2 of 3)")
    assert second.next_words.endswith("(attempt 3 of 3)")
    assert (third.succeeded, third.next_words) == (True, "received")


@pytest.mark.parametrize("change", [MockSender.cancel, MockSender.retry_now])
def test_what_is_on_its_way_is_left_alone(change: Callable[[MockSender, str], object]) -> None:
    with receiving() as receiver, mock_sender() as sender:
        webhook = sender.register(url=receiver.url, secret=SECRET)
        receiver.gate.clear()
        delivery = only_delivery(sender, sender.trigger())
        receiver.wait_for(1)
        with pytest.raises(Conflict, match="on its way"):
            change(sender, delivery.id)
        sender.remove(webhook.id)
        receiver.gate.set()
        settled(sender)
        assert sender.delivery(delivery.id).state is DeliveryState.DELIVERED
        assert sum(sender.counts().values()) == 1


def test_a_forgery_cancelled_while_it_is_made_is_not_sent() -> None:
    forge = Slow()
    with receiving() as receiver, mock_sender(forge=forge) as sender:
        sender.register(url=receiver.url, secret=SECRET)
        delivery = only_delivery(sender, sender.trigger(faults=FORGERY))
        assert forge.asked.wait(30)
        sender.cancel(delivery.id)
        forge.go.set()
        settled(sender)
        assert sender.delivery(delivery.id).state is DeliveryState.CANCELLED
        assert sender.attempts(delivery.id) == ()
        counts = {state: count for state, count in sender.counts().items() if count}
        assert counts == {DeliveryState.CANCELLED: 1}
    assert not receiver.received


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_forgery_that_cannot_be_made_ends_once(cancelled: bool) -> None:
    forge = Slow("no such forgery here")
    with receiving() as receiver, mock_sender(forge=forge) as sender:
        sender.register(url=receiver.url, secret=SECRET)
        delivery = only_delivery(sender, sender.trigger(faults=FORGERY))
        assert forge.asked.wait(30)
        if cancelled:
            sender.cancel(delivery.id)
        forge.go.set()
        settled(sender)
        found = sender.delivery(delivery.id)
        counts = {state: count for state, count in sender.counts().items() if count}
    expected = DeliveryState.CANCELLED if cancelled else DeliveryState.FAILED
    assert found.state is expected
    assert counts == {expected: 1}
    assert cancelled or "no such forgery here" in found.next_words
    assert not receiver.received


def test_a_request_that_cannot_leave_is_no_longer_on_its_way(tmp_path: Path) -> None:
    """Its forgery has been recorded by then, so its end is that of an attempt."""
    missing = tmp_path / "ca.pem"
    with mock_sender(ca_file=missing) as sender:
        sender.register(url="https://127.0.0.1:9/", secret=SECRET, policy=FAST)
        delivery = only_delivery(sender, sender.trigger(faults=FORGERY))
        settled(sender)
        [attempt] = sender.attempts(delivery.id)
        found = sender.delivery(delivery.id)
    assert found.state is DeliveryState.FAILED
    assert attempt.response is None
    assert attempt.failure
    assert found.last_failure == attempt.failure


def copy_of_a_living(store: Path, where: Path) -> Path:
    """Copy a store as a kill at this moment would leave it."""
    for end in ("", "-wal"):
        shutil.copy(f"{store}{end}", f"{where}{end}")
    return where


def interrupted(tmp_path: Path, faults: tuple[Fault, ...], sent: int) -> tuple[Path, str, Receiver]:
    store = tmp_path / "first.db"
    with receiving() as receiver, mock_sender(store) as sender:
        sender.register(url=receiver.url, secret=SECRET, policy=FAST)
        receiver.gate.clear()
        delivery = only_delivery(sender, sender.trigger(faults=faults)).id
        receiver.wait_for(sent)
        killed = copy_of_a_living(store, tmp_path / "second.db")
        receiver.gate.set()
        settled(sender)
    return killed, delivery, receiver


@pytest.mark.parametrize(("faults", "sent"), [((), 1), (TWICE, 2), (FORGERY, 1)])
def test_every_request_of_a_killed_sender_is_told_as_interrupted(
    tmp_path: Path, faults: tuple[Fault, ...], sent: int
) -> None:
    killed, delivery, before = interrupted(tmp_path, faults, sent)
    with mock_sender(killed) as sender:
        settled(sender)
        attempts = sender.attempts(delivery)
        found = sender.delivery(delivery)
        counts = {state: count for state, count in sender.counts().items() if count}
    old, new = attempts[:sent], attempts[sent:]
    assert [each.failure for each in old] == ["interrupted"] * sent
    assert old[-1].next_words == "tries again at once: the sender was ended before an answer came"
    assert new
    assert all("connection refused" in each.failure for each in new)
    assert [each.number for each in attempts] == list(range(1, found.attempts + 1))
    assert sum(counts.values()) == 1
    assert len(before.received) == sent


def test_killed_while_a_retry_is_on_its_way_keeps_both_outcomes(tmp_path: Path) -> None:
    store = tmp_path / "first.db"

    def refusing_the_first(request: Received) -> Reply:
        if request.number > 1:
            return Reply()
        receiver.gate.clear()  # the second waits for its answer
        return Reply(503)

    with receiving(refusing_the_first) as receiver, mock_sender(store) as sender:
        sender.register(url=receiver.url, secret=SECRET, policy=FAST)
        delivery = only_delivery(sender, sender.trigger()).id
        receiver.wait_for(2)
        killed = copy_of_a_living(store, tmp_path / "second.db")
        receiver.gate.set()
        settled(sender)
    with mock_sender(killed) as sender:
        first, second, *_ = sender.attempts(delivery)
    assert first.response is not None
    assert first.response.status == 503
    assert first.next_words.startswith("tries again in")
    assert second.failure == "interrupted"
