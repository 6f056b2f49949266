"""The ASGI target: bytes arrive whole, crashes are answers, races are real, the lifespan is run."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.targets.asgi import AsgiTarget
from hookproof.targets.asgi_call import LIMIT, AsgiApp, Message, Receive, Send
from hookproof.targets.base import Capability, Exchange, Failure, Framing
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Request


async def read(receive: Receive) -> bytes:
    message = await receive()
    assert message["type"] == "http.request"
    assert message["more_body"] is False
    return bytes(message["body"])


async def answer(send: Send, status: int = 200, body: bytes = b"ok") -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"x-a", b"\xe9")]})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: Message, receive: Receive, send: Send) -> None:
    """Know nothing of lifespans, and say so as most simple applications do."""
    assert scope["type"] == "http"
    await answer(send, 200, await read(receive))


@contextmanager
def reached(app: AsgiApp, *, timeout: float = 10.0) -> Iterator[AsgiTarget]:
    target = AsgiTarget(app, timeout=timeout)
    try:
        yield target
    finally:
        target.close()


def post(body: bytes = b"{}", *headers: tuple[str, str], url: str = "") -> Request:
    return Request("POST", url or "http://in-process/webhook", headers, body)


def sent(app: AsgiApp, request: Request | None = None, **options: float) -> Exchange:
    with reached(app, **options) as target:
        return target.send(request or post())


# --- one request and its answer -----------------------------------------------------------------


def test_answer_comes_back_byte_for_byte() -> None:
    exchange = sent(echo, post(b"\x00\xff"))
    assert (exchange.status, exchange.body) == (200, b"\x00\xff")
    assert exchange.headers == (("x-a", "é"),)
    assert 0 < exchange.seconds < 5


@given(body=st.binary(), value=st.text(st.characters(max_codepoint=255)))
def test_any_body_and_header_value_arrive_as_they_are(body: bytes, value: str) -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            seen.extend(line for line in scope["headers"] if line[0] == b"x-sig")
            await echo(scope, receive, send)

    assert sent(app, post(body, ("X-Sig", value))).body == body
    assert seen == [(b"x-sig", value.encode("latin-1"))]


def scope_of(request: Request, framing: Framing | None = None) -> Message:
    seen: list[Message] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await echo(scope, receive, send)

    with reached(app) as target:
        target.send(request, framing or Framing())
    return seen[-1]


def test_scope_is_that_of_a_server() -> None:
    scope = scope_of(post(b"ab", ("X-A", "1"), ("X-A", "2"), url="http://h.test/a%2Fb%C3%A9?q=%20"))
    assert scope["path"] == "/a/bé"
    assert scope["raw_path"] == b"/a%2Fb%C3%A9"
    assert scope["query_string"] == b"q=%20"
    assert scope["method"] == "POST"
    assert scope["headers"] == [
        (b"host", b"h.test"),
        (b"x-a", b"1"),
        (b"x-a", b"2"),
        (b"content-length", b"2"),
    ]


def test_chunked_body_has_no_length() -> None:
    names = [name for name, _ in scope_of(post(b"ab"), Framing(chunked=True))["headers"]]
    assert b"transfer-encoding" in names
    assert b"content-length" not in names


def test_header_that_is_not_made_of_bytes_is_refused() -> None:
    with pytest.raises(HookproofError, match="not one byte"):
        sent(echo, post(b"", ("X-A", "€")))


def test_long_answer_is_cut() -> None:
    exchange = sent(echo, post(b"a" * (LIMIT + 1)))
    assert len(exchange.body) == LIMIT
    assert exchange.cut


# --- what goes wrong ----------------------------------------------------------------------------


async def crashes(scope: Message, receive: Receive, send: Send) -> None:
    raise ZeroDivisionError


async def crashes_amid(scope: Message, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ZeroDivisionError


async def crashes_after(scope: Message, receive: Receive, send: Send) -> None:
    await answer(send)
    raise ZeroDivisionError


async def says_nothing(scope: Message, receive: Receive, send: Send) -> None:
    return


async def body_first(scope: Message, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.body", "body": b"early"})


async def cancels_itself(scope: Message, receive: Receive, send: Send) -> None:
    raise asyncio.CancelledError


def test_crash_becomes_a_500() -> None:
    exchange = sent(crashes)
    assert exchange.status == 500
    assert exchange.detail == "the application raised ZeroDivisionError"


def test_crash_amid_an_answer_closes_the_connection() -> None:
    exchange = sent(crashes_amid)
    assert (exchange.status, exchange.failure) == (None, Failure.CLOSED)


def test_crash_after_the_answer_leaves_it_standing() -> None:
    assert sent(crashes_after).status == 200


@pytest.mark.parametrize("app", [says_nothing, body_first, cancels_itself])
def test_application_without_an_answer_is_a_500(app: AsgiApp) -> None:
    assert sent(app).status == 500


def test_application_that_hangs_is_given_up() -> None:
    async def hangs(scope: Message, receive: Receive, send: Send) -> None:
        await asyncio.sleep(30 if scope["type"] == "http" else 0)

    begun = time.monotonic()
    exchange = sent(hangs, timeout=0.1)
    assert exchange.failure is Failure.TIMEOUT
    assert time.monotonic() - begun < 5


def test_client_is_gone_only_after_the_answer() -> None:
    seen: list[str] = []

    async def listens(scope: Message, receive: Receive, send: Send) -> None:
        await read(receive)
        listener = asyncio.ensure_future(receive())
        await asyncio.sleep(0.01)
        seen.append("waits" if not listener.done() else "gone")
        await answer(send)
        seen.append(str((await listener)["type"]))

    assert sent(listens).status == 200
    assert seen == ["waits", "http.disconnect"]


# --- several at once ----------------------------------------------------------------------------


class Race:
    """Looks before it leaps: the race that a nonce store without a lock loses."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self.effects = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await read(receive)
        if body not in self.seen:
            await asyncio.sleep(0)
            self.seen.add(body)
            self.effects += 1
        await answer(send)


def test_requests_together_meet_in_the_race() -> None:
    race = Race()
    with reached(race) as target:
        exchanges = target.send_all([post(b"same")] * 20, together=True)
    assert [exchange.status for exchange in exchanges] == [200] * 20
    assert race.effects == 20
    assert Capability.TOGETHER in target.capabilities


def test_no_body_is_given_before_every_request_has_begun() -> None:
    log: list[str] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            log.append("begun")
            await read(receive)
            log.append("read")
            await answer(send)

    with reached(app) as target:
        target.send_all([post()] * 5, together=True)
    assert log == ["begun"] * 5 + ["read"] * 5


def test_application_that_takes_one_at_a_time_is_not_stuck() -> None:
    turn = asyncio.Lock()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            async with turn:
                await echo(scope, receive, send)

    with reached(app) as target:
        exchanges = target.send_all([post()] * 3, together=True)
    assert [exchange.status for exchange in exchanges] == [200] * 3


def test_request_that_ends_unread_does_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hookproof.targets.asgi_call.GATE_SECONDS", 30.0)

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if (b"x-deaf", b"1") not in scope["headers"]:
                await read(receive)
            await answer(send)

    with reached(app) as target:  # which gives up sooner than the gate
        exchanges = target.send_all([post(), post(b"", ("X-Deaf", "1"))], together=True)
    assert [exchange.status for exchange in exchanges] == [200, 200]


def test_nothing_together_is_nothing() -> None:
    with reached(echo) as target:
        assert target.send_all([], together=True) == []
        assert len(target.converse([post(), post()])) == 2


# --- lifespan and loop --------------------------------------------------------------------------


class Lived:
    """An application with a lifespan; `fail` names the step that it says has failed."""

    def __init__(self, fail: str = "") -> None:
        self.fail = fail
        self.log: list[str] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.log.append(f"request with {scope['state']['db']}")
            await echo(scope, receive, send)
            return
        for step in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{step}"
            self.log.append(step)
            scope["state"]["db"] = "a pool"
            if step == self.fail:
                await send({"type": f"lifespan.{step}.failed", "message": "Traceback\nno database"})
                return
            await send({"type": f"lifespan.{step}.complete"})


def test_lifespan_is_run_around_the_requests() -> None:
    app = Lived()
    with reached(app) as target:
        target.send(post())
        target.send(post())
    assert app.log == ["startup", "request with a pool", "request with a pool", "shutdown"]


def test_failed_startup_is_told_in_its_own_words() -> None:
    with pytest.raises(HookproofError, match="the application's startup failed: no database"):
        sent(Lived("startup"))


def test_failed_shutdown_is_told() -> None:
    with pytest.raises(HookproofError, match="the application's shutdown failed"):
        sent(Lived("shutdown"))


def test_application_that_could_not_start_is_not_started_again() -> None:
    app = Lived("startup")
    target = AsgiTarget(app)
    for _ in range(2):
        with pytest.raises(HookproofError, match="no database"):
            target.send(post())
    assert app.log == ["startup"]


def test_error_at_shutdown_is_told() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await echo(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        raise RuntimeError("the queue is not empty")

    with pytest.raises(HookproofError, match="shutdown failed: RuntimeError: the queue is not"):
        sent(app)


def test_target_that_sent_nothing_starts_nothing() -> None:
    app = Lived()
    AsgiTarget(app).close()
    assert app.log == []


def test_effects_of_a_task_come_without_another_request() -> None:
    done = threading.Event()
    kept: list[asyncio.Task[None]] = []

    async def later() -> None:
        await asyncio.sleep(0.05)
        done.set()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            kept.append(asyncio.create_task(later()))
            await echo(scope, receive, send)

    with reached(app) as target:
        assert target.send(post()).status == 200
        assert done.wait(30)
        assert target.send(post()).status == 200


def test_target_works_inside_a_running_loop() -> None:
    async def test() -> int | None:
        with reached(Lived()) as target:
            return target.send(post()).status

    assert asyncio.run(test()) == 200


def test_requests_of_several_threads_take_turns() -> None:
    statuses: list[int | None] = []
    with reached(Lived()) as target:
        threads = [
            threading.Thread(target=lambda: statuses.append(target.send(post()).status))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [200] * 8
