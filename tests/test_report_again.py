"""Findings are seen again, by the command, by a script of Python alone, by curl, never wrongly."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookproof.cli.rerunning import Receiver, tried
from hookproof.effects import CallableProbe
from hookproof.miniatures.base import Miniature
from hookproof.miniatures.broken_forged import KnowsEmptyKey, RemembersVerdictByHeader, TakesSha1
from hookproof.miniatures.broken_replay import ChecksThenSets, ForgetsNonces
from hookproof.miniatures.broken_stale import IgnoresAge
from hookproof.miniatures.broken_valid import Reserialises, ShortNonces
from hookproof.miniatures.correct import Plain
from hookproof.reports.curl import curl_lines
from hookproof.reports.json_reading import read_report
from hookproof.reports.resigning import Maker, Recorded, Scheme
from hookproof.reports.telling import CANNOT_TELL, NOT_SEEN, SEEN, Facts, told
from hookproof.reports.words import scheme_words
from hookproof.targets.wsgi import WsgiTarget
from hookproof_spec import load
from hookproof_spec.request import Request
from hookproof_spec.signing import Signer, Verifier
from support.command_line import CANARY, all_forms, command_here, one_line_error
from support.reported import Reported, listening, reported
from support.sockets import silent_port

CURL = shutil.which("curl")
Finding = tuple[type[Miniature], str]
FINDINGS: tuple[Finding, ...] = (
    (KnowsEmptyKey, "forged-empty-secret"),
    (TakesSha1, "forged-other-algorithm"),
    (IgnoresAge, "stale-old"),
    (ForgetsNonces, "replay-exact"),
    (ChecksThenSets, "replay-race"),
    (Reserialises, "valid-php-escapes"),
)
BY_ID = pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding[1])


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Reported]]:
    """Return each finding's report; its receiver listens until the module ends."""
    with ExitStack() as stack:
        yield {
            id: stack.enter_context(reported(kind, tmp_path_factory.mktemp(id), id))
            for kind, id in FINDINGS
        }


def rule_of(judged: Reported, id: str) -> Any:  # noqa: ANN401 (JSON)
    rules = json.loads(judged.reports["json"].read_bytes())["rules"]
    return next(rule for rule in rules if rule["id"] == id)


def replayed(judged: Reported, id: str, *more: str) -> tuple[int, str]:
    result = command_here("replay", judged.json, id, "--settle", "0.2", *more)
    shown = result.stdout + result.stderr
    assert b"Traceback" not in shown, shown.decode()
    assert not any(form in shown for form in all_forms(CANARY))
    return result.returncode, result.stdout.decode()


# --- the command ----------------------------------------------------------------------------------


@BY_ID
def test_finding_is_seen_again(judged: Mapping[str, Reported], finding: Finding) -> None:
    one = judged[finding[1]]
    status, text = replayed(one, finding[1], "--effects-url", one.served.effects)
    assert status == SEEN, text
    assert "\nseen again: " in text


@BY_ID
def test_mended_receiver_is_told_apart(judged: Mapping[str, Reported], finding: Finding) -> None:
    with listening(Plain) as mended:
        status, text = replayed(
            judged[finding[1]],
            finding[1],
            *("--url", mended.url, "--effects-url", mended.effects),
        )
    assert status == NOT_SEEN, text
    assert "\nnot seen again: " in text


def test_receiver_that_is_down_has_shown_nothing(
    judged: Mapping[str, Reported], tmp_path: Path
) -> None:
    id = "valid-php-escapes"
    with silent_port() as port:
        url = f"http://127.0.0.1:{port}/webhook"
        error = one_line_error(command_here("replay", judged[id].json, id, "--url", url, "-q"))
        status, text = run_script(rule_of(judged[id], id), url, tmp_path)
    assert error.startswith(f"{url}: cannot reach the receiver: ")
    assert (status, text) == (2, "")


def test_answer_that_is_missing_now_is_not_the_finding_again() -> None:
    facts = Facts(category="valid", then=[401, 401], now=[None, 200], alone=True)
    assert told(facts, "").status == CANNOT_TELL
    facts = Facts(category="valid", then=[401, 401], now=[None, 401], alone=True)
    assert told(facts, "").words == "seen again: 1 of 2 wrong answers are wrong now"


def test_effects_are_not_guessed(judged: Mapping[str, Reported]) -> None:
    status, text = replayed(judged["replay-exact"], "replay-exact")
    assert status == CANNOT_TELL
    assert "only effects show it" in text


def test_verbatim_bytes_are_those_of_the_report(judged: Mapping[str, Reported]) -> None:
    (item,) = rule_of(judged["forged-empty-secret"], "forged-empty-secret")["evidence"]
    header = dict(item["sent"]["headers"])["X-MW-Signature"]
    _, anew = replayed(judged["forged-empty-secret"], "forged-empty-secret", "-v")
    status, text = replayed(
        judged["forged-empty-secret"], "forged-empty-secret", "-v", "--verbatim"
    )
    assert header in text
    assert header not in anew
    assert status in (SEEN, CANNOT_TELL)


def test_verbatim_refusal_proves_nothing(judged: Mapping[str, Reported]) -> None:
    with listening(Plain) as mended:
        status, text = replayed(
            judged["forged-empty-secret"],
            "forged-empty-secret",
            *("--verbatim", "--url", mended.url, "--effects-url", mended.effects),
        )
    assert status == CANNOT_TELL
    assert "these bytes are old" in text


def test_forgery_of_unknown_making_is_told_by_its_rule(tmp_path: Path) -> None:
    id = "forged-body-changed"
    with reported(RemembersVerdictByHeader, tmp_path, id) as one, listening(Plain) as mended:
        status, text = replayed(one, id, "--effects-url", one.served.effects)
        good, words = replayed(one, id, "--url", mended.url, "--effects-url", mended.effects)
    assert (status, good) == (SEEN, NOT_SEEN)
    assert "\nseen again: the rule itself was tried, and acts on " in text
    assert "\nnot seen again: the rule itself was tried, and passes now" in words


def test_rule_of_a_lost_document_is_not_called_mended(tmp_path: Path) -> None:
    id = "forged-body-changed"
    with reported(RemembersVerdictByHeader, tmp_path, id) as one:
        report = json.loads(one.reports["json"].read_text())
        one.reports["json"].write_text(json.dumps(report | {"spec": "gone.yaml"}))
        status, text = replayed(one, id, "--effects-url", one.served.effects)
    assert status == CANNOT_TELL
    assert f"--only {id}` tries the rule itself" in text


def test_rule_that_counted_effects_is_not_tried_without_them(tmp_path: Path) -> None:
    with (
        reported(ShortNonces, tmp_path, "valid-nonce-last-char") as one,
        listening(Plain) as mended,
    ):
        status, _ = replayed(one, "valid-nonce-last-char", "--url", mended.url)
    assert status == CANNOT_TELL


@pytest.mark.parametrize(
    ("id", "status"), [("property-stale", 200), ("load-interleaved", 200), ("stale-old", None)]
)
def test_rule_that_may_pass_by_chance_calls_nothing_mended(
    judged: Mapping[str, Reported], id: str, status: int | None
) -> None:
    run = read_report(Path(judged["stale-old"].json))
    found = next(iter(run.findings))
    exchange = found.evidence[0].exchange._replace(status=status)
    finding = replace(found, id=id, evidence=(replace(found.evidence[0], exchange=exchange),))
    mended = Plain(CANARY)
    receiver = Receiver(
        target=WsgiTarget(mended),
        probe=CallableProbe(lambda: list(mended.names)),
        secret=CANARY,
        settle=0.5,
    )
    conclusion = tried(run, finding, receiver)
    assert conclusion is not None
    assert conclusion.status == CANNOT_TELL
    assert "the rule itself passes now, which it may do by chance" in conclusion.words


def test_unknown_finding_is_told_with_the_nearest(judged: Mapping[str, Reported]) -> None:
    path = judged["stale-old"].json
    error = one_line_error(command_here("replay", path, "stale-odl"))
    assert error == f"{path}: no rule 'stale-odl' in it; did you mean stale-old?"
    error = one_line_error(command_here("replay", path, "valid-basic"))
    assert error == f"{path}: valid-basic ended with pass; its findings: stale-old"


def test_report_of_somebody_else_sends_to_no_stranger(
    judged: Mapping[str, Reported], tmp_path: Path
) -> None:
    text = judged["stale-old"].reports["json"].read_text()
    report = json.loads(text.replace("http://127.0.0.1:", "http://198.51.100.7:"))
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    error = one_line_error(command_here("replay", str(path), "stale-old"))
    assert "198.51.100.7 is not this machine" in error
    assert "--allow-host 198.51.100.7" in error


def test_requests_follow_the_address_that_is_named(
    judged: Mapping[str, Reported], tmp_path: Path
) -> None:
    report = json.loads(judged["stale-old"].reports["json"].read_text())
    for rule in report["rules"]:
        for item in rule["evidence"]:
            item["sent"]["url"] = "http://198.51.100.7/webhook"
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    with listening(IgnoresAge) as served:
        result = command_here("replay", str(path), "stale-old", "--url", served.url)
    assert result.returncode == SEEN, result.stdout


# --- the script and curl ------------------------------------------------------------------------


def run_script(rule: Any, url: str, directory: Path) -> tuple[int, str]:  # noqa: ANN401 (JSON)
    """Run a finding's script with Python alone: nothing of ours can be imported."""
    path = directory / "again.py"
    path.write_text(rule["again"]["python"], "utf-8")
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", str(path), url],
        env={"HOOKPROOF_SECRET": CANARY, "PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=60,
        check=False,
    )
    shown = result.stdout + result.stderr
    assert b"Traceback" not in shown, shown.decode()
    assert not any(form in shown for form in all_forms(CANARY))
    return result.returncode, result.stdout.decode()


@BY_ID
def test_script_sees_it_again(
    judged: Mapping[str, Reported], finding: Finding, tmp_path: Path
) -> None:
    one, id = judged[finding[1]], finding[1]
    status, text = run_script(rule_of(one, id), one.served.url, tmp_path)
    assert status == (CANNOT_TELL if id.startswith("replay") else SEEN), text


def test_script_tells_a_mended_receiver(judged: Mapping[str, Reported], tmp_path: Path) -> None:
    with listening(Plain) as mended:
        status, text = run_script(rule_of(judged["stale-old"], "stale-old"), mended.url, tmp_path)
    assert status == NOT_SEEN
    assert "a correctly signed request that is one day old: 401 (in the report: 200)" in text


def test_script_asks_for_the_secret(judged: Mapping[str, Reported], tmp_path: Path) -> None:
    path = tmp_path / "again.py"
    path.write_text(rule_of(judged["stale-old"], "stale-old")["again"]["python"], "utf-8")
    result = subprocess.run(
        [sys.executable, "-I", "-S", str(path)],
        env={},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr == b"HOOKPROOF_SECRET is not set: export the webhook's secret\n"


def test_script_in_an_older_python_does_not_say_seen_again(
    judged: Mapping[str, Reported], tmp_path: Path
) -> None:
    path = tmp_path / "again.py"
    text = rule_of(judged["stale-old"], "stale-old")["again"]["python"]
    path.write_text(text.replace("import sys\n", "import sys\nsys.version_info = (3, 9)\n", 1))
    result = subprocess.run(
        [sys.executable, "-I", "-S", str(path)], capture_output=True, timeout=60, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith(b"this needs Python 3.11 or later, and is ")


def test_every_copy_of_a_race_is_sent(judged: Mapping[str, Reported], tmp_path: Path) -> None:
    one = judged["replay-race"]
    _, text = run_script(rule_of(one, "replay-race"), one.served.url, tmp_path)
    assert text.count("one of 20 identical requests: ") == 20


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
@BY_ID
def test_curl_lines_send_it_again(judged: Mapping[str, Reported], finding: Finding) -> None:
    one, id = judged[finding[1]], finding[1]
    result = subprocess.run(
        ["sh", "-e", "-c", rule_of(one, id)["again"]["curl"]],
        env=os.environ | {"HOOKPROOF_SECRET": CANARY},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    answers = set(re.findall(rb"HTTP/1.1 ([0-9]+) ", result.stdout))
    if id == "replay-race":  # how many of the copies win is not for this test to say
        assert result.stdout.count(b"HTTP/1.1 ") == 20
    else:
        assert answers == {b"401" if id.startswith("valid") else b"200"}


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
@BY_ID
def test_curl_lines_show_a_mended_receiver(
    judged: Mapping[str, Reported], finding: Finding
) -> None:
    one, id = judged[finding[1]], finding[1]
    with listening(Plain) as mended:
        lines = rule_of(one, id)["again"]["curl"].replace(one.served.url, mended.url)
        result = subprocess.run(
            ["sh", "-e", "-c", lines],
            env=os.environ | {"HOOKPROOF_SECRET": CANARY},
            capture_output=True,
            timeout=60,
            check=False,
        )
    accepted = result.stdout.count(b" 200 ")
    assert accepted == (1 if id.startswith(("replay", "valid")) else 0), result.stdout


def test_no_script_holds_a_secret(judged: Mapping[str, Reported]) -> None:
    for one in judged.values():
        data = one.reports["json"].read_bytes()
        assert not any(form in data for form in all_forms(CANARY))


# --- making anew ----------------------------------------------------------------------------------

WEBHOOK = load("mobility-work").webhook()
NOW = 1_800_000_000.0
THEN = 1_700_000_000.0
NONCE = "0123456789abcdef" * 2 + "01234567"


def maker() -> Maker:
    scheme = WEBHOOK.scheme
    words = Scheme(scheme_words(scheme))
    return Maker(words, Signer(scheme, CANARY).signature, words.key(CANARY), NOW)


def recorded(request: Request, note: str = "") -> Recorded:
    return Recorded(note, request.method, request.url, request.headers, request.body, THEN)


def signed(body: bytes, age: float = 0.0) -> Request:
    plain = Request("POST", "http://127.0.0.1/", (("Content-Type", "application/json"),), body)
    return Signer(WEBHOOK.scheme, CANARY).sign(plain, timestamp=THEN - age, nonce=NONCE).request


@settings(max_examples=40)
@given(st.binary(max_size=200), st.sampled_from([0, 30, 86_400, 10**8, -600]))
def test_genuine_request_made_anew_is_genuine_and_as_old(body: bytes, age: int) -> None:
    (made,) = maker().remade([recorded(signed(body, age))])
    request = Request("POST", "", made.request.headers, made.request.body)
    verdict = Verifier(WEBHOOK.scheme, CANARY).verify(request, NOW, tolerance=10**9)
    assert verdict.nonce != NONCE
    assert verdict.age == age
    assert made.genuine
    assert not made.kept


@settings(max_examples=40)
@given(st.lists(st.binary(max_size=60), min_size=2, max_size=4))
def test_what_requests_have_in_common_they_keep(bodies: list[bytes]) -> None:
    given_ = [recorded(signed(body)) for body in bodies]
    made = [one.request for one in maker().remade(given_)]
    for old, new in zip(given_, made, strict=True):
        assert [old == other for other in given_] == [new == other for other in made]


def test_signature_over_another_recorded_body_stays_one() -> None:
    first = signed(b'{"a":1}')
    changed = Request(first.method, first.url, first.headers, b'{"a":2}')
    whole, moved = maker().remade([recorded(first), recorded(changed)])
    assert whole.request.headers == moved.request.headers
    assert whole.genuine
    assert not moved.genuine
    assert not moved.kept


@settings(max_examples=60)
@given(st.text(st.characters(max_codepoint=255), max_size=120), st.binary(max_size=60))
def test_any_header_can_be_made_anew(value: str, body: bytes) -> None:
    request = Request("POST", "http://h/", (("X-MW-Signature", value),), body)
    (made,) = maker().remade([recorded(request)])
    assert made.request.headers[0][0] == "X-MW-Signature"


@given(
    st.sampled_from(["valid", "forged", "stale", "replay", "header", "http", "model"]),
    st.lists(st.sampled_from([None, 200, 302, 401, 500]), min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
)
def test_the_same_answers_are_never_called_mended(
    category: str, then: list[int | None], counted: bool, kept: bool
) -> None:
    facts = Facts(category=category, then=then, now=then, alone=True, kept=kept, counted=counted)
    assert told(facts, "").status != NOT_SEEN


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
def test_bytes_that_no_shell_likes_arrive_by_curl() -> None:
    header = "t=1700000000,nonce=" + "ab" * 20 + ",signature=\\'\"$(x)\xe9"
    body = bytes(range(256))
    headers = (("X-Odd", "a\\nb`c\xff"), ("X-MW-Signature", header))
    with waiting_for_one() as (port, arrived):
        request = Request("POST", f"http://127.0.0.1:{port}/?a[1]=$HOME", headers, body)
        lines = curl_lines(
            [recorded(request, "note\n$(y)")], scheme_words(WEBHOOK.scheme), "COMMAND"
        )
        result = subprocess.run(
            ["sh", "-e", "-c", lines],
            env=os.environ | {"HOOKPROOF_SECRET": CANARY},
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert result.returncode == 0, result
    (head, got) = arrived[0]
    assert got == body
    assert head.startswith(b"POST /?a[1]=$HOME HTTP/1.1\r\n")
    assert b"X-Odd: a\\nb`c\xff\r\n" in head
    assert b",signature=\\'\"$(x)\xe9\r\n" in head
    assert b"content-type" not in head.lower()


@contextmanager
def waiting_for_one() -> Iterator[tuple[int, list[tuple[bytes, bytes]]]]:
    """Listen for one request and keep its head and body as they arrived."""
    arrived: list[tuple[bytes, bytes]] = []

    def serve_one() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(30)
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: ([0-9]+)", head)
            while length is not None and len(body) < int(length[1]):
                body += connection.recv(65536)
            arrived.append((head + b"\r\n", body))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        thread = threading.Thread(target=serve_one)
        thread.start()
        yield listener.getsockname()[1], arrived
        thread.join(30)
