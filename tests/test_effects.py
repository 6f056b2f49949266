"""Probes: every shape that tells effects, and a clear word about every other."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.effects import CallableProbe, Effects, ProbeError, UrlProbe, read_effects
from support.sockets import answering, scripted, silent_port

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("processed"), inner),
)


def answer(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def outcome(value: object) -> str:
    try:
        return f"{read_effects(value).count:.3g}"
    except ProbeError as error:
        return str(error)


class TestShapes:
    @pytest.mark.parametrize(
        ("value", "count"),
        [
            (0, 0),
            (7, 7),
            (7.0, 7),
            (10**400, 10**400),
            ([], 0),
            (["a", "a", "b"], 3),
            ([1, None, {}], 3),
            ({"processed": 4}, 4),
            ({"count": 5, "other": True}, 5),
            ({"processed": 4, "count": 9}, 4),
            ({"processed": 4, "nonces": ["a"]}, 4),
            (("a",), 1),
            ({"a", "b"}, 2),
        ],
    )
    def test_effects_are_counted_as_told(self, value: object, count: int) -> None:
        assert read_effects(value).count == count

    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            -1,
            1.5,
            float("nan"),
            float("inf"),
            "3",
            b"3",
            {},
            {"processed": None},
            {"processed": "3"},
            {"count": True},
            {"nonces": ["a"]},
            object(),
        ],
    )
    def test_other_shapes_are_refused(self, value: object) -> None:
        with pytest.raises(ProbeError, match='allowed: an integer, an array, or an object with "p'):
            read_effects(value)

    @pytest.mark.parametrize(
        ("value", "name", "count"),
        [
            (3, "a", None),
            ({"processed": 3}, "a", None),
            ({"processed": 3, "nonces": []}, "a", None),
            ([1, 2], "a", None),
            ([], "a", 0),
            (["a", "b", "a"], "a", 2),
            (["a", "b", "a"], "c", 0),
            ([{"id": "a", "nonce": "n"}, {"id": "a", "nonce": "m"}], "a", 2),
            ([{"id": "a", "nonce": "n"}, {"id": "a", "nonce": "m"}], "n", 1),
            ([{"id": "a", "again": "a"}], "a", 1),
            ([{"data": {"ids": ["deep"]}}], "deep", 1),
            ({"processed": 1, "nonces": ["n"], "ids": ["i"]}, "i", 1),
            ({"count": 2, "events": [{"nonce": "n"}, "n"]}, "n", 2),
            ({"count": 2, "nonces": 5}, "n", None),
        ],
    )
    def test_names_are_found_where_told(self, value: object, name: str, count: int | None) -> None:
        assert read_effects(value).count_of(name) == count

    def test_nesting_of_any_depth_is_read(self) -> None:
        value: object = "deep"
        for _ in range(100_000):
            value = {"a": value}
        assert read_effects([value]).count_of("deep") == 1

    @given(JSON)
    def test_any_json_is_effects_or_refused(self, value: object) -> None:
        told = outcome(value)
        assert "\n" not in told
        assert len(told) < 300

    @given(st.lists(st.text()))
    def test_each_name_of_an_array_counts(self, names: list[str]) -> None:
        effects = read_effects(names)
        assert all(effects.count_of(name) == names.count(name) for name in names)


class TestCallableProbe:
    def test_function_is_called_each_time(self) -> None:
        done: list[str] = []
        probe = CallableProbe(lambda: done)
        assert probe.read() == Effects(0, {})
        done.append("a")
        assert probe.read() == Effects(1, {"a": 1})

    def test_exception_of_the_function_comes_out(self) -> None:
        with pytest.raises(ZeroDivisionError):
            CallableProbe(lambda: 1 // 0).read()


class TestUrlProbe:
    def test_address_is_asked_anew_each_time(self) -> None:
        answers = answering(answer(b"1")), answering(answer(b'["a", "b"]'))
        with scripted(*answers) as server:
            probe = UrlProbe(server.url, headers=[("X-Key", "k")])
            assert probe.read() == Effects(1)
            assert probe.read() == Effects(2, {"a": 1, "b": 1})
        asked = bytes(server.peers[0].received)
        assert asked.startswith(b"GET /webhook HTTP/1.1\r\n")
        assert b"\r\nX-Key: k\r\n" in asked

    def test_long_list_of_names_is_read(self) -> None:
        names = [f"nonce-{number}" for number in range(20_000)]
        with scripted(answering(answer(json.dumps(names).encode()))) as server:
            assert UrlProbe(server.url).read().count == 20_000

    @pytest.mark.parametrize(
        ("sent", "told"),
        [
            (answer(b"who?", "401 No"), "answered 401 with who\\?; it has to answer 200"),
            (answer(b"", "302 Found"), "answered 302 with nothing; it has"),
            (answer(b"<html>"), "answered <html>; allowed"),
            (answer(b""), "answered nothing; allowed"),
            (answer(b'"3"'), 'answered "3"; allowed'),
            (answer(b"\xff"), "answered \ufffd; allowed"),
            (answer(b"[" * 100_000), r"answered \[{79}…; allowed"),
            (answer(b"9" * 5_000), "answered 9{79}…; allowed"),
            (answer(b'{"a":\n1}'), 'answered {"a": 1}; allowed'),
            (answer(b'{"a"\n1}'), r"""answered '{"a"\\n1}'; allowed"""),
            (b"", "gave no answer: the connection was closed"),
        ],
    )
    def test_broken_probe_says_what_was_seen(self, sent: bytes, told: str) -> None:
        with scripted(answering(sent)) as server:
            with pytest.raises(ProbeError, match=told) as caught:
                UrlProbe(server.url).read()
            assert caught.value.where == server.url

    def test_unreachable_probe_says_so(self) -> None:
        with silent_port() as port, pytest.raises(ProbeError, match="Connection refused"):
            UrlProbe(f"http://127.0.0.1:{port}/").read()
