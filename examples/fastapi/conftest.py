import hookproof
import pytest

from app import SECRET, app


@pytest.fixture(scope="session")
def webhook_receiver(webhook_clock):
    return hookproof.Receiver(
        app=app,
        path="/webhook",
        secret=SECRET.decode(),
        effects=lambda: app.state.shop.orders if hasattr(app.state, "shop") else [],
        effect_timeout=1,  # they are there when the answer is
        tolerance=300,
        replay="ignores",
        clock=webhook_clock,
    )
