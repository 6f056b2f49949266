"""The WSGI target: bytes arrive whole, crashes are answers, and races are run by real threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.targets.base import Capability, Exchange, Failure, Framing
from hookproof.targets.in_process import InProcessTarget
from hookproof.targets.wsgi import LIMIT, WsgiTarget
from hookproof_spec.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def post(body: bytes = b"{}", *headers: tuple[str, str], url: str = "") -> Request:
    return Request("POST", url or "http://in-process/webhook", headers, body)


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("201 Created", [("X-A", "é")])
    return [environ["wsgi.input"].read()]


def sent(app: WSGIApplication, request: Request | None = None) -> Exchange:
    return WsgiTarget(app).send(request or post())


def environ_of(request: Request, framing: Framing | None = None) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.update(environ)
        return echo(environ, start_response)

    WsgiTarget(app).send(request, framing or Framing())
    return seen


# --- one request and its answer -----------------------------------------------------------------


def test_answer_comes_back_byte_for_byte() -> None:
    exchange = sent(echo, post(b"\x00\xff"))
    assert (exchange.status, exchange.body) == (201, b"\x00\xff")
    assert exchange.headers == (("X-A", "é"),)
    assert 0 < exchange.seconds < 5


@given(body=st.binary(), value=st.text(st.characters(max_codepoint=255)))
def test_any_body_and_header_value_arrive_as_they_are(body: bytes, value: str) -> None:
    assert sent(echo, post(body)).body == body
    assert environ_of(post(body, ("X-Sig", value)))["HTTP_X_SIG"] == value


def test_environ_is_that_of_a_server() -> None:
    headers = (("Content-Type", "a/b"), ("X-A", "1"), ("x-a", "2"))
    environ = environ_of(post(b"ab", *headers, url="http://h.test/a%2Fb%C3%A9?q=%20"))
    assert environ["PATH_INFO"] == "/a/b\u00c3\u00a9"
    assert environ["QUERY_STRING"] == "q=%20"
    assert environ["HTTP_HOST"] == "h.test"
    assert environ["CONTENT_TYPE"] == "a/b"
    assert environ["CONTENT_LENGTH"] == "2"
    assert environ["HTTP_X_A"] == "1,2"


def test_chunked_body_has_no_length() -> None:
    environ = environ_of(post(b"ab"), Framing(chunked=True))
    assert environ["HTTP_TRANSFER_ENCODING"] == "chunked"
    assert "CONTENT_LENGTH" not in environ


def test_long_answer_is_cut() -> None:
    exchange = sent(echo, post(b"a" * (LIMIT + 1)))
    assert len(exchange.body) == LIMIT
    assert exchange.cut


def test_written_and_returned_parts_are_joined_and_closed() -> None:
    closed: list[bool] = []

    class Parts:
        def __iter__(self) -> Iterator[bytes]:
            yield b"c"

        def close(self) -> None:
            closed.append(True)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        write: Callable[[bytes], object] = start_response("200 OK", [])
        write(b"ab")
        return Parts()

    assert sent(app).body == b"abc"
    assert closed == [True]


def test_application_may_start_late_and_in_a_generator() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b"late"

    assert (sent(app).status, sent(app).body) == (200, b"late")


# --- what goes wrong ----------------------------------------------------------------------------


def test_crash_becomes_a_500() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise ZeroDivisionError

    exchange = sent(app)
    assert exchange.status == 500
    assert exchange.detail == "the application raised ZeroDivisionError"


def test_application_without_a_status_gave_no_answer() -> None:
    assert sent(lambda environ, start_response: []).failure is Failure.GARBAGE


def test_interrupt_is_not_taken_for_a_crash() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sent(app)


# --- several at once ----------------------------------------------------------------------------


def test_requests_together_are_inside_at_the_same_time() -> None:
    meeting = threading.Barrier(10, timeout=30)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        meeting.wait()
        return echo(environ, start_response)

    target = WsgiTarget(app)
    exchanges = target.send_all([post(b"%d" % n) for n in range(10)], together=True)
    assert [exchange.body for exchange in exchanges] == [b"%d" % n for n in range(10)]
    assert Capability.TOGETHER in target.capabilities
    assert target.send_all([], together=True) == []


# --- whichever interface ------------------------------------------------------------------------


async def asgi(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 (any of ASGI's)
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 201, "headers": scope["headers"]})
    await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize("app", [echo, asgi], ids=["wsgi", "asgi"])
def test_application_is_reached_by_its_interface(app: object) -> None:
    target = InProcessTarget(app, "/hook?x=1", headers=[("X-Tenant", "7")])
    assert target.url == "http://in-process/hook?x=1"
    exchanges = [
        target.send(post(b"a")),
        *target.send_all([post(b"b")], together=True),
        *target.converse([post(b"c")]),
    ]
    assert [(exchange.status, exchange.body) for exchange in exchanges] == [
        (201, b"a"),
        (201, b"b"),
        (201, b"c"),
    ]
    target.close()


@pytest.mark.parametrize("together", [False, True])
def test_request_that_is_sent_again_has_each_header_once(together: bool) -> None:
    target = InProcessTarget(asgi, headers=[("X-Tenant", "7")], host="shop.example")
    first = target.send(post(b"a"))
    assert first.request == post(b"a")
    (again,) = target.send_all([first.request], together=together)
    assert again.headers == (("host", "shop.example"), ("x-tenant", "7"), ("content-length", "1"))
    target.close()


def test_application_can_be_replaced_by_another() -> None:
    target = InProcessTarget(asgi)
    assert target.send(post(b"a")).header("host") == "in-process"
    target.replace(echo)
    assert target.send(post(b"a")).header("X-A") == "é"
    target.close()
