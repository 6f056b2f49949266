"""Secrets of a declared form that nobody was given: the keys of forgeries."""

from __future__ import annotations

import base64
import secrets

from hookproof_spec.scheme import Algorithm, KeyText, SignatureScheme


def another_secret(scheme: SignatureScheme) -> str:
    """Return a random secret in the form that the scheme declares."""
    if scheme.key.text is KeyText.UTF8:
        return scheme.key.without + secrets.token_hex(24)
    size = 32 if scheme.algorithm is Algorithm.ED25519 else 24
    raw = secrets.token_bytes(size)
    text = raw.hex() if scheme.key.text is KeyText.HEX else base64.b64encode(raw).decode()
    return scheme.key.without + text
