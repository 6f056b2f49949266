"""`verify` against real receivers: exit statuses, reports, interruption, and no secret anywhere."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hookproof.cli import main
from hookproof.cli.addresses import is_local
from hookproof.cli.options import Output, Source
from hookproof.cli.secret import SecretSource
from hookproof.cli.verify import Options
from hookproof.cli.verifying import prepared, told
from hookproof.events import Event, RuleFinished, RunFinished
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.reports.console import Colour
from hookproof.reports.json_report import SCHEMA_FILE
from hookproof.reports.terminal import Detail
from hookproof.serving import serve
from hookproof.verdicts import ForgedPolicy, Policy, ReplayPolicy, Verdict
from hookproof_spec import load
from hookproof_spec.errors import HookproofError
from support.command_line import (
    CANARY,
    COMMAND,
    all_forms,
    environment,
    hookproof_command,
    one_line_error,
)
from support.sockets import silent_port
from support.told import a_result, a_rule, a_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SCHEMA = json.loads((resources.files("hookproof") / "schemas" / SCHEMA_FILE).read_text("utf-8"))


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOKPROOF_SECRET", CANARY)


def correct(**options: Any) -> WSGIApplication:  # noqa: ANN401 (options of create_receiver)
    webhook = load("mobility-work").webhook()
    return create_receiver(webhook, [CANARY], nonces=MemoryNonceStore(), **options)


def careless(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
    """Accept everything, and tell everybody the secret in every form."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    forms = b" ".join(all_forms(CANARY))
    start("200 OK", [("Content-Length", str(len(forms))), ("X-Key", CANARY.encode().hex())])
    return [forms]


def slow(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
    """Accept everything, a while later."""
    time.sleep(0.2)
    return careless(environ, start)


@pytest.fixture
def receiver() -> Iterator[str]:
    with serve(correct()) as server:
        yield server.url


def report(path: Path) -> Any:  # noqa: ANN401 (JSON)
    value = json.loads(path.read_bytes())
    jsonschema.Draft202012Validator(SCHEMA).validate(value)
    return value


def test_correct_receiver_passes_the_core(
    receiver: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(
        [
            *("verify", f"{receiver}/webhook", "--effects-url", f"{receiver}/effects"),
            *("--only", "core", "--seed", "5", "--report", "json=r.json"),
        ]
    )
    out = capsys.readouterr().out
    assert status == 0, out
    assert out.endswith("exit 0: every applicable MUST rule passed\n")
    value = report(tmp_path / "r.json")
    assert (value["exit"], value["complete"], value["seed"]) == (0, True, 5)
    assert value["summary"]["fail"] == 0
    assert value["requests"] > 50
    assert all(rule["evidence"] for rule in value["rules"] if rule["id"] == "forged-no-header")


def test_careless_receiver_is_found_out_and_the_secret_stays_secret(tmp_path: Path) -> None:
    with serve(careless) as server:
        result = hookproof_command(
            *("verify", f"{server.url}/webhook", "-v", "--color", "always"),
            *("--only", "core", "--report", "json=r.json"),
            cwd=tmp_path,
        )
    assert result.returncode == 1
    assert b"exit 1: a rule is broken" in result.stdout
    value = report(tmp_path / "r.json")
    bodies = [
        base64.b64decode(item["body_base64"])
        for rule in value["rules"]
        for item in rule["evidence"]
    ]
    assert any(b"********" in body for body in bodies)
    everything = b"\n".join(
        [result.stdout, result.stderr, *bodies, (tmp_path / "r.json").read_bytes()]
    )
    for form in all_forms(CANARY):
        assert form not in everything


def test_receiver_that_cannot_be_proven_ends_with_three(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serve(correct(replay="ignore")) as server:
        status = main(["verify", f"{server.url}/webhook", "--only", "replay-exact"])
    out = capsys.readouterr().out
    assert status == 3, out
    assert "Not proven" in out
    assert "--replay rejects" in out


def test_receiver_that_is_not_there_ends_with_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with silent_port() as port:
        gone = f"http://127.0.0.1:{port}/webhook"
        assert main(["verify", gone, "--only", "core", "--report", "json=r.json"]) == 2
    captured = capsys.readouterr()
    assert "exit 2: the contract could not be run: " in captured.out
    assert report(tmp_path / "r.json")["complete"] is False


def test_interrupted_run_tells_what_is_known(tmp_path: Path) -> None:
    with serve(slow) as server:
        process = subprocess.Popen(
            [*COMMAND, "verify", f"{server.url}/webhook", "--report", "json=r.json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(HOOKPROOF_SECRET=CANARY),
            cwd=tmp_path,
        )
        assert process.stdout is not None
        while b"valid-basic" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, b"")
    assert out.endswith(b"exit 130: interrupted before every rule was tried\n")
    value = report(tmp_path / "r.json")
    assert (value["complete"], value["exit"]) == (False, 130)
    assert value["rules"]


def test_reader_that_goes_away_does_not_change_the_verdict(receiver: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "verify", f"{receiver}/webhook", "--only", "forged", "--report", "json=r.json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(HOOKPROOF_SECRET=CANARY),
        cwd=tmp_path,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == report(tmp_path / "r.json")["exit"]


def test_quiet_run_says_one_line(receiver: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", f"{receiver}/webhook", "-q", "--only", "valid-basic"]) == 0
    assert capsys.readouterr().out == "exit 0: every applicable MUST rule passed\n"


def test_configuration_gives_the_options(
    receiver: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hookproof.toml").write_text(
        'only = ["valid-basic"]\nreplay = "rejects"\nreport = "json=from-file.json"\n'
        f'effects-url = "{receiver}/effects"\ntimeout = 3\nsecret-env = "MINE"\n'
    )
    assert main(["verify", f"{receiver}/webhook", "--secret", CANARY, "--replay", "either"]) == 0
    value = report(tmp_path / "from-file.json")
    assert value["policy"]["replay"] == "either"
    assert [rule["id"] for rule in value["rules"]] == ["valid-unsigned", "valid-basic"]


def test_headers_are_sent_with_everything(tmp_path: Path) -> None:
    seen: list[str | None] = []

    def recording(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        seen.append(environ.get("HTTP_X_TENANT"))
        return careless(environ, start)

    with serve(recording) as server:
        main(
            ["verify", f"{server.url}/webhook", "--header", "X-Tenant: 7", "--only", "valid-basic"]
        )
    assert seen
    assert set(seen) == {"7"}


def test_every_option_reaches_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_SECRET", CANARY[::-1])
    options = Options(
        source=Source("mobility-work", None),
        secret=SecretSource(text=CANARY),
        output=Output(Colour.NEVER, Detail.NORMAL),
        unsigned=False,
        other_secret_env="OTHER_SECRET",
        url="http://127.0.0.1/webhook",
        effects_url="http://127.0.0.1/effects",
        effect_timeout=1.5,
        also_url="http://127.0.0.2/webhook",
        restart_command="true",
        tolerance=60.0,
        replay="rejects",
        forged="ignores",
        only=("forged",),
        skip=("forged-oracle",),
        skip_reasons={"forged-oracle": "told elsewhere"},
        strict=True,
        ruleset=1,
        baseline=None,
        baseline_update=False,
        baseline_reason=None,
        seed=3,
        examples=50,
        header=(),
        timeout=2.0,
        rate=5.0,
        ca_file=None,
        insecure=False,
        allow_host=(),
        report=(),
    )
    setup = prepared(options)
    assert setup.policy == Policy(
        replay=ReplayPolicy.REJECTS, forged=ForgedPolicy.IGNORES, tolerance=60.0
    )
    assert (setup.strict, setup.seed, setup.rate, setup.spec) == (True, 3, 5.0, "mobility-work")
    assert setup.probe is not None
    assert setup.effect_timeout == 1.5
    assert setup.examples == 50
    assert setup.skip_reasons == {"forged-oracle": "told elsewhere"}
    assert setup.other_secret == CANARY[::-1]
    assert CANARY[::-1] not in repr(setup)
    assert setup.hooks.also is not None
    assert setup.hooks.also.url == "http://127.0.0.2/webhook"
    assert setup.hooks.restart is not None
    setup.hooks.restart({"TZ": "UTC"})
    assert "forged-signature" in {rule.id for rule in setup.rules}
    assert [rule.id for rule in setup.skipped] == ["forged-oracle"]
    assert CANARY not in repr(setup) + repr(options)


def test_report_that_fails_does_not_keep_the_others_from_ending() -> None:
    class Full:
        def hear(self, event: Event) -> None:
            if isinstance(event, RunFinished):
                raise HookproofError("no space left")

    class Other:
        def __init__(self) -> None:
            self.heard: list[Event] = []

        def hear(self, event: Event) -> None:
            self.heard.append(event)

    other = Other()
    events = a_run((a_rule(), a_result()))
    with pytest.raises(HookproofError, match="no space left"):
        told(events, [Full(), other])
    assert other.heard == events


def test_interrupt_while_a_report_is_told_still_ends_the_run() -> None:
    heard: list[Event] = []

    class Impatient:
        def hear(self, event: Event) -> None:
            heard.append(event)
            if isinstance(event, RuleFinished):
                signal.raise_signal(signal.SIGINT)

    assert (
        told(a_run((a_rule(), a_result()), (a_rule("valid-x"), a_result())), [Impatient()]) == 130
    )
    last = heard[-1]
    assert isinstance(last, RunFinished)
    assert not last.complete
    assert last.summary[Verdict.FAIL] == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# --- mistakes, all before anything is sent --------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["http://example.com/webhook"], "if it is yours, add --allow-host example.com"),
        (["http://localhost.evil.example/"], "add --allow-host localhost.evil.example"),
        (["webhook"], "no receiver 'webhook'; write [tool.hookproof.receivers.NAME]"),
        (["/webhook"], "verify URL: '/webhook' is not an http or https URL"),
        (["http://127.0.0.1/", "--only", "replay-rase"], "did you mean replay-race?"),
        (["http://127.0.0.1/", "--skip", "forgd"], "did you mean forged?"),
        (["http://127.0.0.1/", "--report", "jsn=x"], "did you mean json?"),
        (["http://127.0.0.1/", "--report", "json=no/r.json"], "there is no directory"),
        (["http://127.0.0.1/", "--effects-url", "x"], "--effects-url: 'x' is not an http"),
        (["http://127.0.0.1/", "--ca-file", "no.pem"], "--ca-file: there is no file no.pem"),
        (["http://127.0.0.1/", "--timeout", "0"], "verify --timeout: 0.0 is not in the range"),
        (["http://127.0.0.1/", "--timeout", "nan"], "verify --timeout: "),
        (["http://127.0.0.1/", "--tolerance", "inf"], "verify --tolerance: "),
        (["http://127.0.0.1/", "--rate", "-1"], "verify --rate: -1.0 is not in the range"),
    ],
)
def test_mistake_is_told_before_the_run(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert expected in captured.err
    assert captured.err.count("\n") == 1


def test_mistake_of_a_real_process_has_no_traceback(tmp_path: Path) -> None:
    error = one_line_error(hookproof_command("verify", "http://example.com/", cwd=tmp_path))
    assert "what is sent there is forged" in error


def test_named_host_may_be_tested(capsys: pytest.CaptureFixture[str]) -> None:
    url = "http://receiver.invalid/webhook"
    assert main(["verify", url, "--allow-host", "receiver.invalid", "--timeout", "2"]) == 2
    assert "exit 2: the contract could not be run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("app.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("127.0.0.1.example.com", False),
        ("localhost.example.com", False),
        ("mylocalhost", False),
    ],
)
def test_only_this_machine_is_local(host: str, local: bool) -> None:
    assert is_local(host) is local
