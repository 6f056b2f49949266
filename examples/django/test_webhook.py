import hookproof
import pytest

from shop.models import Order


@pytest.mark.django_db(transaction=True)  # threads run the race: they have to see what is stored
@hookproof.contract
def test_receiver(webhook_receiver, rule):
    rule.check(webhook_receiver)


@pytest.mark.django_db
def test_signed_payload_through_djangos_own_client(client, webhook):
    signed = webhook.sign({"sparePart": {"sparePartId": "SP-1"}})
    assert client.post("/webhook/", **signed.django).status_code == 200
    assert Order.objects.get().part == "SP-1"


@pytest.mark.django_db
def test_part_is_ordered_once(webhook):
    first = webhook.send()
    again = webhook.replay(first)
    assert (first.effects, again.effects, again.status) == (1, 0, 409)
