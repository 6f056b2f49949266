"""Secrets of a declared form that nobody was given: the keys of forgeries."""

from __future__ import annotations

import base64
import secrets

from hookproof_spec.errors import SecretError
from hookproof_spec.scheme import Algorithm, KeyText, SignatureScheme

NAME = "key-1"


def another_secret(scheme: SignatureScheme, like: str = "") -> str:
    """Return a random secret in the form that the scheme declares.

    `like` is a secret whose key's name it takes over, where keys have names.
    """
    name = f"{_name_of(scheme, like)}:" if scheme.has_key_id else ""
    second = f":{_one(scheme)}" if scheme.has_second_key else ""
    return f"{name}{_one(scheme)}{second}"


def secret_of(scheme: SignatureScheme, like: str, key: str) -> str:
    """Return the secret whose every key is one text, named as that of another secret."""
    name = f"{_name_of(scheme, like)}:" if scheme.has_key_id else ""
    return f"{name}{key}:{key}" if scheme.has_second_key else f"{name}{key}"


def _name_of(scheme: SignatureScheme, like: str) -> str:
    try:
        return scheme.secrets(like).key_id
    except SecretError:
        return NAME


def _one(scheme: SignatureScheme) -> str:
    algorithm = scheme.algorithm
    if not algorithm.is_shared:
        return _private_key(algorithm)
    if scheme.key.text is KeyText.UTF8:
        return scheme.key.without + secrets.token_hex(24)
    raw = secrets.token_bytes(24)
    text = raw.hex() if scheme.key.text is KeyText.HEX else base64.b64encode(raw).decode()
    return scheme.key.without + text


def _private_key(algorithm: Algorithm) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if algorithm is Algorithm.ED25519:
        key = ed25519.Ed25519PrivateKey.generate()
    elif algorithm is Algorithm.ECDSA_P256_SHA256:
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
