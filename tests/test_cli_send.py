"""`send` delivers genuine events, copies, old ones and forgeries, and says what came back."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hookproof.cli import main
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.serving import serve
from hookproof_spec import load
from hookproof_spec.request import Request
from hookproof_spec.signing import Verification
from support.command_line import CANARY, all_forms, command_here, hookproof_command, one_line_error


@dataclass(frozen=True)
class Receiver:
    """The reference receiver on a port, and what arrived there."""

    url: str
    arrived: list[tuple[Request, Verification]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [json.loads(request.body)["sparePart"]["name"] for request, _ in self.arrived]


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOKPROOF_SECRET", CANARY)
    arrived: list[tuple[Request, Verification]] = []
    app = create_receiver(
        load("mobility-work").webhook(),
        [CANARY],
        nonces=MemoryNonceStore(),
        on_verdict=lambda request, verdict: arrived.append((request, verdict)),
        path="/webhook",
        replay="reject",
    )
    with serve(app) as server:
        yield Receiver(server.url + "/webhook", arrived)


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_genuine_event_arrives_and_is_taken(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["send", receiver.url]) == 0
    sent, answered = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d  -->  sparePartOutOfStock  #1  genuine", sent)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  <--  200 OK  \d+ ms  #1", answered)
    assert [verdict.accepted for _, verdict in receiver.arrived] == [True]


def test_several_events_are_all_different(receiver: Receiver) -> None:
    assert main(["send", receiver.url, "--count", "3", "-q"]) == 0
    assert len({request.header("X-MW-Signature") for request, _ in receiver.arrived}) == 3
    assert len({request.body for request, _ in receiver.arrived}) == 3


def test_duplicates_repeat_the_bytes_and_may_be_refused(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["send", receiver.url, "--duplicates", "2", "--format", "json"]) == 0
    told = objects(capsys.readouterr().out)
    assert [one["status"] for one in told] == [200, 409, 409]
    assert [one["note"] for one in told] == ["genuine", *["the same bytes again"] * 2]
    assert len({request for request, _ in receiver.arrived}) == 1


def test_reversed_order_sends_the_last_event_first(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--count", "3", "--order", "reversed", "--format", "json"]
    assert main(["send", receiver.url, *arguments]) == 0
    assert [one["event"] for one in objects(capsys.readouterr().out)] == [3, 2, 1]


def test_shuffled_order_is_repeated_by_its_seed(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["send", receiver.url, "--count", "8", "--duplicates", "1", "--order", "shuffled"]
    assert main([*arguments, "--format", "json"]) == 0
    first = capsys.readouterr()
    seed = first.err.split()[-1]
    assert main([*arguments, "--format", "json", "--seed", seed]) == 0
    order = [one["event"] for one in objects(first.out)]
    assert [one["event"] for one in objects(capsys.readouterr().out)] == order
    assert order != sorted(order)  # by chance once in 81 million


def test_first_arrival_is_the_genuine_one_in_any_order(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--count", "4", "--duplicates", "2", "--order", "shuffled", "--seed", "5"]
    assert main(["send", receiver.url, *arguments, "--format", "json"]) == 0
    told = objects(capsys.readouterr().out)
    assert {one["status"] for one in told if one["note"] == "genuine"} == {200}
    assert {one["status"] for one in told if one["note"] != "genuine"} == {409}


def test_member_of_the_payload_can_be_set(receiver: Receiver) -> None:
    assert main(["send", receiver.url, "--set", '/sparePart/name="Bolt M8"']) == 0
    assert receiver.names == ["Bolt M8"]


def test_payload_of_a_file_travels_byte_for_byte(receiver: Receiver, tmp_path: Path) -> None:
    body = b'{ "not" : "the declared shape" }\r\n'
    (tmp_path / "payload").write_bytes(body)
    result = hookproof_command("send", receiver.url, "--data", "@payload", cwd=tmp_path)
    assert receiver.arrived[0][0].body == body
    assert b"the payload breaks the document's schema" in result.stderr
    assert result.returncode == 1  # the receiver checks the schema too


def test_old_event_says_its_age_and_is_refused(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["send", receiver.url, "--age", "2h"]) == 1
    out = capsys.readouterr().out
    assert "7200 s old" in out
    assert '{"error": "stale"}' in out
    assert main(["send", receiver.url, "--age", "30m"]) == 0


def test_forgery_that_is_refused_ends_well(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["send", receiver.url, "--forge", "replay-exact", "--format", "json"]) == 0
    told = objects(capsys.readouterr().out)
    assert [one["status"] for one in told] == [200, 409]
    assert str(told[1]["note"]).startswith("replay-exact: ")


def test_forgery_that_is_taken_ends_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOKPROOF_SECRET", CANARY)
    with serve(lambda _, start: (start("200 OK", []), [b"fine"])[1:][0]) as server:
        assert main(["send", server.url, "--forge", "forged-no-header"]) == 1
    assert "<--  200 OK" in capsys.readouterr().out


def test_receiver_that_is_not_there_is_told_with_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOKPROOF_SECRET", CANARY)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert main(["send", f"http://127.0.0.1:{port}/webhook"]) == 2
    assert "unreachable" in capsys.readouterr().out


def test_json_line_can_be_judged_by_check(receiver: Receiver, tmp_path: Path) -> None:
    result = hookproof_command("send", receiver.url, "--format", "json", cwd=tmp_path)
    judged = hookproof_command("check", "--request", "-", stdin=result.stdout, cwd=tmp_path)
    assert judged.returncode == 0, judged.stdout


def test_secret_leaves_in_no_form(tmp_path: Path) -> None:
    def echo(_: object, start: object) -> list[bytes]:
        start("500 Oops", [])  # type: ignore[operator]
        return [b" ".join(all_forms(CANARY))]

    with serve(echo) as server:
        results = [
            hookproof_command("send", server.url, "-v", *more, cwd=tmp_path)
            for more in ([], ["--format", "json"], ["--forge", "forged-wrong-secret"])
        ]
    for result in results:
        decoded = b"".join(
            base64.b64decode(json.loads(line)["answer_base64"])
            for line in result.stdout.splitlines()
            if line.startswith(b"{")
        )
        for form in all_forms(CANARY):
            assert form not in result.stdout + result.stderr + decoded


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--forge", "forged-no-heder"], "did you mean forged-no-header?"),
        (["--forge", "valid-basic"], "sends nothing that a correct receiver refuses"),
        (["--forge", "replay-exact", "--age", "1h"], "--age: the rule decides what is sent"),
        (["--set", "/sparePart/nam=1"], "the nearest place is '/sparePart/name'"),
        (["--set", "/sparePart/name=Bolt"], """--set '/sparePart/name="Bolt"'"""),
        (["--set", "/sparePart/name"], "write /pointer=JSON"),
        (["--data", "@nowhere"], "nowhere cannot be read"),
        (["--data", "[", "--set", "/a=1"], "it is not JSON"),
        (["--age", "soon"], "write 90s, 5m, 2h or 1d"),
        (["--nonce", "a", "--count", "2"], "one nonce cannot sign several events"),
        (["--nonce", "a"], "no receiver would accept it"),
        (["--header", "X-MW-Signature: x"], "is written by hookproof itself"),
    ],
)
def test_mistake_is_told_in_one_line(arguments: list[str], error: str, tmp_path: Path) -> None:
    result = command_here("send", "http://127.0.0.1:9/x", *arguments, cwd=tmp_path)
    assert error in one_line_error(result)
    assert result.stdout == b""


def test_foreign_host_is_sent_no_forgery_unless_it_is_named(tmp_path: Path) -> None:
    result = hookproof_command(
        "send", "http://receiver.example/x", "--forge", "forged-no-header", cwd=tmp_path
    )
    assert "add --allow-host receiver.example" in one_line_error(result)
