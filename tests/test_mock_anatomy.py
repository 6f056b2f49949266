"""The signature taken apart: its pieces are the bytes that were signed, and never the secret."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof_mockserver.anatomy import Role, formula, key_words, take_apart
from hookproof_spec.documents import load, names
from hookproof_spec.drawing import drawn_secret
from hookproof_spec.request import Request
from hookproof_spec.scheme import SignatureScheme
from hookproof_spec.signing import Signer

NONCE = "752c14ea195c460bac3c3b7896975ee9fd15eeb7"
SECRET = "canary-secret-91b7"


@cache
def scheme(name: str = "mobility-work") -> SignatureScheme:
    return next(iter(load(name).webhooks.values())).scheme


def usable(name: str) -> bool:
    return scheme(name).algorithm.is_shared and not scheme(name).has_key_id


SHARED = [name for name in names() if usable(name)]


def bare(body: bytes) -> Request:
    return Request("POST", "http://127.0.0.1:1/hook?a=1", (("Content-Type", "text/plain"),), body)


@pytest.mark.parametrize("name", SHARED)
def test_pieces_joined_are_the_signed_bytes(name: str) -> None:
    chosen = scheme(name)
    secret = drawn_secret(chosen, random.Random(1))
    if chosen.has_second_key:
        secret = f"{secret}:{secret}"
    for body in (b'{"a":{"b":"c"}}', b"a=1&b=%20x", b"\x00\xff"):
        delivery = Signer(chosen, secret).sign(bare(body), timestamp=1_700_000_000, nonce=NONCE)
        found = take_apart(chosen, delivery.request)
        if chosen.inside and found.problems:
            continue  # a body in which this scheme cannot put its values
        assert b"".join(piece.data for piece in found.content) == delivery.signed_bytes
        assert delivery.signatures[0] in [digest.text for digest in found.digests]
        assert all(digest.raw for digest in found.digests)
        assert secret.encode() not in repr(found).encode()


@given(
    body=st.binary(max_size=60),
    timestamp=st.text(st.characters(max_codepoint=255, exclude_characters=","), max_size=12),
    nonce=st.text(st.characters(max_codepoint=255, exclude_characters=","), max_size=12),
)
def test_any_values_can_be_put_together_again(body: bytes, timestamp: str, nonce: str) -> None:
    timestamp, nonce = timestamp.strip(" \t"), nonce.strip(" \t")
    delivery = Signer(scheme(), SECRET).sign(bare(body), timestamp=timestamp, nonce=nonce)
    found = take_apart(scheme(), delivery.request)
    assert b"".join(piece.data for piece in found.content) == delivery.signed_bytes
    header = delivery.request.header("X-MW-Signature") or ""
    assert found.travelling[0].text == header.strip(" \t")


@given(
    name=st.sampled_from(list(names())),
    value=st.text(st.characters(max_codepoint=0x2FFF), max_size=80),
    twice=st.booleans(),
)
def test_nothing_in_a_request_breaks_it(name: str, value: str, twice: bool) -> None:
    chosen = scheme(name)
    lines = tuple((header.name, value) for header in chosen.headers)
    request = Request("POST", f"http://x/?{value}", lines * (1 + twice), value.encode())
    found = take_apart(chosen, request)
    assert found.content_size == sum(len(piece.data) for piece in found.content)
    assert not (twice and chosen.headers and not found.problems)


def test_unsigned_request_says_what_is_missing() -> None:
    found = take_apart(scheme(), bare(b"{}"))
    assert not found.signed
    assert found.content == ()
    assert found.problems == ("X-MW-Signature header: the request does not have it",)


def test_wrong_nonce_and_time_are_told() -> None:
    delivery = Signer(scheme(), SECRET).sign(bare(b"{}"), timestamp="soon", nonce="short")
    found = take_apart(scheme(), delivery.request)
    assert found.nonce_fits is False
    assert found.moment is None
    assert [piece.role for piece in found.content][::2] == [Role.TIMESTAMP, Role.NONCE, Role.BODY]


def test_both_signatures_of_a_rotation_are_found() -> None:
    chosen = scheme("standard-webhooks")
    secret = drawn_secret(chosen, random.Random(1))
    delivery = Signer(chosen, secret).sign(bare(b"{}"), timestamp=1_700_000_000, nonce="msg_1")
    both = delivery.with_signature(delivery.signatures[0], "b2xk")
    assert [digest.text for digest in take_apart(chosen, both.request).digests] == [
        delivery.signatures[0],
        "b2xk",
    ]


@pytest.mark.parametrize("name", list(names()))
def test_every_scheme_is_told_in_words(name: str) -> None:
    chosen = scheme(name)
    assert key_words(chosen.algorithm, chosen.key)
    assert "content" in " ".join(formula(chosen.algorithm))
