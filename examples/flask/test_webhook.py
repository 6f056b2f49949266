import hookproof

from app import orders


@hookproof.contract
def test_receiver(webhook_receiver, rule):
    rule.check(webhook_receiver)


def test_part_is_ordered_once(webhook):
    first = webhook.send("sparePartOutOfStock")
    assert (first.status, first.effects) == (200, 1)
    again = webhook.replay(first)
    assert (again.status, again.effects) == (409, 0)


def test_signed_payload_through_flasks_own_client(app, database, webhook):
    before = orders(database)
    signed = webhook.sign({"sparePart": {"sparePartId": "SP-1"}})
    assert app.test_client().post("/webhook", **signed.flask).status_code == 200
    assert orders(database) == before + 1


def test_payload_without_a_part_is_refused(app, webhook):
    assert app.test_client().post("/webhook", **webhook.sign({}).flask).status_code == 422
