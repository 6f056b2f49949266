"""Secrets of subscriptions: made, or checked as they were given."""

from __future__ import annotations

import base64
import random

from hookproof_mockserver.sender_errors import Invalid
from hookproof_spec.errors import SecretError
from hookproof_spec.scheme import Algorithm, KeyText, SignatureScheme
from hookproof_spec.signing import Signer, Verifier

_LONGEST = 10_000
_NAME = "key-1"
_SIZE = 24


def generated(scheme: SignatureScheme, source: random.Random) -> str:
    """Return a random secret in the form that a scheme declares; a private key is PEM."""
    name = f"{_NAME}:" if scheme.has_key_id else ""
    second = f":{_one(scheme, source)}" if scheme.has_second_key else ""
    return f"{name}{_one(scheme, source)}{second}"


def _one(scheme: SignatureScheme, source: random.Random) -> str:
    if not scheme.algorithm.is_shared:
        return _private_key(scheme.algorithm)
    raw = source.randbytes(_SIZE)
    encoded = scheme.key.text is KeyText.BASE64
    return scheme.key.without + (base64.b64encode(raw).decode() if encoded else raw.hex())


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


def checked(scheme: SignatureScheme, secret: str) -> str:
    """Return a secret as it was given.

    Raises:
        Invalid: it is empty or not in the declared form. The message does not hold it.
    """
    if len(secret) > _LONGEST:
        raise Invalid("/secret", f"the secret is longer than {_LONGEST} characters")
    if not secret.strip():
        raise Invalid("/secret", "the secret is empty", hint="give one, or have one made")
    shared = scheme.algorithm.is_shared
    if shared and secret != secret.strip():
        raise Invalid("/secret", "the secret begins or ends with white space", hint="copy it anew")
    try:
        if shared:
            Verifier(scheme, secret)  # it refuses an empty key, too
        else:
            Signer(scheme, secret)
    except SecretError as error:
        raise Invalid("/secret", error.problem, hint=error.hint) from error
    return secret
