"""Keys of two halves are taken in the forms in which people copy them."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from hookproof_spec import load
from hookproof_spec.errors import SecretError
from hookproof_spec.request import Request
from hookproof_spec.signing import Signer, Verifier

KEY = ec.generate_private_key(ec.SECP256R1())
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
DER = base64.b64encode(
    KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
WRAPPED = "\n".join(DER[at : at + 64] for at in range(0, len(DER), 64)) + "\n"


@pytest.mark.parametrize("public", [PUBLIC, f"\n  {PUBLIC}\n", DER, f"{DER}\n", WRAPPED, PRIVATE])
@pytest.mark.parametrize("private", [PRIVATE, f"\n{PRIVATE}\n\n"])
def test_copied_key_signs_and_verifies(private: str, public: str) -> None:
    scheme = load("sendgrid").webhook().scheme
    plain = Request("POST", "http://h/", (("Content-Type", "application/json"),), b"[]")
    signed = Signer(scheme, private).sign(plain, timestamp=1_700_000_000, nonce="").request
    assert Verifier(scheme, [public]).verify(signed, 1_700_000_000).accepted


@pytest.mark.parametrize("public", ["", "no key", DER[:-8], PUBLIC.replace("MF", "FM", 1)])
def test_what_is_no_key_is_refused_without_being_repeated(public: str) -> None:
    with pytest.raises(SecretError) as caught:
        Verifier(load("sendgrid").webhook().scheme, [public])
    assert not public or public not in str(caught.value)


def test_a_private_key_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading RSA's tests its primes; the diagnosis makes hundreds of verifiers of one key."""
    scheme, loaded = load("sendgrid").webhook().scheme, list[bytes]()
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def load_pem(data: bytes, password: None) -> ec.EllipticCurvePrivateKey:
        loaded.append(data)
        return key

    monkeypatch.setattr(serialization, "load_pem_private_key", load_pem)
    for _ in range(3):
        Signer(scheme, pem.decode())
        Verifier(scheme, [pem.decode()])
    assert loaded == [pem.strip()]
