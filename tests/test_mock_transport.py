"""One request goes out byte for byte; whatever a receiver does becomes an answer or a failure."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof_mockserver.transport import (
    KEPT,
    Manner,
    Terms,
    exchange,
    exchange_at_once,
    framed,
    host_header,
    wire,
)
from hookproof_spec.request import Request
from support.sockets import (
    OK,
    Peer,
    Script,
    answering,
    make_certificate,
    scripted,
    silent_port,
)

PATIENT = Terms(timeout=10.0)
HURRIED = Terms(timeout=0.3)


def request(url: str, body: bytes = b'{"a":1}', *headers: tuple[str, str]) -> Request:
    return framed(Request("POST", url, headers, body))


def test_bytes_travel_as_they_are() -> None:
    odd = (("X-Odd", "caf\xe9 \x01"), ("x-odd", "twice"), ("X-Empty", ""))
    with scripted(answering(OK)) as server:
        sent = request(server.url + "?q=%20x", b"\x00\xff\r\n", *odd)
        answer = exchange(sent, PATIENT)
        assert bytes(server.peers[0].received) == (
            b"POST /webhook?q=%20x HTTP/1.1\r\n"
            + f"Host: 127.0.0.1:{server.port}\r\n".encode()
            + b"X-Odd: caf\xe9 \x01\r\nx-odd: twice\r\nX-Empty: \r\n"
            + b"Content-Length: 4\r\nConnection: close\r\n\r\n\x00\xff\r\n"
        )
    assert answer.response is not None
    assert (answer.response.status, answer.response.body, answer.failure) == (200, b"ok", "")
    assert answer.response.headers == (("Content-Length", "2"),)
    assert answer.seconds > 0


@given(st.lists(st.sampled_from(["Host", "Content-Length", "Connection", "X"])))
def test_framing_adds_only_what_is_missing(names: list[str]) -> None:
    given_lines = tuple((name, "1") for name in names)
    made = framed(Request("POST", "http://localhost:8000/", given_lines, b"xyz"))
    assert [line for line in made.headers if line in given_lines] == list(given_lines)
    assert {name for name, _ in made.headers} >= {"Host", "Content-Length", "Connection"}
    assert framed(made) == made
    assert wire(made)[1] == b"xyz"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://localhost/x", "localhost"),
        ("http://localhost:80/", "localhost"),
        ("https://localhost:80/", "localhost:80"),
        ("http://[::1]:8000/", "[::1]:8000"),
        ("https://[::1]", "[::1]"),
    ],
)
def test_the_host_header_names_an_unusual_port(url: str, host: str) -> None:
    assert host_header(url) == host


def drip(peer: Peer) -> None:
    peer.read_request()
    peer.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1_000, 0.02)


def hold(peer: Peer) -> None:
    peer.read_request()
    peer.hold()


@pytest.mark.parametrize("script", [drip, hold])
def test_one_deadline_holds_for_the_whole_exchange(script: Script) -> None:
    with scripted(script) as server:
        begun = time.monotonic()
        answer = exchange(request(server.url), HURRIED)
        assert time.monotonic() - begun < 5
    assert (answer.response, answer.failure) == (None, "no answer within 0.3 s")


def replying(data: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(data)

    return script


def breaking(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("script", "failure"),
    [
        (replying(b""), "the receiver closed the connection without an answer"),
        (replying(b"SSH-2.0-OpenSSH\r\n"), "the receiver did not answer in HTTP"),
        (replying(HEAD + b"Content-Length: 10\r\n\r\nabc"), "was cut after 3 bytes of its body"),
        (replying(HEAD + b"X: " + b"y" * 70_000), "the answer cannot be read"),
        (replying(HEAD + b"X: y\r\n" * 200 + b"\r\n"), "the answer cannot be read"),
        (
            replying(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "the answer 200 was cut after 0 bytes",
        ),
        (replying(b"HTTP/1.1 100 Continue\r\n\r\n" * 30), "closed the connection without"),
        (replying(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 30), "more interim answers than"),
        (breaking, "the receiver reset the connection"),
    ],
)
def test_what_is_no_answer_is_told_in_words(script: Script, failure: str) -> None:
    with scripted(script) as server:
        answer = exchange(request(server.url), PATIENT)
    assert answer.response is None
    assert failure in answer.failure


def test_a_closed_port_is_told() -> None:
    with silent_port() as port:
        answer = exchange(request(f"http://127.0.0.1:{port}/"), PATIENT)
    assert answer.failure == "connection refused: nothing listens there"


def test_interim_answers_are_passed_over() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    with scripted(replying(interim + OK)) as server:
        answer = exchange(request(server.url), PATIENT)
    assert answer.response is not None
    assert answer.response.status == 200


def test_of_a_huge_answer_only_the_beginning_is_read() -> None:
    def flood(peer: Peer) -> None:
        peer.read_request()
        try:
            peer.send(HEAD + b"Content-Length: 100000000\r\n\r\n")
            for _ in range(1_000):
                peer.send(b"x" * 100_000)
        except OSError:  # the sender has hung up, as it should
            return
        raise AssertionError("all of it was taken")

    with scripted(flood) as server:
        answer = exchange(request(server.url), PATIENT)
    assert answer.response is not None
    assert (len(answer.response.body), answer.response.cut) == (KEPT, True)


def test_a_redirect_is_not_followed() -> None:
    answer_bytes = b"HTTP/1.1 307 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    with scripted(replying(answer_bytes)) as server:
        answer = exchange(request(server.url), PATIENT)
        assert len(server.peers) == 1
    assert answer.response is not None
    assert answer.response.status == 307


def test_an_answer_before_the_body_is_sent_counts() -> None:
    def refuse(peer: Peer) -> None:
        peer.read_head()
        peer.send(b"HTTP/1.1 413 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        while len(peer.received) < 5_000_000:
            peer.read()

    with scripted(refuse) as server:
        answer = exchange(request(server.url, b"x" * 5_000_000), PATIENT)
    assert answer.response is not None
    assert answer.response.status == 413


def test_a_slow_body_takes_its_time() -> None:
    with scripted(answering(OK)) as server:
        terms = Terms(timeout=10.0, manner=Manner.SLOW_BODY, slow=0.3)
        answer = exchange(request(server.url, b"x" * 100), terms)
        assert server.peers[0].received.endswith(b"x" * 100)
    assert answer.response is not None
    assert answer.seconds >= 0.3


def test_a_reset_breaks_the_connection_in_mid_body() -> None:
    seen: list[bytes] = []

    def receive(peer: Peer) -> None:
        try:
            while peer.read():
                pass
        except ConnectionResetError:
            seen.append(bytes(peer.received))

    with scripted(receive) as server:
        answer = exchange(
            request(server.url, b"0123456789"), Terms(timeout=10, manner=Manner.RESET)
        )
    assert answer.failure == "the connection was reset in mid-body, on purpose"
    assert answer.response is None
    [received] = seen
    assert b"56789" not in received


def test_copies_at_once_are_on_their_way_together() -> None:
    arrived: list[Peer] = []

    def together(peer: Peer) -> None:
        peer.read_request()
        arrived.append(peer)
        ends = time.monotonic() + 10
        while len(arrived) < 2 and time.monotonic() < ends:
            time.sleep(0.005)
        peer.send(OK if len(arrived) == 2 else b"")

    with scripted(together) as server:
        sent = request(server.url)
        answers = exchange_at_once([sent, sent], PATIENT)
    assert [answer.failure for answer in answers] == ["", ""]


def test_https_is_checked_against_a_certificate(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "localhost", "127.0.0.1")

    def shake(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)

    with scripted(shake, tls=certificate.server) as server:
        answer = exchange(request(server.url), Terms(timeout=10, ca_file=certificate.file))
    assert answer.response is not None


def test_an_unknown_certificate_is_refused(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "localhost", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def shake() -> None:
            accepted, _ = listening.accept()
            with accepted, suppress(OSError):  # the sender hangs up
                certificate.server.wrap_socket(accepted, server_side=True).close()

        thread = threading.Thread(target=shake)
        thread.start()
        port = listening.getsockname()[1]
        answer = exchange(request(f"https://127.0.0.1:{port}/"), PATIENT)
        thread.join()
    assert answer.response is None
    assert answer.failure.startswith("TLS: ")
    assert "CERTIFICATE_VERIFY_FAILED" in answer.failure


def test_a_name_that_is_never_found_ends_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found.wait(30) and [])
    answer = exchange(request("http://receiver.example/webhook"), HURRIED)
    found.set()
    assert answer.response is None
    assert answer.failure == "no answer within 0.3 s"


def test_a_name_under_localhost_is_this_machine() -> None:
    with scripted(answering(OK)) as server:
        host = f"shop.localhost:{server.port}"
        answer = exchange(request(f"http://{host}/"), PATIENT)
        assert answer.failure == ""
        assert f"Host: {host}\r\n".encode() in server.peers[0].received


def test_a_name_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolver(*_: object, **__: object) -> None:  # a real one may be away, and take its time
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    answer = exchange(request("http://no-such-name.invalid/webhook"), PATIENT)
    assert answer.response is None
    assert answer.failure == "the host's name has no address"
