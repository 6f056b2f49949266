"""The HTTP target against receivers that behave, and against those that do not."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from hookproof.targets.base import Capability, Exchange, Failure, Framing
from hookproof.targets.http import HttpTarget
from hookproof.targets.http_connection import SOON, Connection
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Header, Request
from support.sockets import (
    OK,
    PATIENCE,
    Certificate,
    Peer,
    Script,
    ScriptedServer,
    answering,
    answering_for_ever,
    make_certificate,
    scripted,
    silent_port,
)

FRESH = Framing(fresh=True)
QUICK = 0.3
"""A deadline in seconds for receivers that are known to miss it."""
LONGER = (1.0, 5.0, 25.0)
"""Deadlines for a busy machine, on which others miss the first one, too."""

T = TypeVar("T")


@pytest.fixture(autouse=True)
def _kept_connections_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a busy machine takes between two requests."""
    monkeypatch.setattr("hookproof.targets.http_lines.IDLE_SECONDS", 60.0)


def post(target: HttpTarget, *headers: Header, body: bytes = b"{}") -> Request:
    return Request("POST", target.url, headers, body)


def exchanged(
    *scripts: Script, method: str = "POST", timeout: float = 5.0, limit: int = 65_536
) -> Exchange:
    """Send one request to a receiver that follows a script."""
    with scripted(*scripts) as server, HttpTarget(server.url, timeout=timeout, limit=limit) as to:
        return to.send(Request(method, to.url, (), b"{}"), FRESH)


class TestOneRequest:
    def test_exact_bytes_arrive(self) -> None:
        with scripted(answering(OK)) as server, HttpTarget(server.url, headers=[("Z", "z")]) as to:
            exchange = to.send(post(to, ("X-a", "1"), ("x-A", "\x00\xff\r\n b")))
            assert (exchange.status, exchange.body) == (200, b"ok")
            assert exchange.request.url == server.url
        assert bytes(server.peers[0].received) == (
            b"POST /webhook HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-a: 1\r\nx-A: \x00\xff\r\n b\r\n"
            b"Z: z\r\nContent-Length: 2\r\n\r\n{}" % server.port
        )

    def test_request_goes_to_the_target_whatever_it_names(self) -> None:
        with scripted(answering(OK)) as server, HttpTarget(server.url) as to:
            to.send(Request("POST", "http://elsewhere.test/x?y=1", (), b""))
        assert server.peers[0].received.startswith(
            b"POST /x?y=1 HTTP/1.1\r\nHost: elsewhere.test\r\n"
        )

    def test_answer_comes_with_all_its_headers(self) -> None:
        answer = b"HTTP/1.1 202 Fine\r\nA: 1\r\na: 2\r\nContent-Length: 0\r\n\r\n"
        exchange = exchanged(answering(answer))
        assert exchange.headers == (("A", "1"), ("a", "2"), ("Content-Length", "0"))
        assert exchange.header("A") == "1"
        assert 0 < exchange.seconds < 5

    def test_redirect_is_not_followed(self) -> None:
        answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
        assert exchanged(answering(answer)).status == 302

    def test_head_request_ends_without_a_body(self) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        assert exchanged(answering(answer), method="HEAD").status == 200

    def test_interim_answers_are_skipped(self) -> None:
        assert exchanged(answering(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)).status == 200

    def test_proxies_of_the_environment_are_not_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        assert exchanged(answering(OK)).status == 200

    def test_ipv6_address_is_reached(self) -> None:
        if not has_ipv6():
            pytest.skip("no IPv6 on this machine")
        with scripted(answering(OK), host="::1") as server, HttpTarget(server.url) as to:
            assert to.send(post(to)).status == 200
        assert b"\r\nHost: [::1]:%d\r\n" % server.port in server.peers[0].received

    def test_name_with_several_addresses_is_reached(self) -> None:
        with (
            scripted(answering_for_ever) as server,
            HttpTarget(f"http://localhost:{server.port}/") as to,
        ):
            assert [to.send(post(to), FRESH).status for _ in range(2)] == [200, 200]

    def test_name_under_localhost_is_this_machine(self) -> None:
        with (
            scripted(answering(OK)) as server,
            HttpTarget(f"http://shop.localhost:{server.port}/") as to,
        ):
            assert to.send(post(to)).status == 200
        assert b"\r\nHost: shop.localhost:%d\r\n" % server.port in server.peers[0].received

    def test_body_arrives_in_pieces_with_pauses(self) -> None:
        def arrivals(pause: float) -> list[float]:
            moments: list[float] = []

            def script(peer: Peer) -> None:
                while b"abcdef" not in peer.received:
                    peer.read()
                    moments.append(peer.last_byte)
                peer.send(OK)

            with scripted(script) as server, HttpTarget(server.url) as to:
                framing = Framing(pauses=(0, 3), pause=pause)
                assert to.send(post(to, body=b"abcdef"), framing).status == 200
            return moments

        def are_apart(pause: float) -> bool:
            moments = arrivals(pause)
            return len(moments) == 3 and moments[2] - moments[0] > 1.8 * pause

        assert any(are_apart(pause) for pause in (0.05, 0.4, 2.0))  # a busy machine reads late

    def test_chunked_body_arrives_in_chunks(self) -> None:
        def script(peer: Peer) -> None:
            while not peer.received.endswith(b"0\r\n\r\n"):
                peer.read()
            peer.send(OK)

        with scripted(script) as server, HttpTarget(server.url) as to:
            assert to.send(post(to, body=b"abc"), Framing(chunked=True)).status == 200
        assert server.peers[0].received.endswith(b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n")

    def test_megabytes_are_sent_and_received(self) -> None:
        body = os.urandom(3_000_000)

        def script(peer: Peer) -> None:
            sent = peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + sent[-len(body) :])

        with scripted(script) as server, HttpTarget(server.url, limit=len(body)) as to:
            exchange = to.send(post(to, body=body))
        assert exchange.body == body


DRIPPING = 60.0
"""For so many seconds an answer drips, each byte in time."""


class TestMisbehaviour:
    def test_dripped_answer_ends_at_the_deadline(self) -> None:
        def script(peer: Peer) -> None:
            peer.read_request()
            peer.drip(b"HTTP/1.1 200 OK\r\nA: " + b"x" * int(DRIPPING / 0.05), 0.05)

        begun = time.monotonic()
        exchange = unhurried(
            lambda seconds: exchanged(script, timeout=seconds),
            lambda exchange: "bytes of a header" in exchange.detail,
        )
        assert exchange.failure is Failure.TIMEOUT
        assert QUICK <= time.monotonic() - begun < DRIPPING
        assert "bytes of a header" in exchange.detail

    def test_endless_interim_answers_end_at_the_deadline(self) -> None:
        def script(peer: Peer) -> None:
            peer.read_request()
            peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 0.005)

        assert exchanged(script, timeout=QUICK).failure is Failure.TIMEOUT

    def test_silent_receiver_ends_at_the_deadline(self) -> None:
        exchange = unhurried(
            lambda seconds: exchanged(Peer.hold, timeout=seconds),
            lambda exchange: "no whole answer" in exchange.detail,
        )
        assert exchange.failure is Failure.TIMEOUT
        assert re.fullmatch(
            r"no whole answer within [\d.]+ s: no answer had arrived", exchange.detail
        )

    def test_receiver_that_stops_reading_ends_at_the_deadline(self) -> None:
        def script(peer: Peer) -> None:
            peer.stopping.wait(5)

        with scripted(script) as server, HttpTarget(server.url, timeout=QUICK) as to:
            exchange = to.send(post(to, body=b"x" * 20_000_000))
        assert exchange.failure is Failure.TIMEOUT
        assert "bytes had been sent" in exchange.detail

    def test_length_that_is_too_long_is_a_timeout(self) -> None:
        def script(peer: Peer) -> None:
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
            peer.hold()

        exchange = unhurried(
            lambda seconds: exchanged(script, timeout=seconds),
            lambda exchange: "no answer" not in exchange.detail,
        )
        assert exchange.failure is Failure.TIMEOUT
        assert exchange.detail.endswith("status 200 and 3 of 9 bytes of its body had arrived")

    @pytest.mark.parametrize(
        ("answer", "failure"),
        [
            (b"", Failure.CLOSED),
            (b"HTTP/1.1 2", Failure.CLOSED),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", Failure.CLOSED),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", Failure.GARBAGE),
            (b"220 mail.test ESMTP\r\n", Failure.GARBAGE),
            (os.urandom(70_000), Failure.GARBAGE),
            (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200_000, Failure.GARBAGE),
        ],
        ids=["nothing", "half", "short", "chunks", "mail", "noise", "megabytes"],
    )
    def test_broken_answer_is_a_failure(self, answer: bytes, failure: Failure) -> None:
        def script(peer: Peer) -> None:
            peer.read_request()
            try:
                peer.send(answer)
            except OSError:
                assert failure is Failure.GARBAGE  # the client hung up in the middle

        exchange = exchanged(script)
        assert (exchange.status, exchange.failure) == (None, failure)
        assert exchange.detail

    def test_reset_without_an_answer_is_closed(self) -> None:
        def script(peer: Peer) -> None:
            peer.read_request()
            peer.reset()

        exchange = exchanged(script)
        assert exchange.failure is Failure.CLOSED
        assert "reset by peer" in exchange.detail

    def test_endless_body_is_cut_at_the_limit(self) -> None:
        def script(peer: Peer) -> None:
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
            with suppress(OSError):
                while True:
                    peer.send(b"x" * 10_000)

        exchange = exchanged(script, limit=1_000)
        assert (exchange.status, exchange.body, exchange.cut) == (200, b"x" * 1_000, True)

    def test_first_of_two_answers_counts(self) -> None:
        second = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
        with scripted(answering(OK + second), answering(OK)) as server:
            with HttpTarget(server.url) as to:
                assert [to.send(post(to)).status for _ in range(2)] == [200, 200]
            assert len(server.peers) == 2

    def test_early_refusal_survives_a_reset(self) -> None:
        def script(peer: Peer) -> None:
            peer.read_head()
            peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            peer.reset()

        with scripted(script) as server, HttpTarget(server.url) as to:
            exchange = to.send(post(to, body=b"x" * 20_000_000))
        assert exchange.status == 413

    def test_early_answer_ends_the_sending(self) -> None:
        def script(peer: Peer) -> None:
            peer.read_head()
            peer.send(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
            peer.stopping.wait(5)

        with scripted(script) as server, HttpTarget(server.url) as to:
            assert to.send(post(to, body=b"x" * 20_000_000)).status == 401

    def test_refused_connection_is_unreachable(self) -> None:
        with silent_port() as port, HttpTarget(f"http://127.0.0.1:{port}/") as to:
            exchange = to.send(post(to))
        assert exchange.failure is Failure.UNREACHABLE
        assert exchange.detail == "Connection refused"
        assert exchange.seconds == 0.0

    def test_unknown_name_is_unreachable(self) -> None:
        with HttpTarget("http://nobody.invalid/") as to:
            assert to.send(post(to)).failure is Failure.UNREACHABLE
            assert to.send_all([post(to)] * 3)[2].failure is Failure.UNREACHABLE
            assert to.send_all([post(to)] * 3, together=True)[2].failure is Failure.UNREACHABLE
            assert to.converse([post(to)])[0].failure is Failure.UNREACHABLE


class TestKeptConnections:
    def test_connection_is_used_again(self) -> None:
        with scripted(answering_for_ever) as server, HttpTarget(server.url) as to:
            assert [to.send(post(to)).status for _ in range(3)] == [200] * 3
            assert len(server.peers) == 1

    def test_fresh_request_has_its_own_connection(self) -> None:
        with scripted(answering_for_ever) as server, HttpTarget(server.url) as to:
            for framing in (Framing(), FRESH, Framing()):
                assert to.send(post(to), framing).status == 200
            assert len(server.peers) == 3

    def test_kept_connection_is_let_go_for_a_fresh_one(self) -> None:
        """A receiver with one thread serves nobody else while a connection is kept."""
        with scripted(answering_for_ever) as server, HttpTarget(server.url) as to:
            to.send(post(to))
            to.send(post(to), FRESH)
            assert ended(server.peers[0])

    def test_closed_connection_is_replaced(self) -> None:
        with scripted(answering(OK), answering(OK)) as server, HttpTarget(server.url) as to:
            assert to.send(post(to)).status == 200
            assert ended(server.peers[0])
            assert to.send(post(to)).status == 200
            assert len(server.peers) == 2

    def test_idle_connection_is_replaced(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hookproof.targets.http_lines.IDLE_SECONDS", 0.0)
        with scripted(answering_for_ever) as server, HttpTarget(server.url) as to:
            assert [to.send(post(to)).status for _ in range(2)] == [200, 200]
            assert len(server.peers) == 2

    def test_accepted_request_is_never_sent_again(self) -> None:
        def script(peer: Peer) -> None:
            peer.read_request()
            peer.send(OK)
            peer.read_request()

        with scripted(script, answering(OK)) as server, HttpTarget(server.url) as to:
            assert to.send(post(to)).status == 200
            assert to.send(post(to)).failure is Failure.CLOSED
            assert len(server.peers) == 1

    def test_request_of_which_nothing_left_goes_elsewhere(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A connection may break between the look at it and the first byte."""
        monkeypatch.setattr(Connection, "is_quiet", lambda _: True)
        with scripted(broken_after_one, broken_after_one, answering(OK)) as server:
            with HttpTarget(server.url) as to:
                assert to.send(post(to)).status == 200
                assert ended(server.peers[0])
                assert to.send(post(to)).status == 200
                assert ended(server.peers[1])
                assert to.send_all([post(to)])[0].status == 200
            assert [peer.received.count(b"POST") for peer in server.peers] == [1, 1, 1]

    def test_answer_in_two_writes_is_not_delayed(self) -> None:
        def script(peer: Peer) -> None:
            peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
            for _ in range(10):
                peer.read_request()
                peer.send(OK[:-2])
                peer.send(OK[-2:])

        def usual() -> float:
            with scripted(script) as server, HttpTarget(server.url) as to:
                return sorted(to.send(post(to)).seconds for _ in range(10))[5]

        assert any(usual() < 0.03 for _ in range(20))  # a delay would be 40 ms each time

    def test_request_with_odd_length_spoils_its_connection(self) -> None:
        with scripted(answering(OK), answering(OK)) as server, HttpTarget(server.url) as to:
            assert to.send(post(to, ("Content-Length", "2"))).status == 200
            assert to.send(post(to)).status == 200
            assert len(server.peers) == 2


class TestQuickExchanges:
    """On a kept connection: the first answer is `OK`, and a script goes on from there."""

    @pytest.mark.parametrize("place", [1, 15, 17, 34, 36, 37, 38, 39])
    def test_answer_in_two_pieces_comes_whole(self, place: int) -> None:
        def script(peer: Peer) -> None:
            peer.send(OK[:place])
            peer.stopping.wait(0.02)
            peer.send(OK[place:])

        assert [e.body for e in on_kept(script)] == [b"ok", b"ok"]

    def test_dripped_answer_comes_whole(self) -> None:
        assert [e.body for e in on_kept(lambda peer: peer.drip(OK, 0.001))] == [b"ok", b"ok"]

    def test_slow_answer_is_waited_for(self) -> None:
        def script(peer: Peer) -> None:
            peer.stopping.wait(2 * SOON)
            peer.send(OK)

        [_, exchange] = on_kept(script)
        assert exchange.status == 200
        assert exchange.seconds > 2 * SOON

    @pytest.mark.parametrize("soon", [SOON, 1.0], ids=["longer", "shorter"])
    @pytest.mark.parametrize("begun", [b"", OK[:-1]])
    def test_missing_rest_of_an_answer_is_a_timeout(
        self, begun: bytes, soon: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The deadline may be longer or shorter than a read would wait."""
        monkeypatch.setattr("hookproof.targets.http_sender.SOON", soon)

        def script(peer: Peer) -> None:
            peer.send(begun)
            peer.hold()

        [first, exchange] = unhurried(
            lambda seconds: on_kept(script, timeout=seconds), lambda found: found[0].status == 200
        )
        assert first.status == 200
        assert exchange.failure is Failure.TIMEOUT
        assert exchange.seconds > 0.9 * QUICK
        assert exchange.detail.startswith("no whole answer within ")

    @pytest.mark.parametrize("pause", [0.0, 0.02])
    def test_interim_answer_is_not_taken_for_it(self, pause: float) -> None:
        def script(peer: Peer) -> None:
            peer.send(b"HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\n")
            peer.stopping.wait(pause)
            peer.send(OK)

        assert [e.status for e in on_kept(script)] == [200, 200]

    def test_length_of_a_head_answer_is_not_waited_for(self) -> None:
        def script(peer: Peer) -> None:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            peer.read_request()
            peer.send(OK)

        exchanges = on_kept(script, methods=("POST", "HEAD", "POST"))
        assert [(e.status, e.body) for e in exchanges] == [(200, b"ok"), (200, b""), (200, b"ok")]

    @pytest.mark.parametrize(
        "answer",
        [
            OK + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
            OK + b"\x00",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ],
        ids=["two", "more", "close"],
    )
    def test_connection_that_is_spoilt_is_not_used_again(self, answer: bytes) -> None:
        def script(peer: Peer) -> None:
            peer.send(answer)
            peer.hold()

        with (
            scripted(after_one(script), answering_for_ever) as server,
            HttpTarget(server.url) as to,
        ):
            assert [to.send(post(to)).status for _ in range(3)] == [200, 200, 200]
            assert [peer.received.count(b"POST") for peer in server.peers] == [2, 1]

    def test_reset_after_the_request_is_told_and_not_repeated(self) -> None:
        with scripted(after_one(Peer.reset), answering_for_ever) as server:
            with HttpTarget(server.url) as to:
                assert to.send(post(to)).status == 200
                exchange = to.send(post(to))
            assert len(server.peers) == 1
        assert exchange.failure is Failure.CLOSED
        assert "reset by peer" in exchange.detail

    def test_megabytes_go_over_a_kept_connection(self) -> None:
        body = os.urandom(3_000_000)

        def script(peer: Peer) -> None:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + body)

        with scripted(after_one(script)) as server:
            with HttpTarget(server.url, limit=len(body)) as to:
                exchanges = [to.send(post(to)), to.send(post(to, body=body))]
            assert server.peers[0].received.endswith(body)
        assert [len(exchange.body) for exchange in exchanges] == [2, len(body)]

    def test_body_of_a_kept_connection_is_cut_at_the_limit(self) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"x" * 101
        [_, exchange] = on_kept(lambda peer: peer.send(answer), limit=100)
        assert (exchange.body, exchange.cut) == (b"x" * 100, True)

    def test_waiting_connection_holds_up_no_burst(self) -> None:
        """A connection that has waited within a read is used by a loop that waits elsewhere."""

        def script(peer: Peer) -> None:
            answering(OK, OK)(peer)
            peer.hold()

        def attempt(seconds: float) -> list[Exchange]:
            with (
                scripted(script, answering_for_ever) as server,
                HttpTarget(server.url, timeout=seconds) as to,
            ):
                return [*(to.send(post(to)) for _ in range(2)), *to.send_all([post(to)] * 8)]

        one, two, held, *others = unhurried(attempt, one_is_late)
        assert held.failure is Failure.TIMEOUT
        assert {exchange.status for exchange in (one, two, *others)} == {200}

    def test_interrupted_wait_closes_the_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(_: Connection) -> bytes:
            monkeypatch.undo()
            raise KeyboardInterrupt

        with (
            scripted(after_one(Peer.hold), answering_for_ever) as server,
            HttpTarget(server.url) as to,
        ):
            to.send(post(to))
            monkeypatch.setattr(Connection, "read_soon", interrupted)
            with pytest.raises(KeyboardInterrupt):
                to.send(post(to))
            assert ended(server.peers[0])
            assert to.send(post(to)).status == 200


class TestConversation:
    def test_requests_share_one_connection(self) -> None:
        with scripted(answering_for_ever) as server, HttpTarget(server.url) as to:
            assert [e.status for e in to.converse(post(to) for _ in range(3))] == [200] * 3
            assert len(server.peers) == 1

    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
        ],
    )
    def test_conversation_ends_when_closed(self, answer: bytes) -> None:
        with scripted(answering(answer)) as server, HttpTarget(server.url) as to:
            assert [e.status for e in to.converse([post(to)] * 3)] == [200]
            assert len(server.peers) == 1

    def test_conversation_ends_where_nothing_could_leave(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Connection, "is_quiet", lambda _: True)
        with scripted(broken_after_one) as server, HttpTarget(server.url) as to:

            def requests() -> Iterator[Request]:
                yield post(to)
                assert ended(server.peers[0])
                yield post(to)

            assert [e.status for e in to.converse(requests())] == [200]

    def test_conversation_shows_an_answer_that_broke_off(self) -> None:
        def script(peer: Peer) -> None:
            peer.read_request()
            peer.send(OK)
            peer.read_request()

        with scripted(script) as server, HttpTarget(server.url) as to:
            first, second = to.converse([post(to)] * 3)
        assert (first.status, second.failure) == (200, Failure.CLOSED)


class TestBursts:
    def test_answers_come_in_the_order_of_requests(self) -> None:
        def script(peer: Peer) -> None:
            with suppress(EOFError):
                while True:
                    body = peer.read_request().rpartition(b"\r\n\r\n")[2]
                    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        with scripted(script) as server, HttpTarget(server.url) as to:
            bodies = [str(number).encode() for number in range(40)]
            exchanges = to.send_all([post(to, body=body) for body in bodies])
        assert [exchange.body for exchange in exchanges] == bodies

    def test_burst_keeps_to_32_connections(self) -> None:
        with scripted(answering_for_ever) as server, HttpTarget(server.url) as to:
            assert {e.status for e in to.send_all([post(to)] * 200)} == {200}
            assert len(server.peers) == 32

    def test_nothing_to_send_is_no_exchange(self) -> None:
        with silent_port() as port, HttpTarget(f"http://127.0.0.1:{port}/") as to:
            assert to.send_all([]) == to.send_all([], together=True) == to.converse([]) == []

    @pytest.mark.parametrize("together", [False, True])
    def test_each_request_of_a_burst_has_its_own_fate(self, together: bool) -> None:
        def script(peer: Peer) -> None:
            body = peer.read_request().rpartition(b"\r\n\r\n")[2]
            if body == b"hold":
                peer.hold()
            elif body == b"reset":
                peer.reset()
            elif body != b"close":
                peer.send(OK)

        def attempt(seconds: float) -> list[Exchange]:
            with scripted(script) as server, HttpTarget(server.url, timeout=seconds) as to:
                bodies = (b"fine", b"hold", b"reset", b"close")
                requests = [post(to, ("Connection", "close"), body=body) for body in bodies]
                return to.send_all(requests, together=together)

        exchanges = unhurried(attempt, one_is_late)
        assert [(e.status, e.failure) for e in exchanges] == [
            (200, None),
            (None, Failure.TIMEOUT),
            (None, Failure.CLOSED),
            (None, Failure.CLOSED),
        ]

    @pytest.mark.parametrize("together", [False, True])
    def test_burst_on_a_closed_port_is_unreachable(self, together: bool) -> None:
        with silent_port() as port, HttpTarget(f"http://127.0.0.1:{port}/") as to:
            exchanges = to.send_all([post(to)] * 40, together=together)
        assert {e.failure for e in exchanges} == {Failure.UNREACHABLE}
        assert len(exchanges) == 40

    @pytest.mark.parametrize("body", [b"", b"{}"])
    def test_no_request_is_whole_before_all_are_there(self, body: bytes) -> None:
        with arrival_clock() as url, HttpTarget(url) as to:
            assert any(max(b.first) < min(b.last) for b in some_bursts(to, body))

    def test_last_bytes_arrive_at_the_same_moment(self) -> None:
        with arrival_clock() as url, HttpTarget(url) as to:
            assert min(max(b.last) - min(b.last) for b in some_bursts(to, b"{}")) < 0.002

    def test_receiver_of_few_connections_does_not_stop_a_burst(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One thread and a short queue: some of a burst cannot even connect before others end."""
        monkeypatch.setattr("hookproof.targets.http_burst.GATHERING_SECONDS", 0.2)
        with one_at_a_time() as url, HttpTarget(url) as to:
            exchanges = to.send_all([post(to)] * 8, together=True)
        assert {e.status for e in exchanges} == {200}


class TestTls:
    def test_trusted_certificate_is_accepted(self, certificate: Certificate) -> None:
        with scripted(answering_for_ever, tls=certificate.server) as server:
            with HttpTarget(server.url, ca_file=certificate.file) as to:
                assert [to.send(post(to)).status for _ in range(3)] == [200] * 3
                assert to.send(post(to, body=b"x" * 3_000_000)).status == 200
            assert len(server.peers) == 1

    def test_unknown_certificate_is_unreachable(self, certificate: Certificate) -> None:
        with tls_refused(certificate) as server, HttpTarget(server.url) as to:
            exchange = to.send(post(to))
        assert exchange.failure is Failure.UNREACHABLE
        assert exchange.detail == "the certificate is not trusted: self-signed certificate"

    def test_certificate_of_another_host_is_unreachable(self, tmp_path: Path) -> None:
        other = make_certificate(tmp_path, "elsewhere.test")
        with tls_refused(other) as server, HttpTarget(server.url, ca_file=other.file) as to:
            exchange = to.send(post(to))
        assert exchange.failure is Failure.UNREACHABLE
        assert "not trusted: IP address mismatch" in exchange.detail

    def test_insecure_checks_no_certificate(self, certificate: Certificate) -> None:
        with (
            scripted(answering(OK), tls=certificate.server) as server,
            HttpTarget(server.url, insecure=True) as to,
        ):
            assert to.send(post(to)).status == 200

    @pytest.mark.parametrize("together", [False, True])
    def test_bursts_go_through_tls(self, certificate: Certificate, together: bool) -> None:
        with scripted(answering_for_ever, tls=certificate.server) as server:
            with HttpTarget(server.url, ca_file=certificate.file) as to:
                exchanges = to.send_all([post(to)] * 40, together=together)
            assert len(server.peers) == (40 if together else 32)
        assert {e.status for e in exchanges} == {200}

    def test_long_answer_comes_whole_through_tls(self, certificate: Certificate) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n" + b"x" * 500_000
        with (
            scripted(answering(answer), tls=certificate.server) as server,
            HttpTarget(server.url, ca_file=certificate.file, limit=10**6) as to,
        ):
            assert len(to.send(post(to)).body) == 500_000

    def test_plain_receiver_at_https_is_told(self) -> None:
        def script(peer: Peer) -> None:
            peer.read()
            peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        with (
            scripted(script) as server,
            HttpTarget(server.url.replace("http:", "https:"), insecure=True) as to,
        ):
            exchange = to.send(post(to))
        assert exchange.failure is Failure.UNREACHABLE
        assert "http://" in exchange.detail

    def test_silent_handshake_ends_at_the_deadline(self) -> None:
        def attempt(seconds: float) -> Exchange:
            with scripted(Peer.hold) as server:
                url = server.url.replace("http:", "https:")
                with HttpTarget(url, insecure=True, timeout=seconds) as to:
                    return to.send(post(to))

        exchange = unhurried(attempt, lambda found: "no connection" in found.detail)
        assert exchange.failure is Failure.UNREACHABLE
        assert re.fullmatch(r"no connection within [\d.]+ s", exchange.detail)


class TestConstruction:
    def test_everything_is_possible_over_http(self) -> None:
        with HttpTarget("http://127.0.0.1:1/") as to:
            assert to.capabilities == set(Capability)

    @pytest.mark.parametrize("timeout", [0.0, -1.0, float("inf"), float("nan")])
    def test_unfit_timeout_is_refused(self, timeout: float) -> None:
        with pytest.raises(HookproofError, match="timeout"):
            HttpTarget("http://h/", timeout=timeout)

    @pytest.mark.parametrize("content", [None, b"no certificate"])
    def test_unfit_certificate_file_is_refused(self, tmp_path: Path, content: bytes | None) -> None:
        file = tmp_path / "ca.pem"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(HookproofError, match=r"ca\.pem: cannot read certificates"):
            HttpTarget("https://h/", ca_file=file)

    def test_unfit_address_is_refused(self) -> None:
        with pytest.raises(HookproofError, match="did you mean http://localhost"):
            HttpTarget("localhost:8000")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1", "localhost")


def broken_after_one(peer: Peer) -> None:
    answering(OK)(peer)
    peer.reset()


def after_one(script: Script) -> Script:
    """Return a script that answers one request, reads another and goes on as told."""

    def extended(peer: Peer) -> None:
        answering(OK)(peer)
        peer.read_request()
        script(peer)

    return extended


def on_kept(
    script: Script,
    *,
    methods: Iterable[str] = ("POST", "POST"),
    timeout: float = 5.0,
    limit: int = 65_536,
) -> list[Exchange]:
    """Send requests over one connection, on which a script follows the first answer."""
    with scripted(after_one(script)) as server:
        with HttpTarget(server.url, timeout=timeout, limit=limit) as to:
            exchanges = [to.send(Request(method, to.url, (), b"{}")) for method in methods]
        assert len(server.peers) == 1 or exchanges[0].failure is Failure.TIMEOUT
    return exchanges


def unhurried(attempt: Callable[[float], T], enough: Callable[[T], bool]) -> T:
    """Attempt something within `QUICK` seconds, and within more unless that was enough."""
    for seconds in (QUICK, *LONGER):
        with suppress(OSError, EOFError):  # of a script that was left while it was late
            found = attempt(seconds)
            if enough(found):
                return found
    return attempt(LONGER[-1])


def one_is_late(exchanges: list[Exchange]) -> bool:
    return [exchange.failure for exchange in exchanges].count(Failure.TIMEOUT) == 1


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def ended(peer: Peer) -> bool:
    """Wait for the script to end."""
    return peer.over.wait(PATIENCE)


@contextmanager
def tls_refused(certificate: Certificate) -> Iterator[ScriptedServer]:
    """Serve through TLS, and expect the handshake to fail."""
    with (
        pytest.raises(OSError, match="SSL"),
        scripted(answering(OK), tls=certificate.server) as server,
    ):
        yield server


@contextmanager
def arrival_clock() -> Iterator[str]:
    """Run the receiver that tells when requests arrive."""
    program = [sys.executable, str(Path(__file__).parent / "support" / "arrivals.py")]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.kill()


@dataclass(frozen=True)
class Arrivals:
    """When the first and the last bytes of each request of a burst arrived, in seconds."""

    first: list[float]
    last: list[float]


def some_bursts(target: HttpTarget, body: bytes) -> Iterator[Arrivals]:
    """Send a few bursts of 20: the best counts, as others use this machine as well."""
    for _ in range(10):
        exchanges = target.send_all([post(target, body=body)] * 20, together=True)
        assert {exchange.status for exchange in exchanges} == {200}
        yield Arrivals(moments(exchanges, "X-First"), moments(exchanges, "X-Last"))


def moments(exchanges: list[Exchange], name: str) -> list[float]:
    return [int(exchange.header(name) or 0) / 1e9 for exchange in exchanges]


@contextmanager
def one_at_a_time() -> Iterator[str]:
    """Serve one connection after the other, with hardly a queue."""
    stopping = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listening:
        listening.settimeout(0.02)

        def serve() -> None:
            while not stopping.is_set():
                with suppress(TimeoutError):
                    accepted, _ = listening.accept()
                    with accepted:
                        accepted.settimeout(PATIENCE)
                        answering(OK)(Peer(accepted, stopping))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            stopping.set()
            thread.join()
