"""Requests as bytes and answers from bytes, without a socket."""

from __future__ import annotations

from itertools import pairwise

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hookproof.targets.base import PLAIN, Failure, Framing
from hookproof.targets.http_address import parse_address
from hookproof.targets.http_answer import HEAD_LIMIT, LINE_LIMIT, AnswerReader
from hookproof.targets.http_quick import read_whole
from hookproof.targets.http_wire import Encoder, Wire, check_extra, request_target
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Header, Request

URL = "http://127.0.0.1:8000/webhook"
TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def encoded(request: Request, framing: Framing = PLAIN, extra: tuple[Header, ...] = ()) -> Wire:
    return Encoder(parse_address(URL), extra).encode(request, framing)


def post(*headers: Header, body: bytes = b"{}", url: str = URL) -> Request:
    return Request("POST", url, headers, body)


def data(wire: Wire) -> bytes:
    return b"".join(wire.parts)


def read(answer: bytes, *, limit: int = 100, bodiless: bool = False) -> AnswerReader:
    """Read an answer that comes in one piece, after which the connection is closed."""
    reader = AnswerReader(limit=limit, bodiless=bodiless)
    reader.feed(answer)
    reader.end()
    return reader


def seen(reader: AnswerReader) -> tuple[object, ...]:
    return reader.status, reader.headers, reader.body, reader.cut, reader.failure, reader.done


class TestRequestBytes:
    def test_only_host_and_length_are_added(self) -> None:
        wire = encoded(post(("X-A", "1"), ("x-a", " 2 ")))
        assert data(wire) == (
            b"POST /webhook HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nX-A: 1\r\nx-a:  2 \r\n"
            b"Content-Length: 2\r\n\r\n{}"
        )

    @pytest.mark.parametrize("name", ["Host", "hOST", "Content-Length", "TRANSFER-ENCODING"])
    def test_named_header_is_not_added_again(self, name: str) -> None:
        sent = data(encoded(post((name, "odd")))).lower()
        assert sent.count(name.lower().encode()) == 1
        assert b"content-length: 2" not in sent or name.lower() == "host"

    def test_control_bytes_travel_as_given(self) -> None:
        wire = encoded(post(("X", "a\x00b\xff\r\nInjected: c")))
        assert b"\r\nX: a\x00b\xff\r\nInjected: c\r\n" in data(wire)

    def test_users_headers_follow_those_of_the_request(self) -> None:
        wire = encoded(post(("X", "1")), extra=(("Y", "2"),))
        assert b"\r\nX: 1\r\nY: 2\r\nContent-Length" in data(wire)

    def test_character_beyond_one_byte_is_refused(self) -> None:
        with pytest.raises(HookproofError, match=r"header 'X-Name': '☃' is not one byte"):
            encoded(post(("X-Name", "a☃")))

    @pytest.mark.parametrize(
        ("method", "body", "announced"),
        [("GET", b"", False), ("GET", b"x", True), ("POST", b"", True), ("DELETE", b"", False)],
    )
    def test_empty_body_is_announced_where_expected(
        self, method: str, body: bytes, announced: bool
    ) -> None:
        sent = data(encoded(Request(method, URL, (), body)))
        assert (b"Content-Length" in sent) == announced

    def test_body_goes_in_chunks_on_demand(self) -> None:
        sent = data(encoded(post(body=b"hello world"), Framing(chunked=True, pauses=(5,))))
        assert b"Content-Length" not in sent
        assert sent.endswith(
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        )

    def test_empty_chunked_body_ends_at_once(self) -> None:
        assert data(encoded(post(body=b""), Framing(chunked=True))).endswith(b"\r\n\r\n0\r\n\r\n")

    def test_pauses_part_the_body_where_asked(self) -> None:
        wire = encoded(post(body=b"abcdef"), Framing(pauses=(0, 2, 2, 99), pause=0.5))
        assert wire.parts[0].endswith(b"\r\n\r\n")
        assert wire.parts[1:] == (b"ab", b"cdef")
        assert wire.pause == 0.5

    def test_last_byte_is_held_back(self) -> None:
        wire = encoded(post(body=b"abc"))
        assert wire.held_back().parts == (data(wire)[:-1], b"c")

    def test_without_body_the_header_is_held_back(self) -> None:
        assert encoded(post(body=b"")).held_back().parts[1] == b"\n"

    @pytest.mark.parametrize(
        ("headers", "plain"),
        [
            ((("X", "a"),), True),
            ((("X", "a\r\nY: b"),), False),
            ((("X", "a\r"),), False),
            ((("Content-Length", "1"),), False),
            ((("Transfer-Encoding", "chunked"),), False),
            ((("Connection", "close"),), False),
        ],
    )
    def test_ambiguous_request_spoils_its_connection(
        self, headers: tuple[Header, ...], plain: bool
    ) -> None:
        assert encoded(post(*headers)).plain is plain

    @given(
        st.lists(
            st.tuples(
                st.text(TOKEN, min_size=1).filter(
                    lambda name: (
                        name.lower()
                        not in ("host", "content-length", "transfer-encoding", "connection")
                    )
                ),
                st.text(
                    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f")
                ).map(str.strip),
            )
        ),
        st.binary(max_size=300),
        st.booleans(),
        st.lists(st.integers(-1, 301), max_size=4),
    )
    def test_another_parser_sees_the_same_request(
        self, headers: list[Header], body: bytes, chunked: bool, pauses: list[int]
    ) -> None:
        wire = encoded(post(*headers, body=body), Framing(chunked=chunked, pauses=tuple(pauses)))
        seen_headers, seen_body = parsed_by_h11(data(wire))
        expected = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        assert seen_headers[1:-1] == expected
        assert seen_body == body


def parsed_by_h11(sent: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=1_000_000)
    server.receive_data(sent)
    request = server.next_event()
    assert isinstance(request, h11.Request)
    body = b""
    while isinstance(event := server.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert server.trailing_data == (b"", False)
    return list(request.headers), body


class TestRequestTarget:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("http://h/a?b=c", ("/a?b=c", "h")),
            ("http://h:1?b", ("/?b", "h:1")),
            ("https://user:secret@h", ("/", "h")),
            ("/a%20b", ("/a%20b", "")),
            ("http://h/a b\r\nX: y#part", ("/a%20b%0D%0AX:%20y", "h")),
            ("http://h/é/☃", ("/%C3%A9/%E2%98%83", "h")),
            ("*", ("/*", "")),
        ],
    )
    def test_target_is_what_follows_the_host(self, url: str, expected: tuple[str, str]) -> None:
        assert request_target(url) == expected

    @given(st.text())
    def test_target_never_breaks_the_request_line(self, url: str) -> None:
        for part in request_target(url):
            assert part.isascii()
            assert " " not in part
            assert part.isprintable()


class TestUsersHeaders:
    @pytest.mark.parametrize(
        "line",
        [
            ("", "a"),
            ("a b", "c"),
            ("a", "b\r\nc: d"),
            ("a", "é"),
            ("Content-Length", "3"),
            ("transfer-encoding", "chunked"),
        ],
    )
    def test_unfit_header_is_refused_at_once(self, line: Header) -> None:
        with pytest.raises(HookproofError, match="header"):
            check_extra([line])

    def test_usual_headers_are_taken(self) -> None:
        lines = (("Authorization", "Bearer a.b"), ("X-Empty", ""), ("X-Tab", "a\tb"))
        assert check_extra(lines) == lines


class TestAddress:
    @pytest.mark.parametrize(
        ("url", "host", "port", "header"),
        [
            ("http://127.0.0.1:8000/x", "127.0.0.1", 8000, "127.0.0.1:8000"),
            ("HTTP://Example.test", "example.test", 80, "example.test"),
            ("https://example.test:443/", "example.test", 443, "example.test"),
            ("http://[::1]:81/", "::1", 81, "[::1]:81"),
            ("http://bücher.test/", "xn--bcher-kva.test", 80, "xn--bcher-kva.test"),
            ("http://web_app:5000", "web_app", 5000, "web_app:5000"),
        ],
    )
    def test_whole_url_is_taken_apart(self, url: str, host: str, port: int, header: str) -> None:
        address = parse_address(url)
        assert (address.host, address.port, address.host_header) == (host, port, header)

    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("", "empty"),
            ("localhost:8000/webhook", "did you mean http://localhost:8000/webhook?"),
            ("127.0.0.1:8000", "did you mean http://127.0.0.1:8000?"),
            ("//h/x", "did you mean http://h/x?"),
            ("http:/h/x", "did you mean http://h/x?"),
            ("https:h", "did you mean https://h?"),
            ("htp://h/x", "'htp' is not spoken; did you mean http://h/x?"),
            ("/webhook", "no scheme; give it whole"),
            ("http://", "no host"),
            ("http:///x", "no host"),
            ("http://h:0/", "port"),
            ("http://h:99999/", "port"),
            ("http://h:x/", "port"),
            ("http://h x/", "' '"),
            ("http://h/\n", "'\\\\n'"),
            ("http://[::1/", "not a URL"),
            ("http://[::zz]/", "not a URL|no host name"),
            ("http://a..b/", "no host name"),
            (f"http://{'a' * 70}/", "no host name"),
            ("http://h%41/", "no host name"),
        ],
    )
    def test_unfit_url_is_refused_with_advice(self, url: str, told: str) -> None:
        with pytest.raises(HookproofError, match=told.replace("?", r"\?")):
            parse_address(url)

    @pytest.mark.parametrize("url", ["http://me:pa55@h/", "ftp://me:pa55@h/", "//me:pa55@h/ x"])
    def test_password_in_url_is_never_shown(self, url: str) -> None:
        with pytest.raises(HookproofError) as caught:
            parse_address(url)
        assert "pa55" not in str(caught.value)

    @given(st.text() | st.text().map("http://{}".format) | st.text().map("http://h:{}".format))
    @example("http://[v1.a]/")
    @example("http://h\udc80/")
    def test_any_text_is_an_address_or_refused(self, url: str) -> None:
        try:
            address = parse_address(url)
        except HookproofError:
            return
        assert address.host.isascii()
        assert 0 < address.port < 65_536


ANSWERS = {
    "sized": b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\n\r\nabc",
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "without-reason": b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
    "until-close": b"HTTP/1.0 500 Oh dear\r\n\r\nabc",
    "no-content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not-modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
    "switching": b"HTTP/1.1 101 Switching\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
    b"3;ext=1\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
    "chunked-and-sized": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"
    b"\r\n1\r\na\r\n0\r\n\r\n",
    "bare-newlines": b"HTTP/1.1 200 OK\nA: b\nContent-Length: 1\n\na",
    "folded": b"HTTP/1.1 200 OK\r\nA: b\r\n  c\r\nContent-Length: 0\r\n\r\n",
    "empty-lines-first": b"\r\n\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "odd-bytes": b"HTTP/1.1 200 \xff\x00\r\nA\xe9: \x00\xff\r\nContent-Length: 0\r\n\r\n",
    "repeated-length": b"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\nContent-Length: 1\r\n\r\na",
    "longer-than-limit": b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + b"x" * 300,
    "chunks-over-limit": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc8\r\n"
    + b"x" * 200,
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "signed-length": b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
    "vast-length": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\na",
    "too-short": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
    "broken-chunk-size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    "chunk-too-long": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "chunk-missing": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "chunk-line-too-long": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"0" * (LINE_LIMIT + 1),
    "no-colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "no-name": b"HTTP/1.1 200 OK\r\n: a\r\n\r\n",
    "half-a-head": b"HTTP/1.1 200 OK\r\nContent-",
    "status-of-two-digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "another-version": b"HTTP/2 200\r\n\r\n",
    "mail-server": b"220 mail.example.test ESMTP\r\n",
    "tls-alert": b"\x15\x03\x03\x00\x02\x02\x46",
    "nothing": b"",
}


class TestAnswers:
    @pytest.mark.parametrize(
        ("name", "status", "body"),
        [
            ("sized", 200, b"abc"),
            ("empty", 200, b""),
            ("without-reason", 404, b""),
            ("until-close", 500, b"abc"),
            ("no-content", 204, b""),
            ("not-modified", 304, b""),
            ("interim", 200, b"a"),
            ("switching", 101, b""),
            ("chunked", 200, b"abc0123456789"),
            ("chunked-and-sized", 200, b"a"),
            ("bare-newlines", 200, b"a"),
            ("folded", 200, b""),
            ("empty-lines-first", 200, b""),
            ("odd-bytes", 200, b""),
            ("repeated-length", 200, b"a"),
        ],
    )
    def test_answer_is_read_as_meant(self, name: str, status: int, body: bytes) -> None:
        reader = read(ANSWERS[name])
        assert (reader.status, reader.body, reader.failure, reader.cut) == (
            status,
            body,
            None,
            False,
        )

    @pytest.mark.parametrize(
        ("name", "failure", "told"),
        [
            ("two-lengths", Failure.GARBAGE, "'1,2'"),
            ("signed-length", Failure.GARBAGE, "'+1'"),
            ("vast-length", Failure.GARBAGE, "'999"),
            ("too-short", Failure.CLOSED, "status 200 and 3 of 5 bytes"),
            ("broken-chunk-size", Failure.GARBAGE, "b'zz'"),
            ("chunk-too-long", Failure.GARBAGE, "b'bc' follows"),
            ("chunk-missing", Failure.CLOSED, "status 200 and 3 bytes"),
            ("chunk-line-too-long", Failure.GARBAGE, "longer than"),
            ("no-colon", Failure.GARBAGE, "'nonsense'"),
            ("no-name", Failure.GARBAGE, "not a header"),
            ("half-a-head", Failure.CLOSED, "of a header"),
            ("status-of-two-digits", Failure.GARBAGE, "'HTTP/1.1 20 OK"),
            ("another-version", Failure.GARBAGE, "'HTTP/2 200"),
            ("mail-server", Failure.GARBAGE, "220 mail"),
            ("tls-alert", Failure.GARBAGE, "https://"),
            ("nothing", Failure.CLOSED, "no answer"),
        ],
    )
    def test_broken_answer_is_named(self, name: str, failure: Failure, told: str) -> None:
        reader = read(ANSWERS[name])
        assert reader.failure is failure
        assert told in reader.detail

    def test_garbage_is_told_before_the_end(self) -> None:
        reader = AnswerReader(limit=100)
        reader.feed(b"SS")
        assert reader.failure is Failure.GARBAGE

    def test_megabytes_of_header_are_not_read(self) -> None:
        reader = AnswerReader(limit=100)
        reader.feed(b"HTTP/1.1 200 OK\r\nA: " + b"x" * HEAD_LIMIT)
        assert (reader.done, reader.failure) == (True, Failure.GARBAGE)

    @pytest.mark.parametrize("name", ["longer-than-limit", "chunks-over-limit"])
    def test_long_body_is_cut_at_the_limit(self, name: str) -> None:
        reader = AnswerReader(limit=100)
        reader.feed(ANSWERS[name])
        assert (reader.status, len(reader.body), reader.cut, reader.done) == (200, 100, True, True)
        assert not reader.stays_open

    def test_body_of_exactly_the_limit_is_whole(self) -> None:
        reader = read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", limit=5)
        assert (reader.body, reader.cut) == (b"abcde", False)

    def test_head_request_has_no_body(self) -> None:
        reader = AnswerReader(limit=100, bodiless=True)
        reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        assert (reader.done, reader.failure, reader.stays_open) == (True, None, True)

    @pytest.mark.parametrize(
        ("answer", "stays"),
        [
            (ANSWERS["sized"], True),
            (ANSWERS["chunked"], True),
            (ANSWERS["sized"] + b"HTTP/1.1 200 OK", False),
            (ANSWERS["until-close"], False),
            (ANSWERS["switching"], False),
            (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", False),
            (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
            (b"HTTP/1.0 200 OK\r\nConnection: a, Keep-Alive\r\nContent-Length: 0\r\n\r\n", True),
        ],
    )
    def test_connection_stays_open_only_as_announced(self, answer: bytes, stays: bool) -> None:
        assert read(answer).stays_open is stays

    @pytest.mark.parametrize("name", ANSWERS)
    def test_every_cut_in_two_reads_alike(self, name: str) -> None:
        answer = ANSWERS[name]
        whole = seen(read(answer))
        for place in range(len(answer)):
            assert seen(in_pieces(answer, [place])) == whole

    @given(st.sampled_from(sorted(ANSWERS)), st.lists(st.integers(0, 400), max_size=8))
    def test_any_pieces_read_like_the_whole(self, name: str, places: list[int]) -> None:
        assert seen(in_pieces(ANSWERS[name], places)) == seen(read(ANSWERS[name]))

    @given(
        st.binary() | st.binary().map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest),
        st.lists(st.integers(0, 60), max_size=4),
    )
    def test_any_bytes_end_in_status_or_failure(self, answer: bytes, places: list[int]) -> None:
        reader = in_pieces(answer, places)
        assert reader.done
        assert (reader.failure is None) == (reader.status is not None and not reader.detail)


PARTS = [
    *(b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 204 No", b"HTTP/1.1 100 C", b"ok"),
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\r\n\r\n", b"A: b", b" c: d", b"\xff", b""),
    *(b"Content-Length: 2", b"Content-Length: 0", b"Content-Length: 101", b"Content-Length: 2, 2"),
    *(b"Transfer-Encoding: chunked", b"Connection: close", b"Connection: keep-alive"),
]
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 2"


class TestQuickReading:
    @pytest.mark.parametrize("name", ["sized", "empty", "no-content", "folded", "repeated-length"])
    def test_whole_answer_is_read_at_once(self, name: str) -> None:
        assert read_whole(ANSWERS[name], 100) is not None

    @given(
        st.lists(st.sampled_from(PARTS), max_size=10).map(b"".join)
        | st.lists(st.sampled_from(PARTS), max_size=10).map(lambda parts: SIZED + b"".join(parts))
    )
    @example(b"HTTP/1.1 200 OK\r\nContent-Length: 0")
    @example(b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n")
    @example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    @example(b"HTTP/1.1 200 OK\r\n\r\n")
    @example(SIZED + b"\r\nConnection: close\r\n\r\nok")
    @example(SIZED + b"\n\n x: y\r\n\r\nok")
    @example(SIZED + b"\n\r\n x: y\r\n\r\nok")
    @example(SIZED + b"\n\r\n\r\nok")
    @example(SIZED + b"\r\n\r\nok" + SIZED)
    def test_both_ways_read_an_answer_alike(self, answer: bytes) -> None:
        self.agree(answer)

    @pytest.mark.parametrize("name", ANSWERS)
    def test_both_ways_read_known_answers_alike(self, name: str) -> None:
        self.agree(ANSWERS[name])

    def agree(self, answer: bytes) -> None:
        reader = AnswerReader(limit=100)
        reader.feed(answer)
        quick = read_whole(answer, 100)
        if quick is not None:
            head, body = quick
            assert (reader.done, reader.failure, reader.cut) == (True, None, False)
            assert (reader.status, reader.headers, reader.body) == (head.status, head.headers, body)
            assert reader.stays_open


def in_pieces(answer: bytes, places: list[int]) -> AnswerReader:
    reader = AnswerReader(limit=100)
    for begin, end in pairwise([0, *sorted(places), max([len(answer), *places])]):
        if not reader.done:
            reader.feed(answer[begin:end])
    reader.end()
    return reader
