"""Nonces and secrets of a declared form, drawn from a source of randomness that is passed in."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from hookproof_spec.errors import HookproofError
from hookproof_spec.scheme import Algorithm, KeyText, NonceRule, SignatureScheme

if TYPE_CHECKING:
    from random import Random

KEY_NAME = "key-1"
"""The name of a drawn key, where keys have names."""

_HEX = re.compile(r"\[(?:0-9a-f|a-f0-9)\]\{(\d{1,4})\}")
_PLAIN = "[0-9a-f]{40}"
_KEY_BYTES = 24
_BELOW_THE_ORDER = 2**255
"""P-256 has more points than that, so every number below it plus one is a private key."""


def drawn_nonce(rule: NonceRule | None, source: Random) -> str:
    """Return a nonce of the declared shape, not an empty one; 40 hexadecimal digits by default.

    Raises:
        HookproofError: the pattern is one that no text can be made from.
    """
    pattern = _PLAIN if rule is None or rule.pattern is None else rule.pattern
    digits = _hex_digits(pattern)
    if not digits:
        return _of_pattern(pattern, source)
    return source.randbytes((digits + 1) // 2).hex()[:digits]


@lru_cache(maxsize=64)
def _hex_digits(pattern: str) -> int | None:
    """Return how many hexadecimal digits a pattern asks for, where it asks for nothing else.

    It is the commonest shape, and a hundred times faster than the general way.
    """
    found = _HEX.fullmatch(pattern)
    return int(found[1]) if found else None


def _of_pattern(pattern: str, source: Random) -> str:
    import rstr

    generator = rstr.Rstr(source)
    for _ in range(100):
        drawn: str = generator.xeger(pattern)
        if drawn and re.fullmatch(pattern, drawn, re.ASCII):
            return drawn
    raise HookproofError(
        f"no nonce could be made from the pattern {pattern!r}", hint="say it without look-arounds"
    )


def drawn_secret(scheme: SignatureScheme, source: Random, *, key_name: str = KEY_NAME) -> str:
    """Return a secret in the form that a scheme declares; a private key is PEM.

    An RSA key comes from the system's randomness, whatever the source.
    """
    name = f"{key_name}:" if scheme.has_key_id else ""
    second = f":{_key(scheme, source)}" if scheme.has_second_key else ""
    return f"{name}{_key(scheme, source)}{second}"


def _key(scheme: SignatureScheme, source: Random) -> str:
    if not scheme.algorithm.is_shared:
        return _private_key(scheme.algorithm, source)
    raw = source.randbytes(_KEY_BYTES)
    encoded = scheme.key.text is KeyText.BASE64
    return scheme.key.without + (base64.b64encode(raw).decode() if encoded else raw.hex())


def _private_key(algorithm: Algorithm, source: Random) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    raw = source.randbytes(32)
    key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if algorithm is Algorithm.ED25519:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(raw)
    elif algorithm is Algorithm.ECDSA_P256_SHA256:
        key = ec.derive_private_key(int.from_bytes(raw) % _BELOW_THE_ORDER + 1, ec.SECP256R1())
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
