import hookproof
import pytest

from app import create_app, orders

SECRET = "a-secret-for-tests"


@pytest.fixture(scope="session")
def database(tmp_path_factory):
    return str(tmp_path_factory.mktemp("shop") / "shop.sqlite3")


@pytest.fixture(scope="session")
def app(database):
    return create_app(SECRET, database)


@pytest.fixture(scope="session")
def webhook_receiver(app, database):
    return hookproof.Receiver(
        app=app,
        path="/webhook",
        secret=SECRET,
        effects=lambda: orders(database),
        effect_timeout=1,  # they are there when the answer is
        tolerance=300,
        replay="rejects",
        restart=lambda: create_app(SECRET, database),
    )
