"""Secrets of a declared form that nobody was given: the keys of forgeries."""

from __future__ import annotations

import random

from hookproof_spec.drawing import KEY_NAME, drawn_secret
from hookproof_spec.errors import SecretError
from hookproof_spec.scheme import SignatureScheme

_SOURCE = random.SystemRandom()


def another_secret(scheme: SignatureScheme, like: str = "") -> str:
    """Return a random secret in the form that the scheme declares.

    `like` is a secret whose key's name it takes over, where keys have names.
    """
    name = _name_of(scheme, like) if scheme.has_key_id else KEY_NAME
    return drawn_secret(scheme, _SOURCE, key_name=name)


def secret_of(scheme: SignatureScheme, like: str, key: str) -> str:
    """Return the secret whose every key is one text, named as that of another secret."""
    name = f"{_name_of(scheme, like)}:" if scheme.has_key_id else ""
    return f"{name}{key}:{key}" if scheme.has_second_key else f"{name}{key}"


def _name_of(scheme: SignatureScheme, like: str) -> str:
    try:
        return scheme.secrets(like).key_id
    except SecretError:
        return KEY_NAME
