"""Mistakes of the user are told in one line with what to do, and never with a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest

from hookproof.cli import main
from hookproof.cli.app import COMMANDS
from hookproof.cli.options import HOST
from hookproof.cli.secret import SecretSource
from hookproof_spec import load
from hookproof_spec.errors import SecretError
from hookproof_spec.scheme import Algorithm, KeyRule, KeyText
from support.command_line import (
    CANARY,
    COMMAND,
    all_forms,
    environment,
    hookproof_command,
    one_line_error,
)

URL = "http://127.0.0.1:9/webhook"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the surroundings, and a secret."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOKPROOF_SECRET", CANARY)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the one line in which a mistake is told."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("hookproof: ")
    assert captured.err.count("\n") == 1, captured.err
    return captured.err.removeprefix("hookproof: ").rstrip("\n")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["verfy"], "no such command verfy; did you mean verify?"),
        (["zzz"], "no such command zzz; see `hookproof --help`"),
        (["--verison"], "no such option --verison; did you mean --version?"),
        (["spec", "chek"], "spec: no such command chek; did you mean check?"),
        (["verify"], "verify: which receiver? give its URL; see `hookproof verify --help`"),
        (["check"], "check: missing option --request; see `hookproof check --help`"),
        (
            ["verify", URL, "--tolerence", "3"],
            "verify: no such option --tolerence; did you mean --tolerance?",
        ),
        (
            ["verify", URL, "--replay", "maybe"],
            "verify --replay: maybe is not one of rejects, ignores, either;"
            " see `hookproof verify --help`",
        ),
        (
            ["sign", "--count", "x"],
            "sign --count: x is not a valid integer range; see `hookproof sign --help`",
        ),
        (
            ["sign", "--secret", "a", "--secret-file", "b"],
            "sign: --secret-file and --secret exclude each other; see `hookproof sign --help`",
        ),
        (
            ["check", "-q", "-v", "--request", "-"],
            "check: -q and -v exclude each other; see `hookproof check --help`",
        ),
        (["rules", "replay-rase"], "rules: no rule 'replay-rase'; did you mean replay-race?"),
        (
            ["sign", "--secret-file", "none"],
            "secret file none: cannot be read: no such file or directory;"
            " name a file that holds the secret and nothing else",
        ),
        (
            ["sign", "--secret-env", "NOT_SET"],
            "environment variable NOT_SET: it is not set; export NOT_SET=…,"
            " or name another variable or a file (--secret-file)",
        ),
        (
            ["sign", "--header", "no colon"],
            "--header: 'no colon' is not a header's name; write 'Name: value'",
        ),
        (
            ["sign", "--header", "X-MW-Signature: x"],
            "--header: X-MW-Signature is written by hookproof itself; leave it out",
        ),
        (
            ["sign", "--header", "X-A: a\nb"],
            "--header: the value of X-A holds characters that a header cannot",
        ),
        (
            ["sign", "--url", "localhost:8000/webhook"],
            "--url: 'localhost:8000/webhook' is not an http or https URL;"
            " did you mean http://localhost:8000/webhook?",
        ),
        (
            ["sign", "--url", "http://h:99999/"],
            "--url: 'http://h:99999/': Port out of range 0-65535",
        ),
        (
            ["sign", "--url", "http://a:b@h/"],
            "--url: a URL with a user and password would stand in every report;"
            " give --header 'Authorization: …' instead",
        ),
        (["sign", "--url", "http://h/#x"], "--url: a fragment (#…) is never sent; leave it out"),
        (
            ["sign", "--body", "none.json"],
            "--body: none.json cannot be read: no such file or directory;"
            " name a file, or - for standard input",
        ),
        (["sign", "--webhook", "sparePartOutOfStok"], "did you mean sparePartOutOfStock?"),
        (["sign", "--spec", "mobility-wrok"], "did you mean mobility-work?"),
        (["sign", "--config", "none.toml"], "none.toml: cannot be read: no such file or directory"),
        (["sign", "--nonce", "a b"], "--nonce: no receiver would accept it"),
        (["sign", "--nonce", "ab" * 20, "--count", "2"], "one nonce cannot sign several requests"),
        (["sign", "--timestamp", "soon"], "--timestamp: 'soon' is not a time in this scheme"),
        (["sign", "--method", "PO ST"], "--method: 'PO ST' is not a method"),
        (["listen", "--path", "webhook"], "a receiver cannot have the path 'webhook'"),
        (
            ["verify", URL, "--only", "forged,stale"],
            "no rule or category 'forged,stale'; give the option once for each",
        ),
        (
            ["verify", URL, "--allow-host", "box.internal:80"],
            "verify --allow-host: box.internal:80 is no host; give its name alone,"
            " such as box.internal; see `hookproof verify --help`",
        ),
        (["listen", "--host", "a b"], "listen --host: a b is no host"),
        (["spec", "check", "none.yaml"], "none.yaml"),
        (["spec", "show", "none"], "none"),
    ],
)
def test_mistake_is_told_in_one_line(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = told(capsys, *arguments)
    assert expected in line
    if "; " in expected:
        assert line == expected


def test_real_process_ends_with_two_and_one_line() -> None:
    assert one_line_error(hookproof_command("verfy")).startswith("no such command")


def test_call_without_a_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Commands:" in capsys.readouterr().out


def test_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"hookproof {version('hookproof')}\n"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert f"Usage: hookproof {name}" in capsys.readouterr().out


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)


def test_help_imports_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys; from hookproof.cli import main; main(['--help']);"
        "print(sorted(m for m in sys.modules if m.startswith('hookproof') or m in"
        " ('yaml', 'jsonschema_rs', 'werkzeug', 'difflib', 'importlib.metadata')))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment(), check=True
    )
    assert (
        result.stdout.decode().splitlines()[-1]
        == "['hookproof', 'hookproof.cli', 'hookproof.cli.app']"
    )


# --- the secret ---------------------------------------------------------------------------------


def test_ed25519_takes_either_key_and_names_the_place_of_a_bad_one() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    scheme = replace(
        load("mobility-work").webhook().scheme,
        algorithm=Algorithm.ED25519,
        key=KeyRule(text=KeyText.HEX),
    )
    private = Ed25519PrivateKey.generate()
    for key in (private.private_bytes_raw().hex(), private.public_key().public_bytes_raw().hex()):
        assert SecretSource(text=key).read(scheme) == key
    with pytest.raises(SecretError) as caught:
        SecretSource(text="zz").read(scheme)
    assert caught.value.where == "--secret"


def test_secret_on_the_command_line_is_warned_about() -> None:
    result = hookproof_command("sign", "--secret", CANARY, secret=None)
    assert result.returncode == 0
    assert result.stderr.decode().startswith("hookproof: --secret: other users of this machine")
    assert CANARY not in result.stderr.decode()


def test_missing_secret_says_what_to_export() -> None:
    error = one_line_error(hookproof_command("sign", secret=None))
    assert "export HOOKPROOF_SECRET=…" in error


@pytest.mark.parametrize("arguments", [(), ("--secret", "")])
def test_empty_secret_is_refused(arguments: tuple[str, ...]) -> None:
    result = hookproof_command("sign", *arguments, secret="")
    assert result.returncode == 2
    assert "the secret is empty" in result.stderr.decode()


def test_one_line_end_of_a_secret_file_is_dropped(tmp_path: Path) -> None:
    scheme = load("mobility-work").webhook().scheme
    for text, secret in [
        ("s", "s"),
        ("s\n", "s"),
        ("s\r\n", "s"),
        ("s\n\n", "s\n"),
        (" s ", " s "),
    ]:
        (tmp_path / "secret").write_bytes(text.encode())
        assert SecretSource(file=str(tmp_path / "secret")).read(scheme) == secret


def test_variable_that_looks_like_a_secret_is_not_repeated(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "whsec_mine" not in told(capsys, "sign", "--secret-env", "whsec_mine")


def test_command_line_outranks_the_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hookproof.toml").write_text('secret-env = "FROM_FILE"')
    assert "FROM_FILE" in told(capsys, "sign")
    (tmp_path / "secret").write_text(CANARY)
    assert main(["sign", "--secret-file", "secret"]) == 0


def test_mistake_in_the_configuration_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hookproof.toml").write_text('secret = "canary"')
    line = told(capsys, "verify", URL)
    assert "hookproof.toml: secret: a secret does not belong into a file" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["sign", "--count", "3"],
        ["sign", "--secret", CANARY, "--body", "none"],
        ["sign", "--secret", CANARY, "--formt", "json"],
        ["check", "--request", "request"],
        ["check", "--request", "request", "--format", "json"],
        ["verify", URL, "--timeout", "1", "--header", f"X-Key: {CANARY}", "-v"],
        ["verify", URL, "--config", "none"],
        ["listen", "--host", "192.0.2.1"],
        ["spec", "show"],
        ["rules"],
    ],
)
def test_secret_stays_secret(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = f"X-MW-Signature: t={CANARY},nonce={CANARY},signature={CANARY}".encode()
    (tmp_path / "request").write_bytes(b"POST / HTTP/1.1\n" + header + b"\n\n")
    main(arguments)
    captured = capsys.readouterr()
    assert captured.out + captured.err
    for form in all_forms(CANARY):
        assert form.decode() not in captured.out + captured.err


@pytest.mark.parametrize("host", ["box", "Box.internal.", "10.0.0.1", "::1", "[fe80::1]", "a_b"])
def test_name_or_address_alone_is_a_host(host: str) -> None:
    assert HOST.convert(host, None, None) == host


@pytest.mark.parametrize("host", ["", "*", "cafe:80", "http://box/", "[box]:80", "b/c", "é"])
def test_more_than_a_name_is_no_host(host: str) -> None:
    with pytest.raises(click.BadParameter, match="is no host"):
        HOST.convert(host, None, None)


# --- streams ------------------------------------------------------------------------------------


def test_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen(
        [*COMMAND, "sign", "--count", "100000", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(HOOKPROOF_SECRET=CANARY),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 141


@pytest.mark.parametrize("arguments", [["--help"], ["rules"], ["sign"], ["serve", "--port", "0"]])
def test_output_that_cannot_be_written_is_told_in_one_line(
    arguments: list[str], tmp_path: Path
) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*COMMAND, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(HOOKPROOF_SECRET=CANARY),
            cwd=tmp_path,
            timeout=60,
            check=False,
        )
    assert ended.stderr == b"hookproof: the output cannot be written: No space left on device\n"
    assert ended.returncode == 2


def test_interrupted_command_ends_with_130() -> None:
    process = subprocess.Popen(
        [*COMMAND, "sign", "--count", "10000000", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(HOOKPROOF_SECRET=CANARY),
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in errors


def test_standard_input_that_is_a_terminal_is_not_waited_for() -> None:
    import pty

    ours, theirs = pty.openpty()
    try:
        result = subprocess.run(
            [*COMMAND, "check", "--request", "-"],
            stdin=theirs,
            capture_output=True,
            env=environment(HOOKPROOF_SECRET=CANARY),
            timeout=30,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert "standard input is a terminal" in one_line_error(result)
