"""A load's process and its wire: stopped early, gone with us, secret; what travels, what comes."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hookproof.miniatures.base import Miniature
from hookproof_spec import load as spec
from hookproof_spec.request import Request
from hookproof_spec.signing import Verifier
from support.command_line import CANARY, COMMAND, all_forms, environment
from support.loaded import SECRET, Listening, receiver
from support.loading import FEW, PATIENCE, checked, load, of, report
from support.sockets import (
    OK,
    Peer,
    Script,
    ScriptedServer,
    answering,
    answering_for_ever,
    make_certificate,
    scripted,
    silent_port,
)

# --- being stopped ------------------------------------------------------------------------------


def children(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(word) for word in path.read_text().split()]


def effects(listening: Listening) -> int:
    with urllib.request.urlopen(listening.effects_url, timeout=10) as answer:
        return len(json.load(answer))


def wait_until(something: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not something():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def begun(listening: Listening, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a load that would go on for a minute; return when it is under way."""
    before = effects(listening)
    process = subprocess.Popen(
        [*COMMAND, "load", listening.url, "--duration", "60s", "--rate", "200", *arguments],
        env=environment(HOOKPROOF_SECRET=CANARY),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: effects(listening) > before + 30, "nothing is sent")
    return process


def test_interrupted_load_tells_what_is_known(tmp_path: Path) -> None:
    saved = tmp_path / "load.json"
    with receiver(Miniature, CANARY) as listening:
        process = begun(
            listening, "--effects-url", listening.effects_url, "--report", f"json={saved}"
        )
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, error
    assert out.decode().rstrip().endswith("so far, every verdict under load is right")
    told = checked(saved.read_bytes())
    assert (told["complete"], told["exit"]) == (False, 130)
    assert of(told, "valid")["accepted"] > 0
    assert told["effects"]["lost"] == told["effects"]["doubled"] == 0


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")
def test_secret_is_in_no_process_list_and_locust_ends_with_us() -> None:
    with receiver(Miniature, CANARY) as listening:
        process = begun(listening)
        try:
            (child,) = children(process.pid)
            lines = [Path(f"/proc/{one}/cmdline").read_bytes() for one in (process.pid, child)]
        finally:
            process.kill()
            process.communicate(timeout=PATIENCE)
        assert b"locust" in lines[1]
        assert not any(form in line for form in all_forms(CANARY) for line in lines)
        wait_until(lambda: not Path(f"/proc/{child}").exists(), "Locust goes on alone")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")
def test_worker_that_is_killed_is_not_held_against_the_receiver() -> None:
    with silent_port() as port, receiver(Miniature, CANARY) as listening:
        part = ("--mix", "valid=1", "--master-port", str(port))
        worker = subprocess.Popen(
            [*COMMAND, "load", listening.url, "--worker", *part],
            env=environment(HOOKPROOF_SECRET=CANARY),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            effects_url = ("--effects-url", listening.effects_url, "--timeout", "1")
            master = begun(listening, "--master", "--format", "json", *effects_url, *part)
            (child,) = children(worker.pid)
            os.kill(child, signal.SIGKILL)
            master.send_signal(signal.SIGINT)
            out, error = master.communicate(timeout=PATIENCE)
        finally:
            worker.kill()
            worker.wait()
    assert master.returncode == 130, error
    told = checked(out)
    assert [finding["id"] for finding in told["findings"]] == ["worker-lost"]
    assert told["effects"] is None


# --- on the wire --------------------------------------------------------------------------------


def heads_and_bodies(server: ScriptedServer) -> Iterator[tuple[list[str], bytes]]:
    for peer in server.peers:
        rest = bytes(peer.received)
        while rest:
            head, _, rest = rest.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            length = next(int(line.split(": ")[1]) for line in lines if "Content-Length" in line)
            yield lines, rest[:length]
            rest = rest[length:]


def test_what_travels_is_what_was_signed_and_little_else() -> None:
    with scripted(answering_for_ever) as server:
        load(server.url, *FEW, "--header", "X-Team: \xe9")
        sent = list(heads_and_bodies(server))
    webhook = spec("mobility-work").webhook()
    verifier = Verifier(webhook.scheme, [SECRET])
    assert len(sent) == 1 + 5 + 1  # one alone before the load, and one after it
    for lines, body in sent:
        headers = tuple(
            (name, value) for name, _, value in (line.partition(": ") for line in lines[1:])
        )
        request = Request("POST", server.url, headers, body)
        assert verifier.verify(request, time.time(), tolerance=60).accepted
        assert lines[0] == "POST /webhook HTTP/1.1"
        assert request.header("X-Team") == "\xe9"
    from_locust = sent[1][0]
    assert [line.partition(":")[0] for line in from_locust[1:]] == [
        *("User-Agent", "Content-Type", "X-Team", "X-MW-Signature", "Host", "Content-Length"),
    ]


def test_connection_that_rested_is_not_used_again() -> None:
    few = ("--users", "1", "--requests", "4", "--mix", "valid=1", "--format", "json")
    with scripted(answering_for_ever) as server:
        told = report(load(server.url, *few, "--rate", "1.25"))
        connections = len(server.peers)
    assert of(told, "valid")["accepted"] == 4
    assert connections > 1 + 1 + 1  # one alone before the load, one after it, and one for all of it


def test_certificate_of_a_file_is_trusted_and_no_other(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "127.0.0.1")
    with scripted(answering_for_ever, tls=certificate.server) as server:
        told = report(load(server.url, *FEW, "--ca-file", str(certificate.file)))
    assert told["exit"] == 0
    assert of(told, "valid")["sent"] == 5
    with (
        pytest.raises(ssl.SSLError, match="unknown ca"),
        scripted(answering_for_ever, tls=certificate.server) as server,
    ):
        done = load(server.url, *FEW)
    assert done.returncode == 2
    assert b"the certificate is not trusted" in done.stderr


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        (answering(b"hello there\r\n\r\n"), "garbage"),
        (answering(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), "302"),
        (Peer.hold, "timeout"),
    ],
    ids=["garbage", "redirects", "hangs"],
)
def test_receiver_that_breaks_down_under_load_is_wrong(script: Script, answer: str) -> None:
    with scripted(answering(OK), script) as server:
        told = report(load(server.url, *FEW, "--rate", "20", "--timeout", "1"))
    assert told["exit"] == 1
    assert of(told, "valid")["accepted"] == 0
    assert set(of(told, "valid")["answers"]) == {answer}
