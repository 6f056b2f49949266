"""Faults on purpose: each does what it says, once, and what follows it is as usual."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hookproof_mockserver.model import DeliveryPolicy, DeliveryState, Fault, FaultKind
from hookproof_mockserver.sender_errors import Conflict, Invalid
from hookproof_spec.payloads import example
from hookproof_spec.pointers import replace as put
from support.mock_making import FAST, ONCE, SECRET, document, mock_sender, only_delivery, settled
from support.mock_receiving import Reply, answers, receiving, until
from support.sockets import OK, Peer, scripted

DUPLICATE = Fault(kind=FaultKind.DUPLICATE)
REORDER = Fault(kind=FaultKind.REORDER)
RESET = Fault(kind=FaultKind.RESET)


def rule(id: str) -> Fault:
    return Fault(kind=FaultKind.RULE, rule=id)


def test_a_duplicate_is_the_same_bytes_twice_at_once() -> None:
    with receiving(lambda r: Reply(200 if r.number == 1 else 409)) as receiver:
        receiver.gate.clear()
        with mock_sender() as sender:
            sender.register(url=receiver.url, secret=SECRET, policy=FAST)
            event = sender.trigger(faults=(DUPLICATE,))
            receiver.wait_for(2)
            receiver.gate.set()
            settled(sender)
            delivery = only_delivery(sender, event)
            first, second = sender.attempts(delivery.id)
    assert receiver.most_at_once == 2
    assert first.request == second.request
    assert receiver.received[0].headers == receiver.received[1].headers
    assert {a.response.status for a in (first, second) if a.response} == {200, 409}
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 2)


def test_a_duplicate_that_fails_is_retried_once() -> None:
    replies = answers(Reply(500), Reply(500), Reply())
    with receiving(replies) as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET, policy=FAST)
        event = sender.trigger(faults=(DUPLICATE,))
        settled(sender)
        attempts = sender.attempts(only_delivery(sender, event).id)
    assert len(receiver.received) == 3
    assert [a.succeeded for a in attempts] == [False, False, True]
    assert attempts[1].next_words == "tries again in 10 ms (attempt 2 of 3)"


@pytest.mark.parametrize("ordered", [False, True])
def test_reordered_events_change_places(ordered: bool) -> None:
    with receiving() as receiver, mock_sender() as sender:
        policy = replace(ONCE, ordered=ordered, concurrency=1)
        sender.register(url=receiver.url, secret=SECRET, policy=policy)
        sample = example(document().webhook())
        first, second, third = (
            put(sample, "/sparePart/sparePartId", name) for name in ("one", "two", "three")
        )
        held = sender.trigger(payload=first, faults=(REORDER,))
        assert sender.idle(30)
        assert receiver.received == []
        words = only_delivery(sender, held).next_words
        sender.trigger(payload=second)
        settled(sender)
        sender.trigger(payload=third)
        settled(sender)
    assert words == "held back until the next one has gone out, on purpose"
    order = [
        name for r in receiver.received for name in (b"one", b"two", b"three") if name in r.body
    ]
    assert order == [b"two", b"one", b"three"]


def test_a_webhook_that_reorders_swaps_pairs() -> None:
    with receiving() as receiver, mock_sender() as sender:
        webhook = sender.register(url=receiver.url, secret=SECRET, policy=ONCE)
        sender.change(webhook.id, faults=(REORDER,))
        events = []
        for _ in range(2):
            events += [sender.trigger(), sender.trigger()]
            settled(sender)
        bodies = [event.body for event in events]
    if len(set(bodies)) == 4:  # two events of one millisecond are alike
        assert [r.body for r in receiver.received] == [bodies[n] for n in (1, 0, 3, 2)]
    assert len(receiver.received) == 4


def test_a_delay_holds_back_and_can_be_cut_short() -> None:
    with receiving() as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET)
        event = sender.trigger(faults=(Fault(kind=FaultKind.DELAY, seconds=600),))
        assert sender.idle(30)
        delivery = only_delivery(sender, event)
        assert (delivery.state, delivery.next_words) == (
            DeliveryState.WAITING,
            "held back for 600 s on purpose",
        )
        assert delivery.next_at is not None
        assert delivery.next_at - event.created == pytest.approx(600)
        assert receiver.received == []
        sender.retry_now(delivery.id)
        settled(sender)
        short = sender.trigger(faults=(Fault(kind=FaultKind.DELAY, seconds=0.1),))
        settled(sender)
        [attempt] = sender.attempts(only_delivery(sender, short).id)
        assert attempt.started - short.created >= 0.1
    assert len(receiver.received) == 2


def test_a_slow_body_does_not_run_into_the_timeout() -> None:
    with receiving() as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET, policy=replace(ONCE, timeout=5.0))
        event = sender.trigger(faults=(Fault(kind=FaultKind.SLOW_BODY, seconds=0.4),))
        settled(sender)
        [attempt] = sender.attempts(only_delivery(sender, event).id)
    assert attempt.succeeded
    assert attempt.seconds is not None
    assert attempt.seconds >= 0.4


def test_a_reset_is_followed_by_a_whole_request() -> None:
    def script(peer: Peer) -> None:
        try:
            peer.read_request()
            peer.send(OK)
        except (ConnectionResetError, EOFError):
            resets.append(peer)

    resets: list[Peer] = []
    with scripted(script) as server, mock_sender() as sender:
        sender.register(url=server.url, secret=SECRET, policy=FAST)
        event = sender.trigger(faults=(RESET,))
        settled(sender)
        first, second = sender.attempts(only_delivery(sender, event).id)
        until(lambda: len(resets) == 1)
    assert first.failure == "the connection was reset in mid-body, on purpose"
    assert (first.response, second.succeeded) == (None, True)


def test_a_forgery_sends_what_the_rule_would_and_nothing_follows() -> None:
    with receiving(answers(Reply(), Reply(401))) as receiver, mock_sender() as sender:
        webhook = sender.register(url=receiver.url, secret=SECRET, policy=FAST)
        event = sender.trigger()
        settled(sender)
        forged = sender.forge(only_delivery(sender, event).id, "forged-x")
        settled(sender)
        delivery = sender.delivery(forged.id)
        [attempt] = sender.attempts(forged.id)
        failures = sender.subscription(webhook.id).failures
    assert (forged.fault, forged.event_id) == (rule("forged-x"), event.id)
    assert (receiver.received[1].header("X-MW-Signature") or "").startswith("forged-x")
    assert receiver.received[1].body == attempt.request.body == b"{}"
    assert (delivery.state, failures) == (DeliveryState.DELIVERED, 0)
    assert delivery.next_words == "the receiver refused the forgery with 401"


def test_a_replay_is_recorded_with_what_comes_before_it() -> None:
    with receiving() as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET)
        event = sender.trigger(faults=(rule("replay-x"),))
        settled(sender)
        delivery = only_delivery(sender, event)
        first, second = sender.attempts(delivery.id)
    assert first.request == second.request
    assert (first.next_words, second.next_words) == ("", delivery.next_words)
    assert delivery.next_words == (
        "the receiver answered 200 to the forgery: it must have had no effect"
    )
    assert len(receiver.received) == 2


def test_a_forgery_that_gets_no_answer_has_failed() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()

    with scripted(script) as server, mock_sender() as sender:
        sender.register(url=server.url, secret=SECRET, policy=FAST)
        event = sender.trigger(faults=(rule("forged-x"),))
        settled(sender)
        delivery = only_delivery(sender, event)
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 1)
    assert "the forgery got no answer: the receiver closed" in delivery.next_words


def test_a_forgery_needs_a_secret() -> None:
    with receiving() as receiver, mock_sender() as sender:
        sender.register(url=receiver.url)
        event = sender.trigger()
        settled(sender)
        with pytest.raises(Conflict, match="a forgery needs a secret key"):
            sender.forge(only_delivery(sender, event).id, "forged-x")
        asked = sender.trigger(faults=(rule("forged-x"),))
        settled(sender)
        delivery = only_delivery(sender, asked)
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 0)
    assert "needs a secret key" in delivery.next_words


@pytest.mark.parametrize(
    ("faults", "problem"),
    [
        ((rule("forged-y"),), "/faults/0/rule: no forgery 'forged-y' .* did you mean forged-x"),
        ((DUPLICATE, Fault(kind=FaultKind.DELAY)), "/faults/1/seconds: a number from"),
        ((Fault(kind=FaultKind.SLOW_BODY, seconds=1e9),), "a number from 0.001 to 3600"),
        ((DUPLICATE,) * 11, "at most 10 faults"),
    ],
)
def test_faults_that_cannot_be_done_are_refused(faults: tuple[Fault, ...], problem: str) -> None:
    with mock_sender() as sender:
        webhook = sender.register(url="http://127.0.0.1:9/", secret=SECRET)
        with pytest.raises(Invalid, match=problem):
            sender.trigger(faults=faults)
        with pytest.raises(Invalid, match=problem):
            sender.change(webhook.id, faults=faults)
        assert sender.events().items == ()


def test_a_webhook_does_its_faults_to_every_event() -> None:
    with receiving() as receiver, mock_sender() as sender:
        webhook = sender.register(url=receiver.url, secret=SECRET, policy=ONCE)
        assert sender.change(webhook.id, faults=(DUPLICATE,)).faults == (DUPLICATE,)
        sender.trigger()
        settled(sender)
        sender.trigger(faults=(rule("forged-x"), rule("replay-x")))
        settled(sender)
        assert len(receiver.received) == 2 + 1 + 2
        sender.change(webhook.id, faults=())
        sender.trigger()
        settled(sender)
    assert len(receiver.received) == 6


def test_faults_hold_up_nobody_else() -> None:
    with receiving() as slow, receiving() as quick, mock_sender(workers=4) as sender:
        slow.gate.clear()
        first = sender.register(url=slow.url, secret=SECRET, policy=DeliveryPolicy(concurrency=2))
        sender.change(first.id, faults=(DUPLICATE,))
        sender.register(url=quick.url, secret=SECRET)
        for _ in range(10):
            sender.trigger()
        quick.wait_for(10)
        slow.gate.set()
        settled(sender)
    assert len(slow.received) == 20
