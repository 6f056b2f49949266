import asyncio
import threading

import hookproof
import pytest
from aiohttp import web

from app import ORDERS, create_app

SECRET = "a-secret-for-tests"


@pytest.fixture(scope="session")
def app():
    return create_app(SECRET)


@pytest.fixture(scope="session")
def url(app):
    """Serve the application in a thread, on a free port of this machine."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app)
    loop.run_until_complete(runner.setup())
    site = web.TCPSite(runner, "127.0.0.1", 0)
    loop.run_until_complete(site.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="session")
def webhook_receiver(app, url):
    return hookproof.Receiver(
        url=f"{url}/webhook",
        secret=SECRET,
        effects=lambda: list(app[ORDERS]),
        effect_timeout=1,  # they are there when the answer is
        tolerance=300,
        replay="rejects",
    )
