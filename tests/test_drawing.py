"""Drawn nonces and secrets: of the declared form, repeatable, and accepted by every document."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof_spec.documents import load, names
from hookproof_spec.drawing import KEY_NAME, drawn_nonce, drawn_secret
from hookproof_spec.errors import HookproofError
from hookproof_spec.scheme import Algorithm, NonceRule, SignatureScheme

SCHEMES = {
    f"{name}/{webhook.name}": webhook.scheme
    for name in names()
    for webhook in load(name).webhooks.values()
}


@given(st.integers(1, 200), st.integers(0, 2**64))
def test_a_hexadecimal_nonce_has_as_many_digits_as_declared(digits: int, seed: int) -> None:
    rule = NonceRule(pattern=f"[0-9a-f]{{{digits}}}")
    drawn = drawn_nonce(rule, random.Random(seed))
    assert re.fullmatch(rule.pattern or "", drawn)
    assert drawn == drawn_nonce(rule, random.Random(seed))


@pytest.mark.parametrize(
    "pattern", ["[A-Z]{3}-[0-9]{4,8}", "(msg|evt)_[a-zA-Z0-9]{27}", r"\w{1,5}"]
)
def test_another_pattern_is_followed_and_repeats_with_its_seed(pattern: str) -> None:
    rule = NonceRule(pattern=pattern)
    drawn = {drawn_nonce(rule, random.Random(seed)) for seed in range(50)}
    assert len(drawn) > 40
    assert all(re.fullmatch(pattern, each, re.ASCII) for each in drawn)


def test_without_a_declared_shape_a_nonce_is_40_hexadecimal_digits() -> None:
    assert re.fullmatch("[0-9a-f]{40}", drawn_nonce(None, random.Random(1)))


def test_a_pattern_that_no_text_can_be_made_from_is_told() -> None:
    with pytest.raises(HookproofError, match="no nonce could be made"):
        drawn_nonce(NonceRule(pattern="a(?=b)[0-9]"), random.Random(1))


@pytest.mark.parametrize("pattern", ["[0-9a-f]{0}", "", "x{0}"])
def test_a_nonce_is_never_empty(pattern: str) -> None:
    with pytest.raises(HookproofError, match="no nonce could be made"):
        drawn_nonce(NonceRule(pattern=pattern), random.Random(1))
    drawn = {drawn_nonce(NonceRule(pattern="a*"), random.Random(seed)) for seed in range(50)}
    assert "" not in drawn


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_a_drawn_secret_can_be_read_by_its_scheme(scheme: SignatureScheme) -> None:
    secret = drawn_secret(scheme, random.Random(1))
    read = scheme.secrets(secret)
    assert read.key_id == (KEY_NAME if scheme.has_key_id else "")
    if scheme.algorithm is not Algorithm.RSA_SHA256:
        assert secret == drawn_secret(scheme, random.Random(1))
    assert secret != drawn_secret(scheme, random.Random(2))
