import hookproof
from fastapi.testclient import TestClient

from app import app


@hookproof.contract
def test_receiver(webhook_receiver, rule):
    rule.check(webhook_receiver)


def test_signed_payload_through_fastapis_own_client(webhook):
    signed = webhook.sign({"sparePart": {"sparePartId": "SP-1"}})
    with TestClient(app) as client:
        assert client.post("/webhook", **signed.httpx).json() == {"status": "ordered"}
        assert client.post("/webhook", **signed.httpx).json() == {"status": "known"}


def test_event_of_an_hour_ago_is_refused(webhook):
    assert webhook.stale(age=3600).status == 401


def test_replay_stays_ignored_until_the_event_is_too_old(webhook, webhook_clock):
    delivery = webhook.send()
    webhook_clock.advance(290)
    assert (webhook.replay(delivery).status, webhook.replay(delivery).effects) == (200, 0)
    webhook_clock.advance(20)
    assert webhook.replay(delivery).status == 401
