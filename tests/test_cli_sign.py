"""What `sign` prints, `check` accepts, and curl sends."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.cli import main
from hookproof.cli.captured import parse_request
from hookproof.cli.written import as_curl, as_headers, as_http, as_json
from hookproof_spec import load, payloads
from hookproof_spec.request import Request
from hookproof_spec.signing import verify
from support.command_line import CANARY, all_forms, hookproof_command

NOW = "1700000000"
METHODS = st.sampled_from(["POST", "PUT"])
TOKEN = st.from_regex(r"X-[A-Za-z0-9-]{1,12}", fullmatch=True)
VALUE = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=["C", "Z"]))
REQUESTS = st.builds(
    Request,
    METHODS,
    st.just("http://127.0.0.1:8000/web%20hook?a=b"),
    st.lists(st.tuples(TOKEN, VALUE), max_size=4).map(tuple),
    st.binary(max_size=200),
)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOKPROOF_SECRET", CANARY)


def signed(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str) -> bytes:
    assert main(["sign", *arguments]) == 0
    return capfdbinary.readouterr().out


def assert_genuine(request: Request, body: bytes) -> None:
    assert request.body == body
    scheme = load("mobility-work").webhook().scheme
    assert verify(scheme, request, [CANARY], float(NOW)).accepted


@pytest.mark.parametrize("form", ["json", "http"])
@pytest.mark.parametrize("body", [b"", b"\x00\xff\r\n\r\n", b'{"a": 1}\n', b"@file", b"x" * 70_000])
def test_body_is_signed_byte_for_byte(
    form: str, body: bytes, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "body").write_bytes(body)
    out = signed(capfdbinary, "--body", "body", "--timestamp", NOW, "--format", form)
    assert_genuine(parse_request(out), body)


def test_default_is_the_header_lines_of_an_example(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    lines = signed(capfdbinary).decode().splitlines()
    assert lines[0] == "Content-Type: application/json"
    assert lines[1].startswith("X-MW-Signature: t=")
    assert lines[2:] == [""]


def test_json_is_one_line_a_request_with_fresh_nonces(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    lines = signed(capfdbinary, "--count", "50", "--format", "json").splitlines()
    requests = [json.loads(line) for line in lines]
    assert len(lines) == 50
    assert all(set(r) == {"method", "url", "headers", "body_base64"} for r in requests)
    assert len({tuple(map(tuple, r["headers"])) for r in requests}) == 50


def test_options_say_what_is_sent(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    out = signed(
        capfdbinary,
        *("--url", "http://h/a?b", "--method", "put", "--header", "X-A: é", "--format", "json"),
        *("--header", "content-type: text/plain", "--nonce", "ab" * 20, "--timestamp", NOW),
    )
    request = json.loads(out)
    assert (request["method"], request["url"]) == ("PUT", "http://h/a?b")
    assert request["headers"][:2] == [["X-A", "é"], ["content-type", "text/plain"]]
    assert request["headers"][2][1].startswith(f"t={NOW},nonce={'ab' * 20},signature=")


def test_body_comes_from_standard_input() -> None:
    result = hookproof_command("sign", "--body", "-", "--format", "json", stdin=b"\x00body")
    assert base64.b64decode(json.loads(result.stdout)["body_base64"]) == b"\x00body"


def test_http_has_what_http_needs(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    out = signed(capfdbinary, "--url", "http://h:8080/p?q=1", "--format", "http")
    head, _, body = out.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /p?q=1 HTTP/1.1\r\nHost: h:8080\r\nContent-Length: ")
    assert body == payloads.encode(payloads.example(load("mobility-work").webhook()))


@pytest.mark.parametrize("form", ["headers", "json", "http", "curl"])
def test_secret_is_not_printed(form: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    out = signed(capfdbinary, "--format", form, "--count", "3")
    assert not any(form in out for form in all_forms(CANARY))


@given(REQUESTS)
def test_json_is_read_as_it_was_written(request: Request) -> None:
    assert parse_request(as_json(request)) == request


@given(REQUESTS)
def test_http_is_read_as_it_was_written(request: Request) -> None:
    read = parse_request(as_http(request))
    assert (read.method, read.body) == (request.method, request.body)
    assert read.without_header("Host").without_header("Content-Length").headers == request.headers


@given(REQUESTS)
def test_curl_is_one_line_of_ascii_or_utf8(request: Request) -> None:
    line = as_curl(request)
    assert line.count(b"\n") == 1
    line.decode()
    assert as_headers(request).endswith(b"\n")


# --- curl, really run ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorder() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that records what it is sent."""
    heard: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append({"path": self.path, "headers": self.headers.items(), "body": body})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(which("curl") is None, reason="curl is not here")
@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"a": "it\'s $HOME `id` \\n \\\\ !"}',
        "ünï ☃".encode(),
        b"@/etc/passwd",
        b"-d",
        b"two\nlines\r\n",
        b"%s%d\\001\x000",
        bytes(range(256)) * 2,
        b"y" * 200_000,
    ],
    ids=range(9),
)
def test_curl_sends_exactly_the_signed_bytes(
    shell: str, body: bytes, recorder: tuple[str, list[dict[str, Any]]]
) -> None:
    url, heard = recorder
    headers = (("Content-Type", "a/b"), ("X-Odd", 'it\'s "$x" \\'), ("X-E", ""), ("X-L", "\xe9'%"))
    line = as_curl(Request("POST", f"{url}/a/../b?x=[1]&y={{2}}", headers, body))
    subprocess.run(
        [which(shell) or "sh", "-s"], input=line, check=True, capture_output=True, timeout=20
    )
    request = heard.pop()
    assert request["body"] == body
    assert request["path"] == "/a/../b?x=[1]&y={2}"
    sent = dict(request["headers"])
    assert [sent[name] for name, _ in headers] == [value for _, value in headers]


def test_what_travels_in_the_body_is_told_to_be_written_anew(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    webhook = load("linear").webhook()
    body = tmp_path / "body.json"
    body.write_bytes(payloads.write(webhook, payloads.example(webhook)))
    sign = ["sign", "--spec", "linear", "--body", str(body)]
    assert main(sign) == 0
    told = capfd.readouterr().err
    assert "/webhookTimestamp in JSON is written anew, as it carries the timestamp" in told
    assert "--timestamp keeps the body's own" in told
    assert main([*sign, "--timestamp", "1773480413589", "--format", "json"]) == 0
    captured = capfd.readouterr()
    assert not captured.err
    assert base64.b64decode(json.loads(captured.out)["body_base64"]) == body.read_bytes()


def test_seconds_where_milliseconds_belong_are_pointed_out(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["sign", "--spec", "linear", "--timestamp", "1773480413"]) == 0
    assert "1773480413 looks like seconds; this scheme has milliseconds" in capfd.readouterr().err
    assert main(["sign", "--timestamp", "1773480413"]) == 0
    assert not capfd.readouterr().err


@pytest.mark.parametrize("command", [["sign"], ["send", "http://127.0.0.1:9/"]])
def test_a_nonce_for_a_scheme_without_one_is_refused(
    command: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--spec", "line", "--nonce", "abc"]) == 2
    assert "--nonce: this scheme has no nonce; leave it out" in capfd.readouterr().err
