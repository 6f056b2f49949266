"""What a user asks of the mock sender, well or badly: records, refusals, resending."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hookproof_spec
from hookproof_mockserver.engine.addresses import checked_url
from hookproof_mockserver.engine.ids import new_id
from hookproof_mockserver.model import (
    DeliveryPolicy,
    DeliveryState,
    Fault,
    FaultKind,
    RetryPolicy,
    Schedule,
    Source,
)
from hookproof_mockserver.sender import GENERATE, MockSender, Setup
from hookproof_mockserver.sender_errors import (
    Closed,
    Conflict,
    Invalid,
    InvalidPayload,
    NotFound,
    PlanError,
)
from hookproof_spec import payloads
from hookproof_spec.documents import names
from hookproof_spec.errors import DocumentError
from hookproof_spec.signing import Verifier
from support.mock_making import FAST, ONCE, SECRET, document, mock_sender, only_delivery, settled
from support.mock_receiving import Reply, answers, receiving
from support.sockets import silent_port

NOWHERE = "http://127.0.0.1:9/webhook"
HELD = (Fault(kind=FaultKind.DELAY, seconds=600),)


def test_the_best_plan_with_webhooks_is_taken() -> None:
    with mock_sender() as sender:
        assert sender.account.plan == "Ultimate"
        assert dict(sender.account.plans) == {"Starter": False, "Premium": True, "Ultimate": True}


def test_a_document_without_a_usable_webhook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "document.yaml"
    path.write_text(
        "openapi: 3.1.0\ninfo: {title: x, version: '1'}\n"
        "webhooks: {w: {post: {responses: {'200': {description: x}}}}}\n"
    )
    with pytest.raises(DocumentError, match="no webhook of this document can be used"):
        MockSender(Setup(document=hookproof_spec.load(str(path))))


def test_a_plan_without_webhooks_refuses_them() -> None:
    with mock_sender() as sender:
        sender.register(url=NOWHERE)
        sender.set_plan("Starter")
        for refused in (lambda: sender.register(url=NOWHERE), sender.trigger):
            with pytest.raises(PlanError, match="the plan Starter has no webhook sparePartOutOf"):
                refused()
        sender.set_plan("Premium")
        sender.register(url=NOWHERE)
        with pytest.raises(Invalid, match="no plan 'Premum'; did you mean Premium"):
            sender.set_plan("Premum")


def test_secrets_are_told_once() -> None:
    with mock_sender() as sender:
        made = sender.register(url=NOWHERE, secret=GENERATE)
        secret = made.secrets.current
        assert secret is not None
        assert (len(secret), made.signed) == (48, True)
        assert secret not in repr(made)
        found = sender.subscription(made.id)
        assert (found.secrets.current, found.signed) == (None, True)
        assert sender.subscriptions() == (found,)
        assert replace(made, secrets=found.secrets) == found
        assert secret not in repr(sender.change(made.id, description="other"))


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        ("", "the secret is empty"),
        ("secret\n", "begins or ends with white space"),
        ("x" * 10_001, "longer than 10000"),
    ],
)
def test_secrets_of_a_wrong_form_are_refused(secret: str, problem: str) -> None:
    with mock_sender() as sender:
        with pytest.raises(Invalid, match=problem) as caught:
            sender.register(url=NOWHERE, secret=secret)
        assert caught.value.field == "/secret"
        assert not secret or secret not in str(caught.value)
        assert sender.subscriptions() == ()


def test_an_unsigned_webhook_needs_the_documents_leave() -> None:
    with mock_sender(document=hookproof_spec.load("standard-webhooks")) as sender:
        event = next(iter(sender.document.webhooks))
        with pytest.raises(Invalid, match="is always signed: the document allows no unsigned"):
            sender.register(url=NOWHERE, event=event)
        with pytest.raises(Invalid, match="/secret: the secret is not base64"):
            sender.register(url=NOWHERE, event=event, secret="whsec_no base64")
        assert sender.register(url=NOWHERE, event=event, secret=GENERATE).signed


@pytest.mark.parametrize("name", sorted(names()))
def test_every_documents_webhooks_can_be_sent(name: str) -> None:
    described = hookproof_spec.load(name)
    with receiving() as receiver, mock_sender(document=described) as sender:
        for event, webhook in described.webhooks.items():
            made = sender.register(url=receiver.url, event=event, secret=GENERATE, policy=ONCE)
            sent = sender.trigger(event)
            settled(sender)
            delivery = only_delivery(sender, sent)
            [attempt] = sender.attempts(delivery.id)
            assert delivery.state is DeliveryState.DELIVERED
            body = receiver.received[-1].body
            assert attempt.request.body == body
            assert payloads.validate(webhook, body) == ()
            assert body.startswith((b"{", b"[")) != payloads.is_form(webhook)
            verifier = Verifier(webhook.scheme, made.secrets.current or "")
            assert verifier.verify(attempt.request, attempt.started).accepted


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "the URL is empty"),
        ("ftp://localhost/", "neither http:// nor https://"),
        ("localhost:8000/webhook", "neither http:// nor https://"),
        ("http:///webhook", "names no host"),
        ("http://user:pass@localhost/", "a user name or password"),
        ("http://localhost/\r\nX: y", "holds '\\\\r'"),
        ("http://localhost/a b", "holds ' '"),
        ("http://localhost/caf\xe9", "holds 'é'"),
        ("http://localhost/#x", "has a fragment"),
        ("http://localhost:0/", "the port is from 1 to 65535"),
        ("http://localhost:99999/", "not a URL"),
        ("http://[::1/", "not a URL"),
        ("http://a_b!/", "is no host name"),
        ("http://receiver.example/", "start with --allow-receiver receiver.example"),
        ("http://127.0.0.1.evil.example/", "is not this machine"),
        ("http://169.254.169.254/", "is not this machine"),
        ("http://localhost/" + "x" * 2_000, "longer than 2000"),
    ],
)
def test_urls_that_cannot_be_sent_to_are_refused(url: str, problem: str) -> None:
    with mock_sender() as sender:
        with pytest.raises(Invalid, match=problem) as caught:
            sender.register(url=url, secret=SECRET)
        assert caught.value.field == "/url"
        assert "pass@" not in str(caught.value)
        webhook = sender.register(url=NOWHERE, secret=SECRET)
        with pytest.raises(Invalid, match=problem):
            sender.change(webhook.id, url=url)


@given(st.text(max_size=40) | st.from_regex(r"https?://[^\s]{1,20}", fullmatch=True))
def test_no_url_makes_checking_fail_otherwise(url: str) -> None:
    with suppress(Invalid):
        assert checked_url(url, {"*"}) == url


@pytest.mark.parametrize(
    "url", ["http://localhost/", "http://app.localhost:1/", "https://[::1]:8/x?y=1", NOWHERE]
)
def test_this_machine_can_always_be_sent_to(url: str) -> None:
    assert checked_url(url, frozenset()) == url
    assert checked_url("http://other.example/", {"other.example"})
    assert checked_url("http://any.example/", {"*"})


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (DeliveryPolicy(timeout=0), "/policy/timeout"),
        (DeliveryPolicy(timeout=float("nan")), "/policy/timeout"),
        (DeliveryPolicy(concurrency=0), "/policy/concurrency"),
        (DeliveryPolicy(disable_after=-1), "/policy/disable_after"),
        (DeliveryPolicy(success=(200, 99)), "/policy/success/1"),
        (DeliveryPolicy(retry=RetryPolicy(attempts=0)), "/policy/retry/attempts"),
        (DeliveryPolicy(retry=RetryPolicy(first=-1)), "/policy/retry/first"),
        (DeliveryPolicy(retry=RetryPolicy(most=float("inf"))), "/policy/retry/most"),
        (DeliveryPolicy(retry=RetryPolicy(jitter=1.5)), "/policy/retry/jitter"),
    ],
)
def test_policies_that_nobody_can_follow_are_refused(policy: DeliveryPolicy, field: str) -> None:
    with mock_sender() as sender:
        with pytest.raises(Invalid) as caught:
            sender.register(url=NOWHERE, secret=SECRET, policy=policy)
        assert caught.value.field == field


def test_policies_survive_the_store() -> None:
    policy = DeliveryPolicy(
        retry=RetryPolicy(schedule=Schedule.STANDARD, attempts=3, first=1.5, most=9.0, jitter=0.5),
        success=(200, 204),
        timeout=1.25,
        concurrency=7,
        ordered=True,
        disable_after=9,
    )
    with mock_sender() as sender:
        webhook = sender.register(url=NOWHERE, secret=SECRET, policy=policy)
        assert sender.subscription(webhook.id).policy == policy
        assert sender.change(webhook.id, policy=DeliveryPolicy()).policy == DeliveryPolicy()


@pytest.mark.parametrize("text", ["a\nb", "a\x00b", "\ud800", "x" * 501, "a\u2028b"])
def test_texts_that_cannot_be_shown_are_refused(text: str) -> None:
    with mock_sender() as sender:
        with pytest.raises(Invalid) as caught:
            sender.register(url=NOWHERE, secret=SECRET, description=text)
        assert caught.value.field == "/description"
        str(caught.value).encode()


def test_mistyped_names_are_told_with_the_nearest() -> None:
    with mock_sender() as sender:
        with pytest.raises(Invalid, match="did you mean sparePartOutOfStock"):
            sender.trigger("sparePartOutOfStok")
        webhook = sender.register(url=NOWHERE, secret=SECRET)
        event = sender.trigger(faults=HELD)
        delivery = only_delivery(sender, event)
        slip = {"wh": webhook.id, "evt": event.id, "dlv": delivery.id}
        for read, id in (
            (sender.subscription, slip["wh"]),
            (sender.event, slip["evt"]),
            (sender.delivery, slip["dlv"]),
        ):
            with pytest.raises(NotFound, match=f"did you mean {id}"):
                read(id[:-1] + ("0" if id[-1] != "0" else "1"))
        for gone in (sender.attempts, sender.resend, sender.cancel, sender.retry_now):
            with pytest.raises(NotFound, match="no delivery 'nothing'"):
                gone("nothing")


def test_the_example_is_dated_now_and_valid() -> None:
    with mock_sender() as sender:
        event = sender.trigger()
    assert payloads.validate(document().webhook(), event.body) == ()
    assert time.strftime("%Y-%m-%dT", time.gmtime(event.created)).encode() in event.body
    assert (event.source, event.valid) == (Source.TRIGGER, True)


def test_random_payloads_are_valid_and_differ() -> None:
    with mock_sender() as sender:
        bodies = {sender.trigger(random=True).body for _ in range(6)}
        for body in bodies:
            assert payloads.validate(document().webhook(), body) == ()
        with pytest.raises(Invalid, match="a payload is given and a random one"):
            sender.trigger(random=True, payload={})
    assert len(bodies) >= 4


def test_a_payload_that_breaks_the_schema_is_refused_unless_asked_for() -> None:
    with mock_sender() as sender:
        sender.register(url=NOWHERE, secret=SECRET, active=False)
        with pytest.raises(InvalidPayload, match='"_event" is a required property') as caught:
            sender.trigger(payload={"a": 1})
        assert len(caught.value.problems) > 1
        assert sender.events().items == ()
        broken = sender.trigger(payload=b"\xffnot JSON", allow_invalid=True)
        assert (broken.body, broken.valid) == (b"\xffnot JSON", False)
        assert sender.event(broken.id) == broken


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (float("nan"), "not JSON"),
        ("\ud800", "not JSON"),
        (b"x" * (8 * 1024 * 1024 + 1), "larger than 8 MiB"),
    ],
)
def test_what_cannot_be_written_is_refused(
    payload: hookproof_spec.webhook.JsonValue | bytes, problem: str
) -> None:
    with mock_sender() as sender, pytest.raises(Invalid, match=problem):
        sender.trigger(payload=payload, allow_invalid=True)


def test_an_idempotency_key_brings_one_event_about() -> None:
    with mock_sender() as sender:
        found: list[str] = []
        barrier = threading.Barrier(8)

        def trigger() -> None:
            barrier.wait()
            found.append(sender.trigger(idempotency_key="order-1").id)

        threads = [threading.Thread(target=trigger) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(found)) == 1
        assert len(sender.events().items) == 1
        with pytest.raises(Conflict, match="was used for another event, evt_"):
            sender.trigger(idempotency_key="order-1", random=True)
        assert sender.trigger(idempotency_key="order-2").id not in found
        for key in ("", "two words", "é", "x" * 256):
            with pytest.raises(Invalid, match="1 to 255 printable ASCII"):
                sender.trigger(idempotency_key=key)


def test_a_copy_keeps_the_bytes_and_a_new_one_is_signed_anew() -> None:
    with receiving() as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET)
        delivery = only_delivery(sender, sender.trigger())
        settled(sender)
        copy = sender.resend(delivery.id)
        anew = sender.resend(delivery.id, verbatim=False)
        settled(sender)
        [first], [second], [third] = (sender.attempts(d.id) for d in (delivery, copy, anew))
    assert (copy.resend_of, copy.verbatim, anew.verbatim) == (delivery.id, True, False)
    assert copy.event_id == anew.event_id == delivery.event_id
    assert second.request == first.request
    assert (third.request.body, third.nonce != first.nonce) == (first.request.body, True)
    verifier = Verifier(document().webhook().scheme, SECRET)
    assert verifier.verify(third.request, time.time()).accepted


def test_a_copy_goes_to_no_host_that_is_no_longer_allowed(tmp_path: Path) -> None:
    store, foreign = tmp_path / "store", frozenset({"0.0.0.0"})
    with mock_sender(store, allowed_receivers=foreign) as sender:
        webhook = sender.register(url="http://0.0.0.0:9/", secret=SECRET, policy=ONCE)
        delivery = only_delivery(sender, sender.trigger())
        settled(sender)
    with receiving() as receiver, mock_sender(store) as sender:
        sender.change(webhook.id, url=receiver.url)
        copy, anew = sender.resend(delivery.id), sender.resend(delivery.id, verbatim=False)
        settled(sender)
        refused = sender.delivery(copy.id)
        assert sender.attempts(copy.id) == ()
        assert sender.delivery(anew.id).state is DeliveryState.DELIVERED
    assert refused.state is DeliveryState.FAILED
    assert "start with --allow-receiver 0.0.0.0" in refused.next_words


def test_a_copy_that_is_refused_is_not_tried_again() -> None:
    replies = answers(Reply(), Reply(409), Reply(500))
    with receiving(replies) as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET, policy=FAST)
        delivery = only_delivery(sender, sender.trigger())
        settled(sender)
        copy = sender.resend(delivery.id)
        settled(sender)
        refused = sender.delivery(copy.id)
        again = sender.resend(delivery.id)
        settled(sender)
        failed = sender.attempts(again.id)
        webhook = sender.subscriptions()[0]
    assert refused.state is DeliveryState.DELIVERED
    assert refused.next_words == "the receiver refused the copy with 409: it has had the event"
    assert webhook.failures == 1  # of the 500, and none of the refusal
    assert len({attempt.request for attempt in failed}) == 1
    assert len(receiver.received) == 2 + 3


def test_refused_copy_of_what_was_never_taken_has_failed() -> None:
    with receiving(answers(Reply(410), Reply(409))) as receiver, mock_sender() as sender:
        webhook = sender.register(url=receiver.url, secret=SECRET, policy=FAST)
        delivery = only_delivery(sender, sender.trigger())
        settled(sender)
        sender.change(webhook.id, active=True)
        copy = sender.resend(delivery.id)
        settled(sender)
        refused = sender.delivery(copy.id)
    assert refused.state is DeliveryState.FAILED
    assert refused.next_words == (
        "gives up: the receiver refused the copy with 409, and would refuse it again"
    )


def test_what_cannot_be_sent_again_is_told() -> None:
    with mock_sender() as sender:
        webhook = sender.register(url=NOWHERE, secret=SECRET)
        delivery = only_delivery(sender, sender.trigger(faults=HELD))
        with pytest.raises(Conflict, match="has not been sent yet, so there is nothing to copy"):
            sender.resend(delivery.id)
        sender.change(webhook.id, active=False)
        with pytest.raises(Conflict, match="is not active; activate it first"):
            sender.resend(delivery.id, verbatim=False)
        sender.remove(webhook.id)
        with pytest.raises(Conflict, match="was removed"):
            sender.resend(delivery.id, verbatim=False)
        with pytest.raises(NotFound):
            sender.subscription(webhook.id)
        assert sender.delivery(delivery.id).next_words == "cancelled: its webhook was removed"


def test_all_that_failed_are_sent_again_in_their_order() -> None:
    replies = answers(*[Reply(500)] * 3, Reply())
    with receiving(replies) as receiver, mock_sender() as sender:
        policy = replace(ONCE, ordered=True)
        webhook = sender.register(url=receiver.url, secret=SECRET, policy=policy)
        events = [sender.trigger() for _ in range(4)]
        settled(sender)
        again = sender.resend_many(state=DeliveryState.FAILED, subscription=webhook.id)
        settled(sender)
        assert [d.event_id for d in again] == [event.id for event in events[:3]]
        assert sender.counts()[DeliveryState.DELIVERED] == 4
        assert sender.resend_many(state=DeliveryState.FAILED, until=events[0].created - 1) == ()
        last = sender.resend_many(since=again[-1].created)
        assert [d.event_id for d in last] == [events[2].id]
        settled(sender)
    assert len(receiver.received) == 4 + 3 + 1


def test_too_many_are_not_sent_again_at_once() -> None:
    with mock_sender() as sender:
        webhook = sender.register(url=NOWHERE, secret=SECRET)
        sender.change(webhook.id, faults=HELD * 10)
        for _ in range(101):
            sender.trigger()
        with pytest.raises(Conflict, match="more than 1,000 deliveries fit"):
            sender.resend_many(subscription=webhook.id)
        assert sum(sender.counts().values()) == 1_010


def test_cancelling_and_retrying_what_has_ended_is_refused() -> None:
    with receiving() as receiver, mock_sender() as sender:
        sender.register(url=receiver.url, secret=SECRET)
        held = only_delivery(sender, sender.trigger(faults=HELD))
        cancelled = sender.cancel(held.id)
        assert (cancelled.state, cancelled.next_at) == (DeliveryState.CANCELLED, None)
        for again in (sender.cancel, sender.retry_now):
            with pytest.raises(Conflict, match="has ended: cancelled; send it again instead"):
                again(held.id)
        receiver.gate.clear()
        flying = only_delivery(sender, sender.trigger())
        receiver.wait_for(1)
        with pytest.raises(Conflict, match="is on its way"):
            sender.cancel(flying.id)
        receiver.gate.set()
        settled(sender)


def test_ids_sort_by_time() -> None:
    source, first = random.Random(1), 1_700_000_000_000
    made = [new_id("evt", (first + later) / 1000, source) for later in range(300)]
    assert made == sorted(made)
    assert {len(id) for id in made} == {len("evt_") + 26}


def test_a_setup_out_of_bounds_is_refused() -> None:
    with pytest.raises(Invalid, match="/time_scale"):
        MockSender(Setup(document=document(), time_scale=0))
    with pytest.raises(Invalid, match="/workers"):
        MockSender(Setup(document=document(), workers=0))
    with pytest.raises(Invalid, match="no plan 'Gold'"):
        MockSender(Setup(document=document(), plan="Gold"))


def test_a_closed_sender_says_so() -> None:
    with mock_sender() as sender:
        sender.close()
        for refused in (sender.trigger, sender.deliveries, sender.subscriptions):
            with pytest.raises(Closed, match="the mock sender is closed"):
                refused()


def test_what_is_not_active_is_left_out_when_many_are_sent_again() -> None:
    with silent_port() as port, mock_sender() as sender:
        url = f"http://127.0.0.1:{port}/"
        kept, removed, paused = (
            sender.register(url=url, secret=SECRET, policy=ONCE) for _ in range(3)
        )
        sender.trigger()
        settled(sender)
        sender.remove(removed.id)
        sender.change(paused.id, active=False)
        again = sender.resend_many(state=DeliveryState.FAILED)
        assert [delivery.subscription_id for delivery in again] == [kept.id]
        with pytest.raises(Conflict, match="is not active"):
            sender.resend_many(subscription=paused.id)
        with pytest.raises(NotFound):
            sender.resend_many(subscription=removed.id)
        settled(sender)


def test_a_store_of_another_document_is_told_not_raised(tmp_path: Path) -> None:
    store = tmp_path / "sender.db"
    with receiving() as receiver:
        with mock_sender(store) as sender:
            sender.register(url=receiver.url, secret=SECRET, active=False)
            webhook = sender.subscriptions()[0]
            sender.change(webhook.id, active=True, faults=HELD)
            event = sender.trigger()
        with mock_sender(store, document=hookproof_spec.load("standard-webhooks")) as sender:
            delivery = only_delivery(sender, event)
            sender.retry_now(delivery.id)
            settled(sender)
            told = sender.delivery(delivery.id)
            with pytest.raises(Invalid, match="no webhook 'sparePartOutOfStock'"):
                sender.rotate(webhook.id, overlap=0)
    assert told.state is DeliveryState.FAILED
    assert "no webhook 'sparePartOutOfStock'" in told.next_words
    assert receiver.received == []
