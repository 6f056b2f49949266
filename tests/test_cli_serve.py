"""`serve` says once where it is, tells of each delivery in a pair of lines, and loses nothing."""

from __future__ import annotations

import json
import re
import signal
import socket
import sqlite3
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
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
