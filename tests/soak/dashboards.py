"""Open the dashboard in twenty real browsers while 10,000 deliveries wait, and time the API.

    .venv/bin/python tests/soak/dashboards.py [--browsers 20] [--waiting 10000]

Each browser is a Chromium context of its own, with its own connections. The sender runs in this
process; another one asks the API, which changes what every dashboard shows. In the end each
dashboard must show the last event, without a console error.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, sync_playwright

from hookproof_mockserver.app import create_app
from hookproof_mockserver.model import DeliveryPolicy
from hookproof_mockserver.sender import MockSender, Setup
from hookproof_mockserver.server import serve
from hookproof_spec import load

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PATIENCE = 120_000
"""Milliseconds that a dashboard may take to show something."""


def deaf(stack: ExitStack) -> str:
    """Listen and answer nothing; return the URL."""
    listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=16))
    return f"http://127.0.0.1:{listening.getsockname()[1]}/"


def end(error: BaseException) -> None:
    """End with an error of a thread."""
    raise error


def asked(url: str, token: str) -> dict[str, list[float]]:
    """Have another process ask for everything, 200 times each; return the seconds it took."""
    command = [sys.executable, str(BENCHMARKS / "mock_api.py"), "--measure", url]
    told = subprocess.run(
        [*command, "--token", token, "--streams", "0"], check=True, capture_output=True
    )
    return dict(json.loads(told.stdout))


def complaint(said: ConsoleMessage) -> list[str]:
    """Return what a page complains of, if it does."""
    return [said.text] if said.type == "error" else []


def opened(stack: ExitStack, url: str, browsers: int, troubles: list[str]) -> list[Page]:
    """Open the deliveries' page in so many browsers, and wait until each is live."""
    chromium = stack.enter_context(sync_playwright()).chromium
    browser = chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
    )
    stack.callback(browser.close)
    pages = [browser.new_context().new_page() for _ in range(browsers)]
    for page in pages:
        page.on("console", lambda said: troubles.extend(complaint(said)))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"{url}/events", timeout=PATIENCE)
        page.wait_for_selector('#live[data-state="on"]', timeout=PATIENCE)
    return pages


def main() -> int:
    """Open, ask, and print medians in milliseconds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--browsers", type=int, default=20)
    parser.add_argument("--waiting", type=int, default=10_000)
    options = parser.parse_args()
    troubles: list[str] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        setup = Setup(document=load("mobility-work"), store=folder / "d.db", on_error=end)
        sender = stack.enter_context(MockSender(setup))
        policy = DeliveryPolicy(ordered=True, concurrency=1, timeout=300.0)
        sender.register(url=deaf(stack), policy=policy)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: sender.trigger(), range(options.waiting)))
        app = create_app(sender, report=end)
        url = stack.enter_context(serve(app, report=end)).url
        pages = opened(stack, url, options.browsers, troubles)
        print(f"{len(pages)} dashboards are live while {options.waiting:,} deliveries wait")
        for path, seconds in asked(url, app.token).items():
            middle, worst = statistics.median(seconds) * 1e3, max(seconds) * 1e3
            print(f"  {path:42} {middle:8.2f} ms, at most {worst:.0f}")
        last, begun = sender.trigger().id, time.monotonic()
        for page in pages:
            page.wait_for_selector(f'a[href="/events/{last}"]', timeout=PATIENCE)
        print(f"all show the last event after {time.monotonic() - begun:.1f} s")
        for page in pages:
            page.context.close()
    print("\n".join(troubles) or "no console error")
    return 1 if troubles else 0


if __name__ == "__main__":
    raise SystemExit(main())
