"""Findings are sent again under every scheme that can be said in core words, not ours alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hookproof.bodies import compact
from hookproof.cli import main
from hookproof.fresh import fresh_nonce
from hookproof.keys import another_secret
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.reports.again import Again, again
from hookproof.reports.json_report import rendered
from hookproof.reports.model import RunReport
from hookproof.reports.subject import Subject
from hookproof.reports.words import is_core
from hookproof.rule import Rule
from hookproof.serving import serve
from hookproof.targets.base import Exchange
from hookproof.verdicts import Evidence, Verdict
from hookproof_spec import load, names
from hookproof_spec.request import Request
from hookproof_spec.signing import Signer
from hookproof_spec.webhook import Webhook
from support.command_line import command_here
from support.reported import report_of
from support.told import a_result, a_rule, a_run

HOUR = 3600.0
KNOWN = [(name, webhook) for name in names() for webhook in load(name).webhooks.values()]
CORE = [pair for pair in KNOWN if is_core(pair[1].scheme)]
OTHERS = [pair for pair in KNOWN if not is_core(pair[1].scheme)]
KEYED = [pair for pair in CORE if pair[1].scheme.algorithm.is_keyed]
CURL = shutil.which("curl")


def refused(name: str, webhook: Webhook, secret: str, url: str, *, sent: float) -> RunReport:
    """Return the report of a receiver that refused a genuine event, sent an hour ago."""
    headers = (("Content-Type", webhook.media_type),)
    plain = Request(webhook.method, url, headers, compact(webhook.example))
    nonce = fresh_nonce(webhook.scheme.nonce)
    request = Signer(webhook.scheme, secret).sign(plain, timestamp=sent, nonce=nonce).request
    tried: Rule = a_rule("valid-basic")
    evidence = Evidence("a genuine event", Exchange(request=request, status=401))
    result = replace(a_result(Verdict.FAIL, evidence), effects=None, requests=1)
    run = report_of(a_run((tried, result)))
    return replace(
        run,
        target=url,
        scheme=webhook.scheme.describe(),
        started=sent,
        subject=Subject.of(webhook, name),
    )


def how(run: RunReport) -> Again:
    found = again(run, run.rules[0])
    assert found is not None
    return found


def each(pairs: list[tuple[str, Webhook]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("name", "webhook"), pairs, ids=[f"{name}-{webhook.name}" for name, webhook in pairs]
    )


@each(CORE)
def test_genuine_event_is_genuine_again(
    name: str,
    webhook: Webhook,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    secret = another_secret(webhook.scheme)
    monkeypatch.setenv("HOOKPROOF_SECRET", secret)
    path = tmp_path / "report.json"
    with serve(create_receiver(webhook, secret, nonces=MemoryNonceStore())) as server:
        url = f"{server.url}/webhook"
        path.write_bytes(rendered(refused(name, webhook, secret, url, sent=time.time() - 3 * HOUR)))
        status = main(["replay", str(path), "valid-basic"])
    shown = capsys.readouterr()
    assert status == 0, shown
    assert "then 401 Unauthorized, now 200 OK" in shown.out


@each(KEYED)
def test_script_and_curl_sign_as_the_document_says(
    name: str, webhook: Webhook, tmp_path: Path
) -> None:
    secret = another_secret(webhook.scheme)
    variables = os.environ | {"HOOKPROOF_SECRET": secret}
    with serve(create_receiver(webhook, secret, nonces=MemoryNonceStore())) as server:
        url = f"{server.url}/webhook"
        found = how(refused(name, webhook, secret, url, sent=time.time() - 3 * HOUR))
        path = tmp_path / "again.py"
        path.write_text(found.python, "utf-8")
        script = subprocess.run(
            [sys.executable, "-I", "-S", "-W", "error", str(path)],
            env=variables,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert script.stdout.startswith(b"a genuine event: 200 (in the report: 401)\n"), script
        assert script.returncode == 0
        if CURL is None:
            pytest.skip("curl is not installed")
        lines = subprocess.run(
            ["sh", "-e", "-c", found.curl],
            env=variables,
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert b" 200 " in lines.stdout, lines


def test_key_that_only_libraries_sign_with_is_told() -> None:
    assert len(KEYED) < len(CORE)
    for name, webhook in CORE:
        if webhook.scheme.algorithm.is_keyed:
            continue
        secret = another_secret(webhook.scheme)
        found = how(refused(name, webhook, secret, "http://127.0.0.1:1/", sent=1e9))
        assert (found.python, found.curl) == ("", "")
        assert "`hookproof replay` can" in found.note


def test_scheme_beyond_the_core_is_told(tmp_path: Path) -> None:
    assert OTHERS
    for name, webhook in OTHERS:
        secret = another_secret(webhook.scheme)
        run = refused(name, webhook, secret, "http://127.0.0.1:1/", sent=1e9)
        assert how(run).python == ""
        assert "`hookproof verify URL --only valid-basic` tries the rule itself" in how(run).note
    path = tmp_path / "report.json"
    path.write_bytes(rendered(run))
    result = command_here("replay", str(path), "valid-basic")
    assert result.returncode == 2
    assert b"--verbatim sends the recorded bytes" in result.stderr


def test_receiver_without_a_secret_needs_none_again(tmp_path: Path) -> None:
    webhook = load("mobility-work").webhook()
    plain = Request("POST", "", (("Content-Type", "application/json"),), compact(webhook.example))
    with serve(create_receiver(webhook, None, nonces=MemoryNonceStore())) as server:
        url = f"{server.url}/webhook"
        evidence = Evidence("an event", Exchange(request=plain.with_url(url), status=401))
        result = replace(a_result(Verdict.FAIL, evidence), effects=None)
        run = replace(
            report_of(a_run((a_rule("valid-unsigned"), result))),
            target=url,
            scheme="unsigned",
            subject=Subject.of(webhook, "mobility-work", signed=False),
        )
        path = tmp_path / "again.py"
        path.write_text(how(run).python, "utf-8")
        script = subprocess.run(
            [sys.executable, "-I", "-S", str(path)],
            env={},
            capture_output=True,
            timeout=60,
            check=False,
        )
        (tmp_path / "report.json").write_bytes(rendered(run))
        again_ = command_here("replay", str(tmp_path / "report.json"), "valid-unsigned")
    assert script.returncode == 0, script
    assert b"an event: 200 (in the report: 401)" in script.stdout
    assert again_.returncode == 0, again_
