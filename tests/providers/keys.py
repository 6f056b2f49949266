"""Keys for both sides: what our signer is given, and what a provider's package is given."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from hookproof.keys import another_secret
from hookproof_spec.scheme import Algorithm, KeyText, SignatureScheme


@dataclass(frozen=True)
class Keys:
    """The secret of the signer, and the one of the receiver: the same, unless asymmetric."""

    signer: str
    receiver: str


def made_for(scheme: SignatureScheme) -> Keys:
    """Return new keys in the form that a scheme declares."""
    if scheme.algorithm is Algorithm.ED25519:
        return _ed25519(scheme)
    if scheme.algorithm is Algorithm.ECDSA_P256_SHA256:
        return _ecdsa()
    secret = another_secret(scheme)
    return Keys(secret, secret)


def _ed25519(scheme: SignatureScheme) -> Keys:
    key = ed25519.Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes_raw()
    public = raw.hex() if scheme.key.text is KeyText.HEX else base64.b64encode(raw).decode()
    return Keys(_pem(key), public)


def _ecdsa() -> Keys:
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Keys(_pem(key), base64.b64encode(der).decode())


def _pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
