"""`load` for real: Locust in a process of its own, receivers in others, and the verdict on them."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookproof.cli import main
from hookproof.load.running import locustfile
from hookproof.miniatures.base import Miniature
from support.command_line import COMMAND, environment, hookproof_command, one_line_error
from support.loaded import (
    SECRET,
    ActsTwice,
    ForgetsNonces,
    Listening,
    LosesEvents,
    TakesForgeries,
    receiver,
)
from support.loading import MIX, PATIENCE, SHORT, at, checked, load, of, report
from support.sockets import silent_port


@pytest.fixture(scope="module")
def right() -> Iterator[Listening]:
    with receiver() as listening:
        yield listening


# --- verdicts -----------------------------------------------------------------------------------


def test_right_receiver_is_right_under_load(right: Listening, tmp_path: Path) -> None:
    page, saved = tmp_path / "load.html", tmp_path / "load.json"
    done = load(*at(right), "--report", f"html={page}", "--report", f"json={saved}")
    text = done.stdout.decode()
    assert done.returncode == 0, text + done.stderr.decode()
    assert text.endswith("exit 0: every verdict under load is right\n")
    assert re.search(r"^effects  \d+ before, [\d,]+ after: [\d,]+, 0 lost, 0 doubled$", text, re.M)
    told = checked(saved.read_bytes())
    assert (told["users"], told["requests"]) == (4, 200)
    assert {one["kind"] for one in told["kinds"]} == {"valid", "forged", "stale", "replayed"}
    assert of(told, "valid")["accepted"] == of(told, "valid")["sent"] > 0
    assert of(told, "forged")["answers"].keys() == {"401"}
    assert page.read_bytes().count(b"<polyline ") == 3


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (TakesForgeries, "forged-accepted"),
        (ForgetsNonces, "replayed-accepted"),
        (LosesEvents, "valid-lost"),
        (ActsTwice, "effects-doubled"),
    ],
)
def test_wrong_receiver_is_found_out(kind: type[Miniature], found: str) -> None:
    with receiver(kind) as listening:
        done = load(*at(listening), "--format", "json")
    told = report(done)
    assert done.returncode == told["exit"] == 1
    assert [finding["id"] for finding in told["findings"]] == [found]


def test_receiver_that_is_not_there_is_one_line_and_exit_2() -> None:
    with silent_port() as port:
        done = load(f"http://127.0.0.1:{port}/webhook", *SHORT)
    told = done.stderr.decode()
    assert done.returncode == 2
    assert told.endswith("no connection: Connection refused; is the receiver running?\n")
    assert told.count("\n") == 1


def test_wrong_secret_is_told_before_anything_is_loaded(right: Listening) -> None:
    done = load(*at(right), "-q", secret="another-secret-of-32-characters!")
    text = done.stdout.decode()
    assert done.returncode == 1
    assert text.endswith("exit 1: the receiver is not right even alone, so no load was run\n")
    assert "valid-refused-alone" in text
    assert "Is the secret the receiver's?" in text


def test_probe_that_does_not_tell_effects_is_a_mistake(right: Listening) -> None:
    done = load(right.url, "--effects-url", right.url, *SHORT)
    assert done.returncode == 2
    assert done.stderr.startswith(f"hookproof: {right.url}: the effects probe".encode())


def test_rate_is_that_of_all_users_together(right: Listening) -> None:
    told = report(
        load(right.url, "--users", "5", "--requests", "60", "--rate", "40", "--format", "json")
    )
    assert told["requests"] == 60
    assert 40 * (told["seconds"] + 1) >= 60
    assert told["rate"] == 40


# --- several processes ----------------------------------------------------------------------------


@pytest.fixture
def free_port() -> Iterator[str]:
    with silent_port() as port:
        yield str(port)


def test_master_judges_what_two_workers_send(right: Listening, free_port: str) -> None:
    port = ("--master-port", free_port)
    worker = [*COMMAND, "load", right.url, "--mix", MIX, "--worker", *port]
    variables = environment(HOOKPROOF_SECRET=SECRET)
    workers = [
        subprocess.Popen(
            worker, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        master = (*at(right), "--master", "--expect-workers", "2", *port)
        told = report(load(*master, "--format", "json"))
        ends = [one.communicate(timeout=PATIENCE) for one in workers]
    finally:
        for one in workers:
            one.kill()
            one.wait()
    assert told["exit"] == 0
    assert (told["users"], told["requests"]) == (4, 200)
    assert of(told, "valid")["sent"] == told["effects"]["after"] - told["effects"]["before"]
    assert [one.returncode for one in workers] == [0, 0], ends
    assert all("worker of 127.0.0.1:" in out for out, _ in ends)


def test_locust_that_cannot_begin_is_told_with_its_reason(right: Listening) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = load(right.url, "--master", "--master-port", port, "--format", "json", *SHORT)
    told = report(done)
    assert (done.returncode, told["exit"], told["complete"]) == (3, 3, False)
    assert told["findings"][0]["id"] == "locust-failed"
    assert "Address already in use" in told["findings"][0]["found"]


def locust(listening: Listening, folder: Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    """Run Locust by hand, as its users do."""
    plan = {
        "HOOKPROOF_SECRET": SECRET,
        "HOOKPROOF_LOAD_URL": listening.url,
        "HOOKPROOF_LOAD_EFFECTS_URL": listening.effects_url,
        "HOOKPROOF_LOAD_MIX": MIX,
        "HOOKPROOF_LOAD_REQUESTS": "200",
    }
    options = ["--headless", "-u", "4", "-r", "4", "-t", "60s", "--only-summary"]
    return subprocess.run(
        [sys.executable, "-m", "locust", "-f", locustfile(), *options],
        env=environment(**(plan | more)),
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_locust_by_hand_judges_by_itself(right: Listening, tmp_path: Path) -> None:
    done = locust(right, tmp_path, HOOKPROOF_LOAD_REPORT="json=load.json,html=load.html")
    assert done.returncode == 0, done.stderr
    assert b"exit 0: every verdict under load is right" in done.stdout
    told = checked((tmp_path / "load.json").read_bytes())
    assert (told["requests"], told["effects"]["lost"]) == (200, 0)
    assert (tmp_path / "load.html").exists()


def test_locust_by_hand_fails_for_a_wrong_receiver(tmp_path: Path) -> None:
    with receiver(TakesForgeries) as listening:
        done = locust(listening, tmp_path)
    assert done.returncode == 1
    assert b"1. forged-accepted [fail]" in done.stdout
    assert b"a forged request was accepted" in done.stdout + done.stderr  # by Locust itself


def test_locust_by_hand_tells_a_wrong_variable(right: Listening, tmp_path: Path) -> None:
    done = locust(right, tmp_path, HOOKPROOF_LOAD_RATES="1")
    assert done.returncode == 2
    assert b"hookproof: HOOKPROOF_LOAD_RATES: unknown variable; did you mean" in done.stderr
    assert b"Traceback" not in done.stderr
    elsewhere = locust(right, tmp_path, HOOKPROOF_LOAD_URL="http://example.com/")
    assert elsewhere.returncode == 2
    assert b"example.com is not this machine" in elsewhere.stderr


# --- mistakes -------------------------------------------------------------------------------------

HERE = "http://127.0.0.1:8000/webhook"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "load: which receiver? give its URL"),
        (("http://example.com/",), "load: example.com is not this machine"),
        ((HERE, "--mix", "valid=1,forgd=1"), "--mix: unknown kind 'forgd'; did you mean forged?"),
        ((HERE, "--mix", "forged=1"), "--mix: nothing genuine is sent"),
        ((HERE, "--duration", "soon"), "load --duration: soon is not a length of time"),
        ((HERE, "--duration", "0"), "--duration: it must be above 0"),
        ((HERE, "--users", "0"), "load --users: 0 is not in the range"),
        ((HERE, "--rate", "0"), "load --rate: 0.0 is not in the range"),
        ((HERE, "--master", "--worker"), "--worker: a master sends nothing itself; choose one"),
        ((HERE, "--report", "jason=x"), "--report: unknown report format 'jason'; did you mean"),
        ((HERE, "--header", "User-Agent: x"), "--header: User-Agent would stand twice"),
        ((HERE, "--header", "A: 1", "--header", "a: 2"), "--header: a would stand twice"),
        ((HERE, "--effects-url", "effects"), "--effects-url: 'effects' is not an http"),
        ((HERE, "--ca-file", "nowhere"), "--ca-file: there is no file nowhere"),
        ((HERE, "--worker", "--expect", "2"), "load: no such option --expect"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_mistake_is_told_in_one_line(
    arguments: tuple[str, ...], problem: str, tmp_path: Path
) -> None:
    done = hookproof_command("load", *arguments, secret=SECRET, cwd=tmp_path)
    assert one_line_error(done).startswith(problem)


def test_missing_locust_is_told_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hookproof.load.running.find_spec", lambda _: None)
    assert main(["load", HERE]) == 2
    assert capsys.readouterr().err == (
        "hookproof: load: Locust is not installed; pip install 'hookproof[load]'\n"
    )


def test_configuration_gives_defaults_and_its_reports_are_not_for_load(tmp_path: Path) -> None:
    (tmp_path / "hookproof.toml").write_text(
        'report = "junit=junit.xml"\n[receivers.shop]\nurl = "http://example.com/"\n'
    )
    done = hookproof_command("load", "shop", secret=SECRET, cwd=tmp_path)
    assert one_line_error(done).startswith("load: example.com is not this machine")


def test_locustfile_is_where_the_command_says() -> None:
    done = hookproof_command("load", "--locustfile")
    assert done.stdout.decode() == f"{locustfile()}\n"
    assert locustfile().is_file()


def test_nothing_but_the_locustfile_imports_locust() -> None:
    code = (
        "import sys, hookproof.cli.loading, hookproof.load.by_hand, hookproof.load.crew\n"
        "print(*sorted({m.split('.')[0] for m in sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    ).stdout.split()
    assert not {"locust", "gevent", "geventhttpclient", "jinja2"} & set(loaded)
