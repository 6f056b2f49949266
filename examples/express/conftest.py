import os
import subprocess
from pathlib import Path

import hookproof
import pytest

HERE = Path(__file__).parent
SECRET = "a-secret-for-tests"


@pytest.fixture(scope="session")
def url():
    """Start the application on a free port; it says which."""
    environment = {**os.environ, "WEBHOOK_SECRET": SECRET, "PORT": "0"}
    command = ["node", str(HERE / "app.js")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as node:
        port = node.stdout.readline().rpartition(" ")[2].strip()
        yield f"http://127.0.0.1:{port}"
        node.terminate()


@pytest.fixture(scope="session")
def webhook_receiver(url):
    return hookproof.Receiver(
        url=f"{url}/webhook",
        secret=SECRET,
        effects=f"{url}/effects",
        tolerance=300,
        replay="ignores",
    )
