"""Deliveries: signed anew, tried again, in order or at once; nobody waits for a hung receiver."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import time_machine

import hookproof_spec
from hookproof_mockserver.model import (
    Attempt,
    Delivery,
    DeliveryPolicy,
    DeliveryState,
    RetryPolicy,
    Schedule,
    SignWith,
)
from hookproof_mockserver.sender import GENERATE
from hookproof_mockserver.sender_errors import Conflict, Invalid
from hookproof_spec.scheme import OnRetry
from hookproof_spec.signing import Verifier
from support.mock_making import FAST, ONCE, SECRET, document, mock_sender, only_delivery, settled
from support.mock_receiving import Receiver, Reply, answers, receiving, until
from support.sockets import Peer, scripted, silent_port

HEADER = "X-MW-Signature"
LATER = RetryPolicy(schedule=Schedule.FIXED, attempts=3, first=600.0, jitter=0.0)


def nonce_of(receiver: Receiver, number: int) -> str:
    value = receiver.received[number].header(HEADER) or ""
    return value.partition("nonce=")[2].partition(",")[0]


def test_the_engine_signs_what_a_receiver_accepts() -> None:
    with receiving() as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET)
        event = sender.trigger()
        settled(sender)
        delivery = only_delivery(sender, event)
        [attempt] = sender.attempts(delivery.id)
    [received] = receiver.received
    assert received.body == event.body
    assert received.header("Content-Type") == "application/json"
    verdict = Verifier(document().webhook().scheme, SECRET).verify(attempt.request, time.time())
    assert verdict.accepted, verdict
    sent = {name.lower(): value for name, value in attempt.request.headers}
    assert sent == {name.lower(): value for name, value in received.headers}
    assert attempt.nonce == nonce_of(receiver, 0)
    assert (delivery.state, delivery.next_words, delivery.last_status) == (
        DeliveryState.DELIVERED,
        "received",
        200,
    )
    assert attempt.response is not None
    assert (attempt.response.body, attempt.succeeded, attempt.signed) == (b"ok", True, True)


def test_no_secret_means_no_signature() -> None:
    with receiving() as receiver, mock_sender() as sender:
        webhook = sender.register(url=receiver.url)
        sender.trigger()
        settled(sender)
        [attempt] = sender.attempts(sender.deliveries().items[0].id)
    assert not webhook.signed
    assert receiver.received[0].header(HEADER) is None
    assert (attempt.signed, attempt.nonce) == (False, "")


@pytest.mark.parametrize(("nonce", "kept"), [(OnRetry.SAME, True), (OnRetry.NEW, False)])
def test_a_retry_is_signed_anew_with_the_nonce_asked_for(nonce: OnRetry, kept: bool) -> None:
    replies = answers(Reply(500), Reply(503), Reply(200))
    with receiving(replies) as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET, policy=replace(FAST, nonce=nonce))
        event = sender.trigger()
        settled(sender)
        delivery = only_delivery(sender, event)
        attempts = sender.attempts(delivery.id)
    assert [a.response and a.response.status for a in attempts] == [500, 503, 200]
    assert [a.number for a in attempts] == [1, 2, 3]
    assert (len({a.nonce for a in attempts}) == 1) == kept
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 3)
    verifier = Verifier(document().webhook().scheme, SECRET)
    for attempt in attempts:
        assert verifier.verify(attempt.request, time.time()).accepted
    assert attempts[0].next_words == "tries again in 10 ms (attempt 2 of 3)"


def test_a_delivery_is_given_up_after_its_attempts() -> None:
    with silent_port() as port, mock_sender() as sender:
        sender.register(url=f"http://127.0.0.1:{port}/", secret=SECRET, policy=FAST)
        event = sender.trigger()
        settled(sender)
        delivery = only_delivery(sender, event)
        assert sender.subscriptions()[0].failures == 1
    assert delivery.state is DeliveryState.FAILED
    assert delivery.next_words == "gives up: 3 of 3 attempts have failed"
    assert delivery.last_failure == "connection refused: nothing listens there"


def test_a_retry_succeeds_after_the_receiver_comes_back() -> None:
    policy = replace(FAST, retry=replace(FAST.retry, attempts=1_000, first=0.05))
    replies = answers(*[Reply(502)] * 4, Reply())
    with receiving(replies) as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET, policy=policy)
        event = sender.trigger()
        settled(sender)
        assert only_delivery(sender, event).attempts == 5


def test_410_disables_and_nothing_more_is_sent() -> None:
    with receiving(answers(Reply(410))) as receiver, mock_sender() as sender:
        webhook = sender.register(url=receiver.url, secret=SECRET, policy=FAST)
        event = sender.trigger()
        settled(sender)
        assert sender.subscription(webhook.id).disabled == "the receiver answered 410 (gone)"
        assert sender.deliveries(event=sender.trigger().id).items == ()
        with pytest.raises(Conflict, match="is not active: the receiver answered 410"):
            sender.resend(only_delivery(sender, event).id)
        again = sender.change(webhook.id, active=True)
        assert (again.disabled, again.failures) == ("", 0)
        sender.resend(only_delivery(sender, event).id)
        settled(sender)
    assert len(receiver.received) == 2


def test_failures_in_a_row_disable_a_webhook() -> None:
    replies = answers(Reply(500), Reply(200), Reply(500))
    with receiving(replies) as receiver, mock_sender() as sender:
        policy = replace(ONCE, disable_after=2)
        webhook = sender.register(url=receiver.url, secret=SECRET, policy=policy)
        for failures in (1, 0, 1):
            sender.trigger()
            settled(sender)
            assert sender.subscription(webhook.id).failures == failures
        sender.trigger()
        settled(sender)
        found = sender.subscription(webhook.id)
        assert found.disabled == "2 deliveries in a row have failed"


def test_a_redirect_is_a_failure_told_with_its_place() -> None:
    reply = Reply(302, (("Location", "http://127.0.0.1:9/other"),))
    with receiving(answers(reply)) as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET, policy=ONCE)
        event = sender.trigger()
        settled(sender)
        delivery = only_delivery(sender, event)
    assert "http://127.0.0.1:9/other" in delivery.last_failure
    assert (delivery.state, len(receiver.received)) == (DeliveryState.FAILED, 1)


def test_retry_after_is_honoured() -> None:
    reply = Reply(503, (("Retry-After", "1000"),))
    with receiving(answers(reply, Reply())) as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET, policy=FAST)
        before = time.time()
        event = sender.trigger()
        assert sender.idle(30)
        delivery = only_delivery(sender, event)
        assert delivery.state is DeliveryState.WAITING
        assert delivery.next_at is not None
        assert delivery.next_at - before >= 1_000
        assert "as the receiver asked" in delivery.next_words
        sender.retry_now(delivery.id)
        settled(sender)
    assert len(receiver.received) == 2


def test_time_passes_as_quickly_as_asked() -> None:
    replies = answers(Reply(500), Reply())
    with receiving(replies) as receiver, mock_sender(time_scale=100_000.0) as sender:
        sender.register(url=receiver.url, secret=SECRET, policy=DeliveryPolicy(retry=LATER))
        event = sender.trigger()
        settled(sender)
        delivery = only_delivery(sender, event)
        words = sender.attempts(delivery.id)[0].next_words
    assert words == "tries again in 6 ms (attempt 2 of 3)"


def test_a_clock_that_is_moved_is_noticed() -> None:
    with receiving(answers(Reply(500), Reply())) as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET, policy=DeliveryPolicy(retry=LATER))
        sender.trigger()
        assert sender.idle(30)
        with time_machine.travel(time.time() + 700, tick=True):
            settled(sender)
        assert sender.counts()[DeliveryState.DELIVERED] == 1


def test_a_receiver_that_never_answers_holds_only_its_own_webhook() -> None:
    over = threading.Event()

    def hold(peer: Peer) -> None:
        peer.read_request()
        over.wait(30)

    with scripted(hold) as hung, receiving() as receiver, mock_sender(workers=8) as sender:
        policy = replace(ONCE, concurrency=1_000, timeout=30.0)
        sender.register(url=hung.url, secret=SECRET, policy=policy)
        for _ in range(30):
            sender.trigger()
        until(lambda: sender.counts()[DeliveryState.SENDING] >= 6)
        sender.register(url=receiver.url, secret=SECRET, policy=ONCE)
        for number in range(1, 21):
            sender.trigger()
            receiver.wait_for(number)
        assert sender.counts()[DeliveryState.FAILED] == 0
        senders = [t for t in threading.enumerate() if t.name.startswith("hookproof sender")]
        assert len(senders) <= 8
        for webhook in sender.subscriptions():
            sender.remove(webhook.id)
        over.set()


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_are_on_their_way_than_allowed(concurrency: int) -> None:
    with receiving() as receiver, mock_sender() as sender:
        receiver.gate.clear()
        policy = replace(ONCE, concurrency=concurrency)
        sender.register(url=receiver.url, secret=SECRET, policy=policy)
        for _ in range(12):
            sender.trigger()
        receiver.wait_for(concurrency)
        assert sender.counts()[DeliveryState.SENDING] == concurrency
        receiver.gate.set()
        settled(sender)
    assert receiver.most_at_once == concurrency
    assert len(receiver.received) == 12


def test_order_is_kept_even_through_retries() -> None:
    replies = answers(Reply(500), Reply(), Reply(500), Reply(500), Reply())
    with receiving(replies) as receiver, mock_sender() as sender:
        policy = replace(FAST, ordered=True, concurrency=8)
        sender.register(url=receiver.url, secret=SECRET, policy=policy)
        events = [sender.trigger(payload=payload(number)) for number in range(6)]
        settled(sender)
    order = [events.index(e) for r in receiver.received for e in events if e.body == r.body]
    assert order == sorted(order)
    assert [order.count(number) for number in range(6)] == [2, 3, 1, 1, 1, 1]
    assert receiver.most_at_once == 1


def payload(number: int) -> hookproof_spec.webhook.JsonValue:
    example = hookproof_spec.example(document().webhook())
    return hookproof_spec.pointers.replace(example, "/sparePart/sparePartId", f"part-{number}")


def test_what_was_interrupted_is_sent_again(tmp_path: Path) -> None:
    store = tmp_path / "sender.db"
    with receiving() as receiver:
        with mock_sender(store) as sender:
            sender.register(url=receiver.url, secret=SECRET, policy=FAST)
            event = sender.trigger()
            settled(sender)
            interrupt = "UPDATE delivery SET state = 0, ended = NULL, attempts = 0, tries = 0"
            sender._store.write(lambda t: t.connection.execute(interrupt) and None)
        with mock_sender(store) as sender:
            settled(sender)
            delivery = only_delivery(sender, event)
            first, second = sender.attempts(delivery.id)
    assert (first.failure, first.response) == ("interrupted", None)
    assert second.succeeded
    assert delivery.state is DeliveryState.DELIVERED
    assert len(receiver.received) == 2


def test_closing_waits_for_what_is_on_its_way(tmp_path: Path) -> None:
    store = tmp_path / "sender.db"
    with receiving() as receiver:
        with mock_sender(store) as sender:
            receiver.gate.clear()
            sender.register(url=receiver.url, secret=SECRET, policy=replace(ONCE, concurrency=1))
            sender.trigger()
            sender.trigger()
            receiver.wait_for(1)
            closing = threading.Thread(target=sender.close)
            closing.start()
            until(lambda: sender._engine._closing)
            assert closing.is_alive()
            receiver.gate.set()
            closing.join(30)
        assert len(receiver.received) == 1
        with mock_sender(store) as sender:
            settled(sender)
            assert sender.counts()[DeliveryState.DELIVERED] == 2
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("hookproof")]


def test_closing_twice_is_closing_once() -> None:
    with mock_sender() as sender:
        sender.close()


@pytest.mark.parametrize(
    ("sign_with", "accepted"),
    [(SignWith.NEW, {"new"}), (SignWith.OLD, {"old"})],
)
def test_a_rotation_signs_with_the_secret_asked_for(
    sign_with: SignWith, accepted: set[str]
) -> None:
    with receiving() as receiver, mock_sender() as sender:
        webhook = sender.register(url=receiver.url, secret=SECRET)
        rotated = sender.rotate(webhook.id, overlap=600, sign_with=sign_with)
        sender.trigger()
        settled(sender)
        [attempt] = sender.attempts(sender.deliveries().items[0].id)
        found = sender.subscription(webhook.id)
    new = rotated.secrets.current
    assert new is not None
    assert (rotated.secrets.previous, rotated.rotating) == (None, True)
    assert (found.secrets.current, found.rotating, found.signed) == (None, True, True)
    scheme = document().webhook().scheme
    by = {
        name
        for name, secret in (("new", new), ("old", SECRET))
        if Verifier(scheme, secret).verify(attempt.request, time.time()).accepted
    }
    assert by == accepted


def test_after_the_overlap_the_old_secret_is_forgotten() -> None:
    with receiving() as receiver, mock_sender() as sender:
        webhook = sender.register(url=receiver.url, secret=SECRET)
        rotated = sender.rotate(webhook.id, overlap=60, sign_with=SignWith.OLD)
        with time_machine.travel(time.time() + 61, tick=True):
            assert not sender.subscription(webhook.id).rotating
            sender.trigger()
            settled(sender)
            [attempt] = sender.attempts(sender.deliveries().items[0].id)
            verifier = Verifier(document().webhook().scheme, rotated.secrets.current or "")
            assert verifier.verify(attempt.request, time.time()).accepted


def test_both_secrets_sign_where_the_scheme_carries_several() -> None:
    standard = hookproof_spec.load("standard-webhooks")
    with receiving() as receiver, mock_sender(document=standard) as sender:
        name = next(iter(standard.webhooks))
        webhook = sender.register(url=receiver.url, event=name, secret=GENERATE)
        rotated = sender.rotate(webhook.id, overlap=600, sign_with=SignWith.BOTH)
        sender.trigger(name)
        settled(sender)
        [attempt] = sender.attempts(sender.deliveries().items[0].id)
    scheme = standard.webhook(name).scheme
    for secret in (webhook.secrets.current, rotated.secrets.current):
        assert secret is not None
        assert Verifier(scheme, secret).verify(attempt.request, time.time()).accepted


def test_both_secrets_are_refused_where_there_is_room_for_one() -> None:
    with mock_sender() as sender:
        webhook = sender.register(url="http://127.0.0.1:9/", secret=SECRET)
        with pytest.raises(Invalid, match="X-MW-Signature carries one signature only"):
            sender.rotate(webhook.id, overlap=600, sign_with=SignWith.BOTH)
        unsigned = sender.register(url="http://127.0.0.1:9/")
        with pytest.raises(Conflict, match="no old secret to sign with"):
            sender.rotate(unsigned.id, overlap=600, sign_with=SignWith.OLD)
        assert sender.rotate(unsigned.id, overlap=600).signed


def test_a_webhook_that_is_not_active_keeps_what_waits() -> None:
    with receiving(answers(Reply(500), Reply())) as receiver, mock_sender() as sender:
        policy = replace(FAST, retry=LATER)
        webhook = sender.register(url=receiver.url, secret=SECRET, policy=policy)
        event = sender.trigger()
        assert sender.idle(30)
        sender.change(webhook.id, active=False)
        waiting = sender.retry_now(only_delivery(sender, event).id)
        assert waiting.next_words == "waits until its webhook is active again"
        assert sender.idle(30)
        assert len(receiver.received) == 1
        sender.change(webhook.id, active=True)
        settled(sender)
    assert len(receiver.received) == 2


def test_what_is_on_its_way_when_its_webhook_is_removed_is_not_tried_again() -> None:
    with receiving(answers(Reply(500))) as receiver, mock_sender() as sender:
        receiver.gate.clear()
        webhook = sender.register(url=receiver.url, secret=SECRET, policy=FAST)
        event = sender.trigger()
        receiver.wait_for(1)
        sender.remove(webhook.id)
        receiver.gate.set()
        settled(sender)
        delivery = only_delivery(sender, event)
    assert (delivery.state, delivery.last_status) == (DeliveryState.CANCELLED, 500)
    assert delivery.next_words == "cancelled: its webhook was removed"


def test_an_error_of_ours_is_told_and_the_engine_goes_on() -> None:
    class Slip(random.Random):
        slipped = False

        def random(self) -> float:
            if not self.slipped:
                self.slipped = True
                raise KeyError("once")
            return super().random()

    errors: list[BaseException] = []
    setup: dict[str, Any] = {"on_error": errors.append, "random": Slip()}
    replies = answers(Reply(500), Reply())
    with receiving(replies) as receiver, mock_sender(**setup) as sender:
        sender.register(url=receiver.url, secret=SECRET, policy=FAST)
        event = sender.trigger()
        settled(sender)
        attempts = sender.attempts(only_delivery(sender, event).id)
    assert [repr(error) for error in errors] == ["KeyError('once')"]
    assert [attempt.number for attempt in attempts] == [1, 2]
    assert len(receiver.received) == 2


def test_a_changed_url_holds_for_retries() -> None:
    with receiving(answers(Reply(500))) as old, receiving() as new, mock_sender() as sender:
        policy = replace(FAST, retry=LATER)
        webhook = sender.register(url=old.url, secret=SECRET, policy=policy)
        event = sender.trigger()
        assert sender.idle(30)
        sender.change(webhook.id, url=new.url)
        sender.retry_now(only_delivery(sender, event).id)
        settled(sender)
        assert only_delivery(sender, event).url == new.url
    assert (len(old.received), len(new.received)) == (1, 1)


def test_listeners_hear_of_each_attempt_before_and_after() -> None:
    heard: list[tuple[Delivery, Attempt]] = []
    with receiving(answers(Reply(500), Reply())) as receiver, mock_sender() as sender:
        sender.add_listener(lambda delivery, attempt: heard.append((delivery, attempt)))
        sender.register(url=receiver.url, secret=SECRET, policy=FAST)
        sender.trigger()
        settled(sender)
        until(lambda: len(heard) == 4)
    assert [(a.number, a.response and a.response.status) for _, a in heard] == [
        (1, None),
        (1, 500),
        (2, None),
        (2, 200),
    ]
    assert [d.state for d, _ in heard][::3] == [DeliveryState.SENDING, DeliveryState.DELIVERED]


def test_a_listener_that_fails_stops_no_delivery() -> None:
    def fail(delivery: Delivery, attempt: Attempt) -> None:
        raise ValueError("a listener's mistake")

    errors: list[BaseException] = []
    with receiving() as receiver, mock_sender(on_error=errors.append) as sender:
        sender.add_listener(fail)
        sender.register(url=receiver.url, secret=SECRET)
        sender.trigger()
        settled(sender)
    assert [str(error) for error in errors] == ["a listener's mistake"] * 2


def test_the_hub_tells_of_what_changes() -> None:
    with receiving() as receiver, mock_sender() as sender:
        with sender.hub.listen() as listener:
            webhook = sender.register(url=receiver.url, secret=SECRET)
            event = sender.trigger()
            settled(sender)
            delivery = only_delivery(sender, event)
            heard = set()
            while (change := listener.get(0.2)) is not None:
                heard.add((change.kind, change.id))
        late = sender.hub.listen()
    expected = {("subscription", webhook.id), ("event", event.id), ("delivery", delivery.id)}
    assert heard == expected
    assert list(late) == []
    assert late.closed


def test_a_slow_listener_costs_no_memory() -> None:
    with mock_sender() as sender, sender.hub.listen(capacity=3) as listener:
        for number in range(5):
            sender.add_part(id=f"p{number}", name="B", article_code="B", locations=(("S", 9),))
            sender.set_stock(f"p{number}", sender.part(f"p{number}").locations[0].id, 5)
        heard = [change.id for _ in range(3) if (change := listener.get(0)) is not None]
        assert (heard, listener.missed) == (["p2", "p3", "p4"], 2)
        assert listener.get(0) is None


def test_a_receiver_that_is_no_longer_allowed_is_not_reached(tmp_path: Path) -> None:
    store = tmp_path / "sender.db"
    with mock_sender(store, allowed_receivers=frozenset({"receiver.example"})) as sender:
        webhook = sender.register(url="http://receiver.example/x", secret=SECRET, active=False)
    with mock_sender(store) as sender:
        sender.change(webhook.id, active=True)
        event = sender.trigger()
        settled(sender)
        delivery = only_delivery(sender, event)
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 0)
    assert "--allow-receiver receiver.example" in delivery.next_words
