"""`check` judges a captured request, however it was captured."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.cli import main
from hookproof.cli.captured import parse_request
from hookproof.cli.written import as_http, as_json
from hookproof_spec import load, payloads
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Request
from hookproof_spec.signing import Delivery, Signer
from support.command_line import CANARY, all_forms, hookproof_command, one_line_error

NOW = 1_700_000_000.0
AT_NOW = ("--now", str(NOW))


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOKPROOF_SECRET", CANARY)


def genuine(body: bytes | None = None) -> Delivery:
    webhook = load("mobility-work").webhook()
    content = payloads.encode(payloads.example(webhook)) if body is None else body
    plain = Request("POST", "http://h/webhook", (("Content-Type", "application/json"),), content)
    return Signer(webhook.scheme, CANARY).sign(plain, timestamp=NOW, nonce="ab" * 20)


def checked(
    capsys: pytest.CaptureFixture[str], data: bytes, *arguments: str
) -> tuple[int, str, str]:
    Path("request").write_bytes(data)
    status = main(["check", "--request", "request", *arguments])
    captured = capsys.readouterr()
    return status, captured.out.rstrip("\n"), captured.err.rstrip("\n")


@pytest.mark.parametrize("write", [as_json, as_http])
def test_genuine_request_is_accepted(
    write: Callable[[Request], bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = checked(capsys, write(genuine().request), "--now", str(NOW + 3))
    assert result == (0, "accepted: genuine, 3 s old", "")


def test_line_ends_of_a_capture_do_not_matter_but_those_of_its_body(
    capsys: pytest.CaptureFixture[str],
) -> None:
    head, _, body = as_http(genuine().request).partition(b"\r\n\r\n")
    bare = head.replace(b"\r\n", b"\n") + b"\n\n"
    assert checked(capsys, bare + body, *AT_NOW)[0] == 0
    assert checked(capsys, bare + body + b"\n", *AT_NOW)[0] == 0
    unframed = b"\n".join(line for line in bare.split(b"\n") if b"Content-Length" not in line)
    assert checked(capsys, unframed + body, *AT_NOW)[0] == 0
    assert checked(capsys, unframed + body + b"\n", *AT_NOW)[0] == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d.with_body(b"{}").request, "refused: wrong signature: "),
        (lambda d: d.with_nonce("x").request, "refused: nonce of the wrong shape: "),
        (lambda d: d.request.without_header("X-MW-Signature"), "refused: missing header: "),
        (
            lambda d: d.request.with_header("Content-Type", "text/plain"),
            "refused: wrong media type: ",
        ),
    ],
)
def test_refusal_says_its_reason(
    change: Callable[[Delivery], Request], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = as_json(change(genuine()))
    status, out, _ = checked(capsys, data, *AT_NOW)
    assert status == 1
    assert out.startswith(told)


def test_payload_that_breaks_the_schema_is_refused_with_its_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, _ = checked(capsys, as_json(genuine(b'{"_event":1}').request), *AT_NOW)
    assert status == 1
    assert out.startswith("refused: payload breaks the schema: ")


def test_age_is_judged_by_the_tolerance(capsys: pytest.CaptureFixture[str]) -> None:
    data = as_json(genuine().request)
    later = ("--now", str(NOW + 30))
    assert checked(capsys, data, *later, "--tolerance", "29")[1].startswith("refused: stale: 30 s")
    assert checked(capsys, data, *later, "--tolerance", "31")[0] == 0
    assert checked(capsys, data, "--now", "0")[1].startswith("refused: from the future: ")


def test_quiet_says_nothing_and_verbose_says_what_was_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = as_json(genuine().request)
    assert checked(capsys, data, *AT_NOW, "-q") == (0, "", "")
    _, out, _ = checked(capsys, data, *AT_NOW, "-v")
    assert out.splitlines()[1:] == ["    timestamp 1700000000.000", f"    nonce {'ab' * 20}"]


def test_json_has_the_verdict_and_its_hints(capsys: pytest.CaptureFixture[str]) -> None:
    data = as_json(genuine().with_signature("0" * 64).request)
    _, out, _ = checked(capsys, data, *AT_NOW, "--format", "json")
    value = json.loads(out)
    (hint,) = value.pop("hints")
    assert value == {
        "accepted": False,
        "reason": "wrong signature",
        "detail": "the signature belongs to other bytes or another key",
    }
    assert hint.startswith("none of the known mistakes explains it")
    _, out, _ = checked(capsys, as_json(genuine().request), *AT_NOW, "--format", "json")
    assert json.loads(out) == {"accepted": True, "reason": None, "detail": "", "hints": []}


# The list of known mistakes is tried as a whole in test_diagnosis; these go all the way.
@pytest.mark.parametrize(
    ("secret", "change", "told"),
    [
        (
            f"{CANARY}\n",
            lambda d: d.request,
            "with the secret without the white space at its ends; the one given here has it:",
        ),
        (
            CANARY,
            lambda d: d.request.with_body(json.dumps(json.loads(d.body), indent=2).encode()),
            "over re-serialised JSON (compact), not over this body's",
        ),
        (
            CANARY,
            lambda d: d.with_signature(d.signatures[0].upper()).request,
            "rightly, and written in upper-case hexadecimal:",
        ),
        (
            CANARY,
            lambda d: d.with_signature(Signer(d.scheme, CANARY).signature(d.body)).request,
            "over the body alone, {body} instead of {timestamp}.{nonce}.{body}:",
        ),
    ],
)
def test_refused_request_is_explained_in_a_line(
    secret: str,
    change: Callable[[Delivery], Request],
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOOKPROOF_SECRET", secret)
    status, out, err = checked(capsys, as_json(change(genuine())), *AT_NOW)
    verdict, hint = out.splitlines()
    assert (status, err) == (1, "")
    assert verdict.startswith("refused: wrong signature: ")
    assert hint.startswith(f"  hint: the signature was made {told}")
    assert not any(form in out.encode() for form in all_forms(CANARY))
    assert genuine().signatures[0] not in out


def test_quiet_has_no_hints(capsys: pytest.CaptureFixture[str]) -> None:
    data = as_json(genuine().with_signature("0" * 64).request)
    assert checked(capsys, data, *AT_NOW, "-q") == (1, "", "")


def test_signed_request_is_accepted_by_the_real_commands() -> None:
    signed = hookproof_command("sign", "--format", "http")
    verdict = hookproof_command("check", "--request", "-", stdin=signed.stdout)
    assert verdict.returncode == 0
    assert verdict.stdout.startswith(b"accepted: genuine")


@given(st.binary(max_size=200))
def test_any_signed_body_is_genuine_to_whoever_reads_it(body: bytes) -> None:
    from hookproof_spec.signing import Verifier

    delivery = genuine(body)
    verifier = Verifier(delivery.scheme, [CANARY])
    for write in (as_json, as_http):
        assert verifier.verify(parse_request(write(delivery.request)), NOW).accepted


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda b: b"POST / HTTP/1.1\r\n" + b))
def test_any_bytes_are_a_request_or_a_mistake(data: bytes) -> None:
    with suppress(HookproofError):
        assert isinstance(parse_request(data).body, bytes)


def test_chunked_capture_is_joined() -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"3;x=1\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"
    assert parse_request(head + chunks).body == b"abc0123456789"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "--request: it is empty"),
        (b"hello", "--request: its first line is no request line"),
        (b"POST / HTTP/1.1", "--request: no empty line ends its headers"),
        (b"POST / HTTP/1.1\nbad\n\n", "is no header line"),
        (b"POST / HTTP/1.1\nContent-Length: 5\n\nabc", "its body is cut: 3 of 5 bytes"),
        (b"POST / HTTP/1.1\nContent-Length: x\n\nabc", "its Content-Length is not a number"),
        (b"POST / HTTP/1.1\nContent-Length: 1\n\nabc", "2 bytes follow its body"),
        (b"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\nzz", "its chunks are malformed"),
        (b"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n5\r\nab", "its body is cut within"),
        (b"{", "it is not JSON"),
        (b"{}\n{}", "it holds more than one request"),
        (b"{}", "'method' is not a text"),
        (b'{"method":"POST","url":"u","headers":{}}', "'headers' is not a list"),
        (b'{"method":"POST","url":"u","headers":[["a"]]}', "'headers' holds something else"),
        (
            b'{"method":"POST","url":"u","headers":[],"body_base64":"*"}',
            "'body_base64' is not base64",
        ),
        (b"{" * 100_000, "it is not JSON"),
        (b'{"a":' * 100_000, "it is nested too deeply"),
        (b'{"\xff', "it is not UTF-8"),
    ],
)
def test_what_is_no_request_is_a_mistake(
    data: bytes, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, error = checked(capsys, data)
    assert (status, out) == (2, "")
    assert error.startswith("hookproof: --request: ")
    assert told in error


def test_input_that_is_missing_is_a_mistake() -> None:
    assert "none cannot be read" in one_line_error(hookproof_command("check", "--request", "none"))


def test_secret_in_a_request_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    request = genuine(json.dumps({CANARY: CANARY}).encode()).request
    for form in ("text", "json"):
        _, out, error = checked(capsys, as_json(request), *AT_NOW, "--format", form)
        assert not any(form.decode() in out + error for form in all_forms(CANARY))
