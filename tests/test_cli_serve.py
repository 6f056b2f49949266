"""`serve` says once where it is, tells of each delivery in a pair of lines, and loses nothing."""

from __future__ import annotations

import io
import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hookproof.cli.deliveries import JsonLines, Ready
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.reports.console import Console
from hookproof.serving import serve
from hookproof_spec import load
from support.command_line import (
    CANARY,
    COMMAND,
    all_forms,
    command_here,
    environment,
    hookproof_command,
    one_line_error,
)
from support.mock_receiving import receiving, until


@dataclass
class Sender:
    """A running `hookproof serve`."""

    process: subprocess.Popen[bytes]
    ready: dict[str, Any]

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().rstrip("\n")

    def told(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.line())
        return value

    def call(self, path: str, body: object = None) -> Any:  # noqa: ANN401 (JSON)
        request = urllib.request.Request(
            f"{self.ready['ready']}api/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.ready['token']}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, bytes, bytes]:
        self.process.send_signal(number)
        out, error = self.process.communicate(timeout=30)
        return self.process.returncode, out, error


@contextmanager
def serving(folder: Path, *arguments: str, **variables: str) -> Iterator[Sender]:
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--format", "json", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**variables),
        cwd=folder,
    )
    sender = Sender(process, {})
    try:
        first = sender.line()
        assert first, process.communicate()[1].decode()
        sender.ready = json.loads(first)
        yield sender
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def receiver() -> Iterator[str]:
    app = create_receiver(load("mobility-work").webhook(), [CANARY], nonces=MemoryNonceStore())
    with serve(app) as server:
        yield f"{server.url}/webhook"


def test_delivery_is_told_and_the_secret_is_not(receiver: str, tmp_path: Path) -> None:
    with serving(tmp_path, "--url", receiver, HOOKPROOF_SECRET=CANARY) as sender:
        event = sender.call("events", {})
        told = sender.told()
        assert (told["event"], told["status"], told["succeeded"]) == (event["id"], 200, True)
        assert told["kind"] == "valid"
        status, out, error = sender.end()
    assert status == 0
    for form in all_forms(CANARY):
        assert form not in json.dumps([sender.ready, told]).encode() + out + error


def test_pair_of_lines_tells_a_delivery_in_words(receiver: str, tmp_path: Path) -> None:
    with serving(tmp_path, "--url", receiver, "--db", ":memory:", HOOKPROOF_SECRET=CANARY) as quiet:
        assert not (tmp_path / "hookproof.sqlite3").exists()
        quiet.end()
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--url", receiver],
        stdout=subprocess.PIPE,
        env=environment(HOOKPROOF_SECRET=CANARY, PYTHONUNBUFFERED="1"),
        cwd=tmp_path,
    )
    sender = Sender(process, {})
    try:
        ready, token = sender.line(), sender.line()
        found = re.fullmatch(r"ready  (http://127\.0\.0\.1:(\d+)/)  \(port (\d+)\)", ready)
        assert found is not None
        assert found[2] == found[3]
        sender.ready = {"ready": found[1], "token": token.split()[1]}
        event = sender.call("events", {})["id"]
        moment = r"\d\d:\d\d:\d\d"
        sent = rf"{moment}  -->  sparePartOutOfStock  {event} #1  valid"
        assert re.fullmatch(sent, sender.line())
        assert re.match(rf"{moment}  <--  200  \d+ ms  {event}  received", sender.line())
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_refused_forgery_is_sent_by_its_rule(receiver: str, tmp_path: Path) -> None:
    with serving(tmp_path, "--url", receiver, HOOKPROOF_SECRET=CANARY) as sender:
        sender.call("events", {})
        first = sender.told()
        sender.call(f"deliveries/{first['delivery']}/forge", {"rule": "replay-exact"})
        genuine, forged = sender.told(), sender.told()
        assert (genuine["status"], forged["status"]) == (200, 409)
        assert forged["kind"] == "replay-exact"


def test_store_outlives_the_process(receiver: str, tmp_path: Path) -> None:
    arguments = ["--url", receiver, "--db", "mine.sqlite3"]
    with serving(tmp_path, *arguments, HOOKPROOF_SECRET=CANARY) as sender:
        event = sender.call("events", {})
        sender.told()
        assert sender.end(signal.SIGINT)[0] == 0
    with serving(tmp_path, *arguments, HOOKPROOF_SECRET=CANARY) as sender:
        assert [one["id"] for one in sender.call("events")["items"]] == [event["id"]]
        assert len(sender.call("webhooks")["items"]) == 1
        assert f"{receiver} is registered already, and keeps the secret" in sender.end()[2].decode()


def test_secret_is_made_and_shown_when_that_is_asked(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/webhook"
    with serving(tmp_path, "--url", url, "--print-secret") as sender:
        assert len(sender.ready["secret"]) >= 32
        assert sender.call("webhooks")["items"][0]["signed"] is True
    with serving(tmp_path, "--url", url + "2", "--unsigned") as sender:
        assert "secret" not in sender.ready
        signed = {one["url"]: one["signed"] for one in sender.call("webhooks")["items"]}
        assert signed == {url: True, url + "2": False}


def test_token_may_come_from_the_environment(tmp_path: Path) -> None:
    token = "a-token-of-our-own"
    with serving(tmp_path, "--token-env", "TOKEN", TOKEN=token) as sender:
        assert sender.ready["token"] == token
        assert sender.call("events", {})["event"] == "sparePartOutOfStock"


def test_other_document_offers_its_own_webhook(tmp_path: Path) -> None:
    with serving(tmp_path, "--spec", "github") as sender:
        assert sender.call("events", {"event": "push"})["event"] == "push"


def test_port_that_is_taken_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = hookproof_command("serve", "--port", port, cwd=tmp_path)
    assert "cannot listen" in one_line_error(result)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--url", "http://127.0.0.1:9/"], "HOOKPROOF_SECRET: it is not set"),
        (["--url", "127.0.0.1:9", "--unsigned"], "--url: '127.0.0.1:9' is not an http"),
        (["--url", "http://example.com/", "--unsigned"], "--allow-receiver example.com"),
        (["--spec", "mobility-wrok"], "did you mean mobility-work?"),
        (["--plan", "Premum"], "did you mean Premium?"),
        (["--token-env", "NOT_SET"], "NOT_SET holds no token"),
        (["--db", "nowhere/x.sqlite3"], "nowhere"),
        (["--db", "no-database"], "no-database"),
        (["--db", ""], "Is a directory"),
        (["--allow-host", "box.internal:80"], "'box.internal:80' is no host"),
        (["--allow-host", "*"], "'*' is no host"),
        (["--allow-receiver", "http://box/"], "'http://box/' is no host"),
        (["--host", "a b"], "'a b' is no host"),
        (["--schedule", "never"], "'none', 'fixed', 'exponential', 'standard'"),
    ],
)
def test_mistake_is_told_in_one_line(arguments: list[str], error: str, tmp_path: Path) -> None:
    (tmp_path / "no-database").write_text("this is no database at all, and long enough to tell")
    result = command_here("serve", "--port", "0", *arguments, secret=None, cwd=tmp_path)
    assert error.replace("'", "") in one_line_error(result).replace("'", "")
    assert (tmp_path / "no-database").read_text().startswith("this is no database")


def test_second_sender_on_one_store_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, "--db", "one.sqlite3"):
        result = hookproof_command("serve", "--port", "0", "--db", "one.sqlite3", cwd=tmp_path)
        assert "one.sqlite3" in one_line_error(result)
    with closing(sqlite3.connect(tmp_path / "one.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.2", "localhost"])
def test_address_that_is_told_can_be_opened(host: str, tmp_path: Path) -> None:
    with serving(tmp_path, "--host", host, "--db", ":memory:") as sender:
        assert sender.call("health")["status"] == "ok"
        assert "0.0.0.0" not in sender.ready["ready"]


HOLDING = """
import os, signal, sys
from hookproof.cli.signals import held_back, wait_for
number = signal.Signals[sys.argv[1]]
with held_back() as signals:
    os.kill(os.getpid(), number)
    print("goes on", flush=True)
    wait_for(signals)
    print("ends", flush=True)
    if sys.argv[2:]:
        os.kill(os.getpid(), number)
    print("gently", flush=True)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_being_told_to_end_breaks_in_nowhere(name: str) -> None:
    once, twice = ((name,), (name, "again"))
    gently, at_once = (
        subprocess.run([sys.executable, "-c", HOLDING, *words], capture_output=True, timeout=60)
        for words in (once, twice)
    )
    assert (gently.returncode, gently.stdout) == (0, b"goes on\nends\ngently\n")
    assert at_once.stdout == b"goes on\nends\n"
    assert at_once.returncode == 128 + signal.Signals[name]


def test_second_signal_does_not_wait_for_receivers(tmp_path: Path) -> None:
    with receiving() as silent:
        silent.gate.clear()
        arguments = ["--url", silent.url, "--unsigned", "--timeout", "600"]
        with serving(tmp_path, *arguments) as sender:
            event = sender.call("events", {})["id"]
            silent.wait_for(1)
            sender.process.send_signal(signal.SIGINT)
            assert sender.end()[0] == 128 + signal.SIGTERM
        silent.gate.set()
        with serving(tmp_path) as sender:
            assert sender.told()["event"] == event
            (delivery,) = sender.call("deliveries")["items"]
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)


def test_deliveries_go_on_when_the_log_is_full(receiver: str, tmp_path: Path) -> None:
    small = ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh"]
    log, count = tmp_path / "log", 5
    with log.open("wb") as written:
        process = subprocess.Popen(
            [*small, *COMMAND, "serve", "--port", "0", "--db", ":memory:", "--url", receiver],
            stdout=written,
            env=environment(HOOKPROOF_SECRET=CANARY),
        )
    try:
        until(lambda: b"token" in log.read_bytes() or process.poll() is not None)
        words = log.read_text().split()
        sender = Sender(process, {"ready": words[1], "token": words[5]})
        for _ in range(count):
            sender.call("events", {})
        until(lambda: sender.call("health")["deliveries"]["delivered"] == count)
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    assert log.stat().st_size <= 1024


def test_ready_line_is_the_first_of_all() -> None:
    stream = io.StringIO()
    lines = JsonLines(Console(stream))
    lines.trouble(ValueError("early"))
    lines.ready(Ready("http://127.0.0.1:1", "token"))
    lines.trouble(ValueError("late"))
    first, *others = map(json.loads, stream.getvalue().splitlines())
    assert first["ready"] == "http://127.0.0.1:1/"
    assert others == [{"error": "ValueError: early"}, {"error": "ValueError: late"}]
