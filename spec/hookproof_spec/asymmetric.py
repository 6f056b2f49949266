"""Pairs of keys in every form in which providers issue them; `cryptography` loads on demand.

Ed25519, ECDSA on P-256 (signatures in DER) and RSA (PKCS #1 v1.5).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from hookproof_spec.errors import SecretError
from hookproof_spec.scheme import Algorithm, Encoding, SignatureScheme

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

PEM = "-----BEGIN "
_NAMES = {
    Algorithm.ED25519: "an Ed25519 key",
    Algorithm.ECDSA_P256_SHA256: "a key on the curve P-256",
    Algorithm.RSA_SHA1: "an RSA key",
    Algorithm.RSA_SHA256: "an RSA key",
}


def signing_function(scheme: SignatureScheme, secret: str) -> Callable[[bytes], bytes]:
    """Return the signing function of a PEM private key (PKCS #8); Ed25519: or of a 32-byte seed.

    Raises:
        SecretError: the text is neither.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    key, algorithm = _private(scheme, secret), scheme.algorithm
    if isinstance(key, ed25519.Ed25519PrivateKey) and algorithm is Algorithm.ED25519:
        return key.sign
    if isinstance(key, ec.EllipticCurvePrivateKey) and _is_p256(key, algorithm):
        curve_key, scheme_of_curve = key, _ecdsa()
        return lambda content: curve_key.sign(content, scheme_of_curve)
    if isinstance(key, rsa.RSAPrivateKey) and algorithm in _RSA:
        rsa_key, digest = key, _hash_of(algorithm)
        return lambda content: rsa_key.sign(content, padding.PKCS1v15(), digest)
    raise _unreadable("private", algorithm)


def verifying_function(scheme: SignatureScheme, secret: str) -> Callable[[bytes, str], bool]:
    """Return a check of an encoded signature.

    The key is a PEM public key, certificate or private key, base64 DER, or (Ed25519) 32 raw bytes
    in the form that `scheme.key` declares.

    Raises:
        SecretError: the text is none of these.
    """
    from cryptography.exceptions import InvalidSignature

    verify = _verifier(scheme, _public(scheme, secret))
    encoding: Encoding = scheme.encoding

    def check(content: bytes, signature: str) -> bool:
        raw = encoding.read(signature)
        if raw is None:
            return False
        try:
            verify(raw, content)
        except InvalidSignature:
            return False
        return True

    return check


def _verifier(scheme: SignatureScheme, key: PublicKeyTypes) -> Callable[[bytes, bytes], None]:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    algorithm = scheme.algorithm
    if isinstance(key, ed25519.Ed25519PublicKey) and algorithm is Algorithm.ED25519:
        return key.verify
    if isinstance(key, ec.EllipticCurvePublicKey) and _is_p256(key, algorithm):
        curve_key, scheme_of_curve = key, _ecdsa()
        return lambda raw, content: curve_key.verify(raw, content, scheme_of_curve)
    if isinstance(key, rsa.RSAPublicKey) and algorithm in _RSA:
        rsa_key, digest = key, _hash_of(algorithm)
        return lambda raw, content: rsa_key.verify(raw, content, padding.PKCS1v15(), digest)
    raise _unreadable("public", algorithm)


_RSA = (Algorithm.RSA_SHA1, Algorithm.RSA_SHA256)


def _is_p256(key: object, algorithm: Algorithm) -> bool:
    curve = getattr(key, "curve", None)
    is_curve = getattr(curve, "name", "") == "secp256r1"
    return is_curve and algorithm is Algorithm.ECDSA_P256_SHA256


def _ecdsa() -> ECDSA:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

    return ECDSA(hashes.SHA256())


def _hash_of(algorithm: Algorithm) -> HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    # Some providers still sign by SHA-1; that is theirs to change.
    return hashes.SHA1() if algorithm is Algorithm.RSA_SHA1 else hashes.SHA256()


def _private(scheme: SignatureScheme, secret: str) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    secret = secret.strip()
    try:
        if secret.startswith(PEM):
            return _loaded(secret)
        if scheme.algorithm is Algorithm.ED25519:
            return Ed25519PrivateKey.from_private_bytes(scheme.key.key(secret))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unreadable("private", scheme.algorithm) from error
    raise _unreadable("private", scheme.algorithm)


@lru_cache(maxsize=8)
def _loaded(pem: str) -> PrivateKeyTypes:
    """Load a private key; of RSA's, the primes are tested, which takes a tenth of a second."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(pem.encode(), None)


def _public(scheme: SignatureScheme, secret: str) -> PublicKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.x509 import load_pem_x509_certificate

    secret = secret.strip()
    try:
        if secret.startswith(PEM + "CERTIFICATE"):
            return load_pem_x509_certificate(secret.encode()).public_key()
        if secret.startswith(PEM) and "PRIVATE" in secret.partition("\n")[0]:
            return _private(scheme, secret).public_key()
        if secret.startswith(PEM):
            return serialization.load_pem_public_key(secret.encode())
        return _raw_ed25519(scheme, secret) or serialization.load_der_public_key(
            base64.b64decode("".join(secret.split()), validate=True)
        )
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise _unreadable("public", scheme.algorithm) from error


def _raw_ed25519(scheme: SignatureScheme, secret: str) -> Ed25519PublicKey | None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if scheme.algorithm is not Algorithm.ED25519:
        return None
    try:
        raw = scheme.key.key(secret)
    except SecretError:
        return None
    return Ed25519PublicKey.from_public_bytes(raw) if len(raw) == 32 else None


def _unreadable(kind: str, algorithm: Algorithm) -> SecretError:
    raw = ", or the 32 raw bytes as the document's key.text declares"
    forms = "PEM" if kind == "private" else "PEM or base64 DER"
    return SecretError(
        f"the {kind} key is not {_NAMES[algorithm]} in a known form",
        hint=f"give {forms}{raw if algorithm is Algorithm.ED25519 else ''}",
    )
