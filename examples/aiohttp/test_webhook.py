import hookproof


@hookproof.contract
def test_receiver(webhook_receiver, rule):
    rule.check(webhook_receiver)


def test_forgery_is_refused_without_effect(webhook):
    forged = webhook.forge("forged-empty-secret")
    assert (forged.status, forged.effects) == (401, 0)
