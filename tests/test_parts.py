"""Parts of a request are found and put in place, and nothing around them changes."""

from __future__ import annotations

import json
import time
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookproof_spec import forms, parts
from hookproof_spec.errors import Problem
from hookproof_spec.webhook import JsonValue

NAMES = st.sampled_from(["a", "b", "a/b", "~", "é", ""]) | st.text(max_size=3)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
WAYS = st.lists(st.sampled_from(["a", "b", "a~1b", "~0", "0", "é"]), min_size=1, max_size=3)
INDENTS = st.sampled_from([None, 0, 3])


@settings(deadline=None)
@given(st.dictionaries(TEXTS, JSON, max_size=4), WAYS, TEXTS, INDENTS, st.booleans())
def test_a_text_put_into_json_is_read_back(
    event: dict[str, JsonValue], way: list[str], text: str, indent: int | None, plain: bool
) -> None:
    body = json.dumps(event, indent=indent, ensure_ascii=plain).encode()
    pointer = "".join(f"/{name}" for name in way)
    changed = parts.with_json(body, pointer, text)
    if changed == body:  # something that holds no members stood on the way, or it was there
        return
    assert parts.json_text(changed, pointer) == text
    first = way[0].replace("~1", "/").replace("~0", "~")
    rest = {name: value for name, value in event.items() if name != first}
    after = json.loads(changed)
    assert {name: value for name, value in after.items() if name != first} == rest


def test_json_keeps_every_other_byte() -> None:
    body = b'{ "a" : 1.50 ,\n "s":{"x":"\\u00e9\\/"}, "t":"old" }'
    assert parts.with_json(body, "/t", "new") == body.replace(b'"old"', b'"new"')
    assert parts.with_json(body, "/s/y", "7", number=True) == body.replace(b'\\/"}', b'\\/","y":7}')
    assert parts.with_json(b"{}", "/a/b", "c") == b'{"a":{"b":"c"}}'


@pytest.mark.parametrize("body", [b"", b"[1]", b'"a"', b"1", b"{", b'{"a":1,"a":2}', b"\xff"])
def test_a_body_with_no_place_stays(body: bytes) -> None:
    assert parts.with_json(body, "/a", "x") == body
    assert parts.without_json(body, "/a") == body


@pytest.mark.parametrize(
    ("pointer", "text"),
    [
        ("/n", "1.50"),
        ("/t", "true"),
        ("/z", None),
        ("/o", '{ "k" : [1] }'),
        ("/o/k/0", "1"),
        ("/o/k/1", None),
        ("/o/k/x", None),
        ("/missing/deep", None),
        ("/s", 'é"'),
    ],
)
def test_json_values_are_read_as_they_are_written(pointer: str, text: str | None) -> None:
    body = b'{"n":1.50,"t":true,"z":null,"o":{ "k" : [1] },"s":"\\u00e9\\""}'
    assert parts.json_text(body, pointer) == text


def test_a_member_is_taken_out_of_json() -> None:
    assert parts.without_json(b'{"a": 1.50, "b":{"c":1}}', "/b") == b'{"a":1.50}'
    assert parts.without_json(b'{"b":{"c":1,"d":[ 2]}}', "/b/c") == b'{"b":{"d":[ 2]}}'


def test_looking_in_a_large_body_takes_no_longer_than_reading_it() -> None:
    body = json.dumps([1] * 300_000).encode()
    begun = time.process_time()
    json.loads(body)
    reading = time.process_time() - begun
    begun = time.process_time()
    assert parts.json_text(body, "/signature/token") is None
    assert parts.with_json(body, "/signature/token", "x") == body
    assert time.process_time() - begun < 50 * reading + 1


PAIRS = st.lists(st.tuples(NAMES, TEXTS), max_size=4)


@settings(deadline=None)
@given(st.binary(max_size=30), st.sampled_from(["a", "é &=", "+"]), TEXTS)
def test_a_field_stands_once_and_others_stay(encoded: bytes, name: str, text: str) -> None:
    changed = parts.with_pair(encoded, name, text)
    assert parts.values(changed, name) == (text.encode(),)
    assert list(parts.pairs(parts.without_pair(changed, name))) == [
        pair for pair in parts.pairs(encoded) if pair[0] != name.encode()
    ]


@settings(deadline=None)
@given(st.dictionaries(st.text("ab é&=+%", min_size=1), st.text("ab é&=+%"), max_size=4))
def test_forms_are_read_as_others_read_them(event: dict[str, JsonValue]) -> None:
    body = forms.encode(event)
    assert dict(parse_qsl(body.decode(), keep_blank_values=True)) == event
    assert forms.decode(body) == event


def test_forms_hold_lists_and_other_values() -> None:
    body = forms.encode({"a": ["x", "y"], "n": 1, "t": True, "o": {"k": 1}})
    assert forms.decode(body) == {"a": ["x", "y"], "n": "1", "t": "true", "o": '{"k":1}'}
    assert isinstance(forms.decode(b"a=%FF"), Problem)


@pytest.mark.parametrize(
    ("url", "path", "query"),
    [
        ("https://h:1/a/b?c=d#e", "/a/b?c=d", b"c=d"),
        ("https://h", "/", b""),
        ("https://h?a=1", "/?a=1", b"a=1"),
        ("/a?b", "/a?b", b"b"),
        ("", "", b""),
    ],
)
def test_addresses_are_taken_apart(url: str, path: str, query: bytes) -> None:
    assert parts.path(url) == path
    assert parts.query(url) == query
