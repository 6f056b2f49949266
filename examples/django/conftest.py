import hookproof
import pytest


@pytest.fixture(scope="session")
def webhook_receiver(django_db_setup):
    from shop.models import Order
    from shop.wsgi import application

    return hookproof.Receiver(
        app=application,
        path="/webhook/",
        secret="a-secret-for-tests",
        effects=Order.objects.count,
        effect_timeout=1,  # they are there when the answer is
        tolerance=300,
        replay="rejects",
    )
