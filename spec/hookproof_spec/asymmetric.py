"""Ed25519 keys in every form in which providers issue them; `cryptography` loads on demand."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING

from hookproof_spec.errors import SecretError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

    from hookproof_spec.scheme import Encoding, KeyRule

PEM = "-----BEGIN "


def signing_function(rule: KeyRule, secret: str) -> Callable[[bytes], bytes]:
    """Return the signing function of a PEM private key (PKCS #8) or of a 32-byte seed.

    Raises:
        SecretError: the text is neither.
    """
    return _private(rule, secret).sign


def verifying_function(
    rule: KeyRule, secret: str, encoding: Encoding
) -> Callable[[bytes, str], bool]:
    """Return a check of an encoded signature.

    The key is a PEM public key, certificate or private key, base64 DER, or 32 raw bytes in the
    form that `rule` declares.

    Raises:
        SecretError: the text is none of these.
    """
    from cryptography.exceptions import InvalidSignature

    key = _public(rule, secret)

    def check(content: bytes, signature: str) -> bool:
        raw = encoding.read(signature)
        if raw is None:
            return False
        try:
            key.verify(raw, content)
        except InvalidSignature:
            return False
        return True

    return check


def _private(rule: KeyRule, secret: str) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if not secret.startswith(PEM):
            return Ed25519PrivateKey.from_private_bytes(rule.key(secret))
        key = load_pem_private_key(secret.encode(), None)
    except (ValueError, TypeError) as error:
        raise _unreadable("private") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unreadable("private")
    return key


def _public(rule: KeyRule, secret: str) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.x509 import load_pem_x509_certificate

    key: object
    try:
        if secret.startswith(PEM + "CERTIFICATE"):
            key = load_pem_x509_certificate(secret.encode()).public_key()
        elif secret.startswith(PEM) and "PRIVATE" in secret.partition("\n")[0]:
            return _private(rule, secret).public_key()
        elif secret.startswith(PEM):
            key = serialization.load_pem_public_key(secret.encode())
        else:
            return _bare_public(rule, secret)
    except ValueError as error:
        raise _unreadable("public") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _unreadable("public")
    return key


def _bare_public(rule: KeyRule, secret: str) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        raw = rule.key(secret)
        if len(raw) == 32:
            return Ed25519PublicKey.from_public_bytes(raw)
    except SecretError:
        raw = b""
    try:
        key = serialization.load_der_public_key(base64.b64decode(secret, validate=True))
    except (binascii.Error, ValueError) as error:
        raise _unreadable("public") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _unreadable("public")
    return key


def _unreadable(kind: str) -> SecretError:
    return SecretError(
        f"the {kind} key is not an Ed25519 key in a known form",
        hint="give PEM, base64 DER, or the 32 raw bytes as the document's key.text declares",
    )
