"""The reference receiver over real sockets: right in every rule, calm about everything else."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookproof.nonces import MemoryNonceStore, NonceStore, SqliteNonceStore
from hookproof.receiver import (
    NAMES_KEPT,
    Effects,
    ReceivedEvent,
    create_receiver,
    read_body,
    request_from_environ,
    serve_receiver,
)
from hookproof.serving import RunningServer
from hookproof_spec import payloads
from hookproof_spec.documents import load
from hookproof_spec.errors import HookproofError, SecretError
from hookproof_spec.request import Request
from hookproof_spec.scheme import NonceRule, OnRetry
from hookproof_spec.signing import Delivery, Reason, Signer, Verification
from hookproof_spec.webhook import Webhook

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

SECRET = "canary-9c2e-secret"
NOW = 1_700_000_000.0


@cache
def spare_part() -> Webhook:
    return load("mobility-work").webhook()


@cache
def example_body() -> bytes:
    return payloads.encode(payloads.example(spare_part()))


def nonce(number: int) -> str:
    return f"{number:040x}"


def delivery(number: int = 1, *, body: bytes | None = None, timestamp: float = NOW) -> Delivery:
    request = Request(
        "POST",
        "/webhook",
        (("Host", "localhost"), ("Content-Type", "application/json")),
        example_body() if body is None else body,
    )
    signer = Signer(spare_part().scheme, SECRET)
    return signer.sign(request, timestamp=timestamp, nonce=nonce(number))


def wire(request: Request, *, framing: bytes | None = None, body: bytes | None = None) -> bytes:
    """Write a request as bytes; its own framing header and body may be given."""
    head = f"{request.method} {request.url} HTTP/1.1\r\n"
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers)
    length = b"Content-Length: %d\r\n" % len(request.body)
    framed = length if framing is None else framing
    return (
        (head + lines).encode("latin-1")
        + framed
        + b"\r\n"
        + (request.body if body is None else body)
    )


@dataclass(frozen=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    def json(self) -> object:
        return json.loads(self.body)


def read_answer(connection: socket.socket) -> Answer:
    data = b""
    while part := connection.recv(65536):
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    return Answer(int(head.split()[1]), head, body)


@dataclass(frozen=True)
class Running:
    server: RunningServer

    def connect(self) -> socket.socket:
        host, port = self.server.url.removeprefix("http://").rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=20)

    def talk(self, *parts: bytes, pause: float = 0.0, finish: bool = False) -> Answer:
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            if finish:
                connection.shutdown(socket.SHUT_WR)
            return read_answer(connection)

    def send(self, request: Request) -> Answer:
        return self.talk(wire(request))

    def get(self, path: str) -> Answer:
        return self.talk(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    @property
    def effects(self) -> object:
        return self.get("/effects").json()

    @property
    def processed(self) -> int:
        return len(self.names)

    @property
    def names(self) -> list[str]:
        report = self.get("/effects").json()
        if not isinstance(report, dict):
            raise TypeError("effects are an object")
        names: list[str] = report["nonces"]
        return names


def receiver(
    *,
    webhook: Webhook | None = None,
    nonces: NonceStore | None = None,
    on_event: Callable[[ReceivedEvent], None] | None = None,
    on_verdict: Callable[[Request, Verification], None] | None = None,
    clock: Callable[[], float] = lambda: NOW,
    replay: Literal["reject", "ignore"] | None = None,
) -> WSGIApplication:
    return create_receiver(
        webhook or spare_part(),
        SECRET,
        nonces=MemoryNonceStore() if nonces is None else nonces,
        on_event=on_event,
        on_verdict=on_verdict,
        clock=clock,
        replay=replay,
    )


Serve = Callable[["WSGIApplication"], Running]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda app: Running(stack.enter_context(serve_receiver(app)))


@pytest.fixture
def running(serve: Serve) -> Running:
    return serve(receiver())


def test_genuine_events_are_processed_and_shown(running: Running) -> None:
    assert running.effects == {"processed": 0, "nonces": []}
    for number in (16, 17):  # they differ in the last character
        assert running.send(delivery(number).request).status == 200
    assert running.effects == {"processed": 2, "nonces": [nonce(16), nonce(17)]}


BODIES = {
    "php escapes": example_body().replace(b"Deep", b"A\\/B \\u00e9 \\ud83d\\ude00"),
    "raw utf-8": example_body().replace(b"Deep", "é 😀 \u2028 漢字".encode()),
    "pretty": json.dumps(json.loads(example_body()), indent=4).encode(),
    "final newline": example_body() + b"\n",
    "other order": json.dumps(dict(reversed(json.loads(example_body()).items()))).encode(),
    "64 KiB": example_body().replace(b"Deep", b"x" * 65_000),
    "unknown member": example_body().replace(b"{", b'{"newField":{"a":1},', 1),
    "no metadata": example_body().replace(b"[null]", b"[]"),
    "old dates": example_body().replace(b"2024", b"2004"),
    "date forms": example_body().replace(b".071Z", b".071000+02:00"),
    "markup": example_body().replace(b"Deep", b"<script>'; DROP {{7*7}}\\u0000"),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_every_lawful_spelling_is_accepted(running: Running, body: bytes) -> None:
    assert running.send(delivery(body=body).request).status == 200
    assert running.processed == 1


@pytest.mark.parametrize("age", [-60, -2, 0, 3_600])
def test_every_lawful_age_is_accepted(running: Running, age: int) -> None:
    assert running.send(delivery(timestamp=NOW - age).request).status == 200


def test_lower_case_names_and_charsets_are_accepted(running: Running) -> None:
    genuine = delivery().request
    lines = tuple((name.lower(), value) for name, value in genuine.headers)
    request = genuine.with_headers(lines).with_header(
        "content-type", "application/json; charset=utf-8"
    )
    assert running.send(request).status == 200


def test_bodies_in_pieces_are_read_whole(running: Running) -> None:
    data = wire(delivery().request)
    half = len(data) - 100
    assert running.talk(data[:-300], data[-300:half], data[half:], pause=0.05).status == 200


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[place : place + size] for place in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [7, 1_000_000])
def test_chunked_bodies_are_read_whole(running: Running, size: int) -> None:
    request = delivery().request
    body = chunked(request.body, size)
    data = wire(request, framing=b"Transfer-Encoding: chunked\r\n", body=body)
    assert running.talk(data).status == 200


def test_waiting_senders_are_told_to_continue_once(running: Running) -> None:
    request = delivery().request.with_added_header("Expect", "100-continue")
    head, _, body = wire(request).partition(b"\r\n\r\n")
    with running.connect() as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert read_answer(connection).status == 200


def forged_headers() -> dict[str, tuple[str, ...]]:
    """Lines of the signature header that an outsider may send, by what is wrong with them."""
    genuine = delivery()
    header = genuine.request.header("X-MW-Signature") or ""
    signature = genuine.signatures[0]
    stale = delivery(timestamp=NOW - 10 * 86_400).request.header("X-MW-Signature") or ""

    def signed(text: str) -> tuple[str]:
        return (header.replace(signature, text),)

    return {
        "absent": (),
        "empty": ("",),
        "garbage": ("====",),
        "empty items": ("t=,nonce=,signature=",),
        "other separators": ("t=1;nonce=2;signature=3",),
        "zeros": signed("0" * 64),
        "truncated": signed(signature[:63]),
        "first character": signed(signature[:1]),
        "flipped": signed(signature[:-1] + ("0" if signature[-1] != "0" else "1")),
        "longer": signed(signature + "00"),
        "literal": signed("null"),
        "bytes": signed("\xe9" * 64),
        "no time": (header.partition(",")[2],),
        "no nonce": (header.replace("nonce=", "once="),),
        "time of bytes": (header.replace(str(int(NOW)), "166033814\xb2"),),
        "endless time": (header.replace(str(int(NOW)), "9" * 5_000),),
        "large": (header.replace(nonce(1), "a" * 20_000),),
        "refreshed time": (stale.replace(str(int(NOW - 864_000)), str(int(NOW))),),
        "refreshed nonce": (header.replace(nonce(1), nonce(2)),),
        "stale": (stale,),
        "doubled items": (f"{stale},t={NOW:.0f},nonce={nonce(2)}",),
        "doubled time": (f"t={NOW:.0f},{stale}",),
        "two lines": (stale, header),
        "two lines in turn": (header, stale),
        "the same line twice": (header, header),
    }


@pytest.mark.parametrize("lines", forged_headers().values(), ids=forged_headers())
def test_forged_and_stale_requests_are_refused(running: Running, lines: tuple[str, ...]) -> None:
    request = delivery().request.without_header("X-MW-Signature")
    for line in lines:
        request = request.with_added_header("X-MW-Signature", line)
    answer = running.send(request.with_added_header("X-Forwarded-For", "127.0.0.1"))
    assert 400 <= answer.status < 500
    assert running.processed == 0
    assert running.send(delivery().request).status == 200


@pytest.mark.parametrize("key", ["secret", "null", "X-MW-Signature"])
def test_well_known_keys_are_no_keys(running: Running, key: str) -> None:
    forged = Signer(spare_part().scheme, key).sign(
        delivery().request, timestamp=NOW, nonce=nonce(1)
    )
    assert running.send(forged.request).status == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", example_body() + b" ", example_body().replace(b"6204", b"6205"), b"[" * 100_000],
    ids=["empty", "another", "longer", "changed", "deep"],
)
def test_changed_bodies_are_refused(running: Running, body: bytes) -> None:
    assert running.send(delivery().with_body(body).request).status == 401
    assert running.send(delivery().request).status == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"\xff\xfe", b"[]", b"null", b"[" * 100_000 + b"]" * 100_000, b'"\\ud800"'],
    ids=lambda body: body[:8].hex(),
)
def test_signed_bodies_of_another_shape_are_refused(running: Running, body: bytes) -> None:
    assert running.send(delivery(body=body).request).status == 422
    assert running.processed == 0


def test_shifted_boundaries_are_refused(running: Running) -> None:
    genuine = delivery()
    running.send(genuine.request)
    head, _, tail = genuine.body.partition(b".")
    shifted = genuine.with_nonce(f"{genuine.nonce}.{head.decode()}").with_body(tail)
    assert running.send(shifted.request).status == 400
    assert running.processed == 1


def test_refusals_tell_nothing(running: Running) -> None:
    genuine = delivery()
    answers = {
        running.send(genuine.with_signature(digit * 64).request).body for digit in "0123456789"
    }
    assert answers == {b'{"error": "wrong signature"}\n'}
    answer = running.send(genuine.with_signature("0" * 64).request)
    assert genuine.signatures[0].encode() not in answer.head + answer.body
    assert b"Server: hookproof\r\n" in answer.head


@pytest.mark.parametrize(("replay", "status"), [("reject", 409), ("ignore", 200)])
def test_replays_have_no_second_effect(
    serve: Serve, replay: Literal["reject", "ignore"], status: int
) -> None:
    running = serve(receiver(replay=replay))
    request = delivery().request
    header = request.header("X-MW-Signature") or ""
    copies = [
        request,
        request.with_header("x-mw-signature", f" {header},x=1,\t"),
        request.with_url("/webhook?x=1").with_added_header("Idempotency-Key", "other"),
    ]
    assert running.send(request).status == 200
    assert [running.send(copy).status for copy in copies] == [status] * 3
    assert running.send(request.with_url("/webhook/")).status == 404
    assert running.processed == 1


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_twenty_copies_at_once_have_one_effect(serve: Serve, tmp_path: Path, kind: str) -> None:
    with SqliteNonceStore(tmp_path / "nonces.db") as stored:
        running = serve(receiver(nonces=stored if kind == "sqlite" else MemoryNonceStore()))
        barrier = threading.Barrier(20)
        data = wire(delivery().request)

        def race(_: int) -> int:
            with running.connect() as connection:
                connection.sendall(data[:-1])
                barrier.wait()
                connection.sendall(data[-1:])
                return read_answer(connection).status

        with ThreadPoolExecutor(20) as pool:
            statuses = sorted(pool.map(race, range(20)))
        running.server.close()
    assert statuses == [200] + [409] * 19


def test_an_event_survives_a_restart_as_spent(serve: Serve, tmp_path: Path) -> None:
    for status in (200, 409):
        with SqliteNonceStore(tmp_path / "nonces.db") as stored:
            running = serve(receiver(nonces=stored))
            assert running.send(delivery().request).status == status
            running.server.close()


def test_a_replay_is_refused_to_the_end_of_its_window(serve: Serve) -> None:
    moment = [NOW]
    running = serve(receiver(clock=lambda: moment[0]))
    ahead = delivery(timestamp=NOW + 50).request
    statuses = []
    for moment[0] in (NOW, NOW + 3_601, NOW + 3_650, NOW + 3_651, NOW + 10_000):
        statuses.append(running.send(ahead).status)
    assert statuses == [200, 409, 409, 401, 401]


def test_failed_events_are_processed_when_sent_again(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    faults = [OSError("the disk is full"), KeyError("x")]

    def store(event: ReceivedEvent) -> None:
        if faults:
            raise faults.pop()

    running = serve(receiver(on_event=store))
    statuses = [running.send(delivery().request).status for _ in range(4)]
    assert statuses == [500, 500, 200, 409]
    assert running.processed == 1
    assert "the disk is full" in caplog.text


@pytest.mark.parametrize("replay", ["reject", "ignore"])
def test_unfinished_events_are_not_acknowledged_to_others(
    serve: Serve, replay: Literal["reject", "ignore"]
) -> None:
    arrived, finish = threading.Event(), threading.Event()

    def work(_: ReceivedEvent) -> None:
        arrived.set()
        finish.wait(20)

    running = serve(receiver(on_event=work, replay=replay))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(running.send, delivery().request)
        arrived.wait(20)
        second = running.send(delivery().request)
        finish.set()
        assert (first.result().status, second.status) == (200, 409)


def test_a_store_that_fails_acknowledges_nothing(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stored = SqliteNonceStore(tmp_path / "nonces.db")
    stored.close()
    running = serve(receiver(nonces=stored))
    assert running.send(delivery().request).status == 500
    assert running.processed == 0
    assert "closed" in caplog.text


def test_retries_that_keep_their_nonce_are_acknowledged(serve: Serve) -> None:
    scheme = replace(spare_part().scheme, nonce=NonceRule("[0-9a-f]{40}", OnRetry.SAME))
    running = serve(receiver(webhook=replace(spare_part(), scheme=scheme)))
    times = (NOW, NOW + 30)
    assert [running.send(delivery(timestamp=t).request).status for t in times] == [200, 200]
    assert running.processed == 1


def test_unsigned_events_are_taken_where_that_is_meant(serve: Serve) -> None:
    running = serve(create_receiver(spare_part(), None, nonces=MemoryNonceStore()))
    assert running.send(delivery().request.without_header("X-MW-Signature")).status == 200
    assert running.effects == {"processed": 1}
    with pytest.raises(SecretError):
        create_receiver(spare_part(), "", nonces=MemoryNonceStore())


def test_events_and_verdicts_are_told_as_they_came(serve: Serve) -> None:
    events: list[ReceivedEvent] = []
    verdicts: list[tuple[Request, Reason | None]] = []
    app = receiver(
        on_event=events.append,
        on_verdict=lambda request, verdict: verdicts.append((request, verdict.reason)),
    )
    running = serve(app)
    host = running.server.url.removeprefix("http://")
    request = delivery().request.with_header("Host", host).with_added_header("x-ODD_name", "é  b")
    genuine = request.with_url("/webhook?a=%2F&b").with_added_header("Content-Length", "327")
    assert running.talk(wire(genuine, framing=b"")).status == 200
    running.talk(wire(genuine, framing=b""))
    arrived = genuine.with_url(f"http://{host}/webhook?a=%2F&b")
    assert [event.request for event in events] == [arrived]
    assert verdicts == [(arrived, None), (arrived, Reason.REPLAYED)]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "post", "X"])
def test_other_methods_do_not_act(running: Running, method: str) -> None:
    answer = running.send(delivery().request.with_method(method))
    assert answer.status == 405
    assert b"Allow: POST\r\n" in answer.head
    assert running.processed == 0


def test_effects_can_only_be_read(running: Running) -> None:
    assert running.send(delivery().request.with_url("/effects")).status == 405
    assert running.get("/").status == 404


MIB = 1024 * 1024


def test_oversized_bodies_are_refused_and_harm_nobody(running: Running) -> None:
    large = delivery().request.with_body(b"x" * (10 * MIB))
    assert running.send(large).status == 413
    data = wire(large, framing=b"Transfer-Encoding: chunked\r\n", body=chunked(large.body, MIB))
    assert running.talk(data).status == 413
    assert running.send(delivery(body=b"x" * MIB).request).status == 422
    assert running.send(delivery().request).status == 200


def broken(framing: bytes, body: bytes) -> bytes:
    return wire(delivery().request, framing=framing, body=body)


BROKEN = {
    "garbage": b"garbage\r\n\r\n",
    "unknown version": b"GET / HTTP/9.9\r\n\r\n",
    "address": b"POST http://[::1/webhook HTTP/1.1\r\n\r\n",
    "endless line": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    "many lines": b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
    "short body": broken(b"Content-Length: 1000\r\n", b"x"),
    "no length": broken(b"", b""),
    "negative length": broken(b"Content-Length: -5\r\n", b"x"),
    "endless length": broken(b"Content-Length: " + b"9" * 5_000 + b"\r\n", b"x"),
    "chunk length": broken(b"Transfer-Encoding: chunked\r\n", b"zz\r\nx\r\n0\r\n\r\n"),
    "short chunk": broken(b"Transfer-Encoding: chunked\r\n", b"ff\r\nx"),
    "no last chunk": broken(b"Transfer-Encoding: chunked\r\n", b"1\r\nx\r\n"),
    "nul": broken(b"X: a\0b\r\nContent-Length: 0\r\n", b""),
    "bare line": broken(b"no colon\r\nContent-Length: 0\r\n", b""),
    "spaced name": broken(b"X-MW-Signature : t=1\r\nContent-Length: 0\r\n", b""),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken_http_is_the_clients_mistake(running: Running, data: bytes) -> None:
    assert 400 <= running.talk(data, finish=True).status < 500
    assert running.processed == 0


def test_a_second_request_behind_a_refused_one_is_not_misread(running: Running) -> None:
    forged = delivery().with_signature("0" * 64).with_body(b"x" * 20_000)
    behind = wire(delivery().request) + b"x" * (4 * MIB)
    answer = running.talk(wire(forged.request) + behind)
    assert answer.status == 401
    assert b"Connection: close" in answer.head
    assert running.processed == 0


def test_genuine_and_forged_events_do_not_mix(running: Running) -> None:
    genuine = [delivery(number).request for number in range(40)]
    forged = [delivery(100 + n).with_signature("ab" * 32).request for n in range(40)]
    mixed = [request for pair in zip(genuine, forged, strict=True) for request in pair]
    with ThreadPoolExecutor(10) as pool:
        statuses = [answer.status for answer in pool.map(running.send, mixed)]
    assert statuses == [200, 401] * 40
    assert sorted(running.names) == [nonce(number) for number in range(40)]


def test_closing_frees_the_port_despite_idle_clients() -> None:
    server = serve_receiver(receiver())
    with Running(server).connect() as idle:
        idle.sendall(b"POST /webhook HTTP/1.1\r\n")
        started = time.monotonic()
        server.close()
        assert time.monotonic() - started < 5
    port = int(server.url.rsplit(":", 1)[1])
    serve_receiver(receiver(), port=port).close()


def test_a_taken_port_is_explained(running: Running) -> None:
    port = int(running.server.url.rsplit(":", 1)[1])
    with pytest.raises(HookproofError) as caught:
        serve_receiver(receiver(), port=port)
    assert caught.value.where == f"127.0.0.1:{port}"
    assert "in use" in caught.value.problem


@pytest.mark.parametrize("path", ["webhook", "/effects", ""])
def test_a_path_that_cannot_be_served_is_refused(path: str) -> None:
    with pytest.raises(HookproofError, match="path"):
        create_receiver(spare_part(), SECRET, nonces=MemoryNonceStore(), path=path)


def test_effects_keep_their_count_and_the_last_names() -> None:
    effects = Effects()
    for number in range(NAMES_KEPT + 5):
        effects.add(str(number))
    report = effects.report(named=True)
    names = report["nonces"]
    assert report["processed"] == NAMES_KEPT + 5
    assert isinstance(names, list)
    assert (len(names), names[0], names[-1]) == (NAMES_KEPT, "5", str(NAMES_KEPT + 4))


def environ(lines: dict[str, str], body: bytes = b"") -> WSGIEnvironment:
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/webhook",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        **lines,
    }


def test_any_wsgi_environ_becomes_a_request() -> None:
    plain = environ({"HTTP_X_MW_SIGNATURE": "é", "CONTENT_TYPE": "a/b", "QUERY_STRING": "x=1"})
    assert request_from_environ({**plain, "PATH_INFO": "/a b\xe9"}, b"body") == Request(
        "POST",
        "http://localhost:80/a%20b%E9?x=1",
        (("Content-Length", "0"), ("X-Mw-Signature", "é"), ("Content-Type", "a/b")),
        b"body",
    )
    assert request_from_environ({**plain, "RAW_URI": "/a%2Fb", "HTTP_HOST": "h"}, b"").url == (
        "http://h/a%2Fb"
    )


@pytest.mark.parametrize("size", [0, 9, 10])
def test_bodies_up_to_the_limit_are_read(size: int) -> None:
    assert read_body(environ({}, b"x" * size), limit=10) == b"x" * size


def test_bodies_beyond_the_limit_are_drained() -> None:
    arrived = environ({}, b"x" * MIB)
    assert read_body(arrived, limit=10) is None
    assert arrived["wsgi.input"].read() == b""


@given(
    st.text(st.characters(max_codepoint=255))
    | st.builds("t={},nonce={},signature={}".format, *[st.text("0a9,= é²", max_size=70)] * 3),
    st.sampled_from([b"", b"{}", example_body(), b"\xff", b"[" * 5_000]),
)
@settings(deadline=None)
def test_no_header_of_an_outsider_is_accepted_or_crashes(header: str, body: bytes) -> None:
    statuses: list[str] = []
    given_headers = {"HTTP_X_MW_SIGNATURE": header, "CONTENT_TYPE": "application/json"}

    def start(status: str, *_: object) -> Callable[[bytes], object]:
        statuses.append(status)
        return bytes

    b"".join(receiver()(environ(given_headers, body), start))
    assert [status[0] for status in statuses] == ["4"]
