"""`listen` says once where it listens, shows every delivery, and can pass it on untouched."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from hookproof.fresh import fresh_nonce
from hookproof.serving import serve
from hookproof.targets.http import HttpTarget
from hookproof_spec import load, payloads
from hookproof_spec.request import Request
from hookproof_spec.signing import Delivery, Signer
from support.command_line import CANARY, COMMAND, environment, hookproof_command, one_line_error
from support.sockets import silent_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@dataclass
class Listener:
    """A running `hookproof listen`."""

    process: subprocess.Popen[bytes]
    ready: str

    @property
    def out(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def lines(self, count: int) -> list[str]:
        return [self.out.readline().decode().rstrip("\n") for _ in range(count)]


@contextmanager
def listening(tmp_path: Path, *arguments: str) -> Iterator[Listener]:
    process = subprocess.Popen(
        [*COMMAND, "listen", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(HOOKPROOF_SECRET=CANARY),
        cwd=tmp_path,
    )
    try:
        assert process.stdout is not None
        yield Listener(process, process.stdout.readline().decode().rstrip("\n"))
    finally:
        process.kill()
        process.communicate()


def delivery(**headers: str) -> Delivery:
    webhook = load("mobility-work").webhook()
    body = payloads.encode(payloads.example(webhook))
    own = (("Content-Type", "application/json"), *headers.items())
    plain = Request("POST", "http://h/", own, body)
    from time import time

    return Signer(webhook.scheme, CANARY).sign(
        plain, timestamp=time(), nonce=fresh_nonce(webhook.scheme.nonce)
    )


def sent(url: str, request: Request) -> int | None:
    with HttpTarget(url) as target:
        return target.send(request.with_url(url)).status


def test_each_delivery_is_a_pair_of_lines_with_its_verdict(tmp_path: Path) -> None:
    with listening(tmp_path) as listener:
        assert listener.ready.startswith("listening on http://127.0.0.1:")
        url = listener.ready.removeprefix("listening on ")
        genuine = delivery()
        assert sent(url, genuine.request) == 200
        assert sent(url, genuine.request) == 409
        assert sent(url, delivery().with_body(b"{}").request) == 401
        lines = listener.lines(6)
        assert [line.split("  ", 1)[1].partition("  ")[0] for line in lines] == ["-->", "<--"] * 3
        assert lines[0].endswith("  -->  sparePartOutOfStock  #1  accepted")
        assert "  <--  200 OK  " in lines[1]
        assert lines[1].endswith("ms  #1")
        assert lines[2].endswith("  #2  refused: replayed: its nonce was used")
        assert "  #3  refused: wrong signature: " in lines[4]


def test_copies_that_arrive_at_once_are_accepted_once(tmp_path: Path) -> None:
    with listening(tmp_path, "--replay", "rejects") as listener:
        url = listener.ready.removeprefix("listening on ")
        copies = [delivery().request.with_url(url)] * 20
        with HttpTarget(url) as target:
            statuses = [one.status for one in target.send_all(copies, together=True)]
    assert sorted(statuses, key=str) == [200, *[409] * 19]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_ends_it_in_peace(number: signal.Signals, tmp_path: Path) -> None:
    with listening(tmp_path) as listener:
        listener.process.send_signal(number)
        out, errors = listener.process.communicate(timeout=20)
        assert (listener.process.returncode, out, errors) == (0, b"", b"")


def test_signal_that_came_while_it_was_stopped_ends_it(tmp_path: Path) -> None:
    with listening(tmp_path) as listener:
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT):
            listener.process.send_signal(number)
        out, errors = listener.process.communicate(timeout=20)
        assert (listener.process.returncode, out, errors) == (0, b"", b"")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")
def test_signal_is_left_to_the_thread_that_waits(tmp_path: Path) -> None:
    """Any other could be given it, of a process that was stopped, and wake nobody."""
    ending = 1 << signal.SIGINT - 1 | 1 << signal.SIGTERM - 1
    with listening(tmp_path) as listener:
        tasks = Path(f"/proc/{listener.process.pid}/task").iterdir()
        others = [task for task in tasks if task.name != str(listener.process.pid)]
        held = [re.search(r"^SigBlk:\s(.*)$", (t / "status").read_text(), re.M) for t in others]
        listener.process.terminate()
        assert listener.process.wait(20) == 0
    assert held
    assert all(mask and int(mask[1], 16) & ending == ending for mask in held)


def test_json_is_one_object_a_line(tmp_path: Path) -> None:
    with listening(tmp_path, "--format", "json", "--path", "/x", "--replay", "ignores") as listener:
        url = json.loads(listener.ready)["ready"]
        assert url.endswith("/x")
        genuine = delivery()
        assert sent(url, genuine.request) == 200
        assert sent(url, genuine.request) == 200
        first, second = map(json.loads, listener.lines(2))
        assert first.pop("seconds") >= 0
        assert first == {
            "number": 1,
            "webhook": "sparePartOutOfStock",
            "accepted": True,
            "reason": None,
            "detail": "",
            "status": 200,
            "forwarded": False,
        }
        assert (second["accepted"], second["reason"], second["status"]) == (False, "replayed", 200)


def test_quiet_shows_refusals_only_and_verbose_what_was_received(tmp_path: Path) -> None:
    with listening(tmp_path, "-q") as listener:
        url = listener.ready.removeprefix("listening on ")
        assert sent(url, delivery().request) == 200
        assert sent(url, delivery().with_body(b"{}").request) == 401
        assert "  #2  refused: " in listener.lines(1)[0]
    with listening(tmp_path, "-v") as listener:
        url = listener.ready.removeprefix("listening on ")
        echo = delivery(**{"X-Key": CANARY.encode().hex()}).with_body(b"{}").request
        assert sent(url, echo) == 401
        lines = listener.lines(9)
        assert f"          POST {url}" in lines
        assert "          X-Key: ********" in lines
        assert "          {}" in lines


def test_other_paths_are_no_deliveries(tmp_path: Path) -> None:
    with listening(tmp_path, "--format", "json") as listener:
        url = json.loads(listener.ready)["ready"]
        other = url.replace("/webhook", "/favicon.ico")
        assert sent(other, Request("GET", other, (), b"")) == 404
        assert sent(url, delivery().request) == 200
        assert json.loads(listener.lines(1)[0])["number"] == 1


def test_delivery_is_passed_on_untouched_and_its_answer_given_back(tmp_path: Path) -> None:
    heard: list[tuple[bytes, list[tuple[str, str]], str]] = []

    def upstream(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        heard.append((body, environ["hookproof.headers"], environ["PATH_INFO"]))
        start("418 I'm a Teapot", [("X-From", "upstream"), ("Content-Length", "3")])
        return [b"tea"]

    with serve(upstream) as server:
        forwarding = ("--format", "json", "--forward", f"{server.url}/mine")
        with listening(tmp_path, *forwarding) as listener:
            url = json.loads(listener.ready)["ready"]
            request = delivery(**{"X-oDD": "  a  b"}).with_body(b"{ }").request
            with HttpTarget(url) as target:
                answer = target.send(request.with_url(url))
            (line,) = map(json.loads, listener.lines(1))
    assert (answer.status, answer.body, answer.header("X-From")) == (418, b"tea", "upstream")
    body, headers, path = heard[0]
    assert (body, path) == (request.body, "/mine")
    assert ("X-oDD", "a  b") in headers
    assert request.headers[-1] in headers
    assert (line["status"], line["forwarded"], line["reason"]) == (418, True, "wrong signature")


def test_nobody_behind_a_forward_is_a_bad_gateway(tmp_path: Path) -> None:
    with (
        silent_port() as port,
        listening(tmp_path, "--forward", f"http://127.0.0.1:{port}/x") as listener,
    ):
        url = listener.ready.removeprefix("listening on ")
        assert sent(url, delivery().request) == 502
        assert "no answer: " in listener.lines(2)[1]


def test_taken_port_is_a_mistake_in_one_line(tmp_path: Path) -> None:
    with serve(lambda _, __: []) as server:
        port = server.url.rpartition(":")[2]
        error = one_line_error(hookproof_command("listen", "--port", port, cwd=tmp_path))
    assert f"127.0.0.1:{port}: cannot listen: " in error
