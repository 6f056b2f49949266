"""Secrets of subscriptions, checked as they were given."""

from __future__ import annotations

import base64
import re

from hookproof_mockserver.sender_errors import Invalid
from hookproof_spec.errors import SecretError
from hookproof_spec.notation import KeyText
from hookproof_spec.scheme import SignatureScheme
from hookproof_spec.signing import Signer, Verifier

_LONGEST = 10_000
_PEM = re.compile(r"(-----BEGIN [A-Z ]+-----)([^-]+)(-----END [A-Z ]+-----)")


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


def unfolded(text: str) -> str:
    """Return a secret from a field of one line, in which a PEM text loses the ends of its lines."""
    found = _PEM.fullmatch(text.strip())
    if found is None:
        return text
    begin, body, end = found.groups()
    return "\n".join([begin, *body.split(), end, ""])


def public_half(scheme: SignatureScheme, secret: str) -> str:
    """Return the public key that belongs to a private one in PEM; nothing where keys are shared.

    It is PEM too, unless the document declares the form of a bare Ed25519 key.
    """
    if scheme.algorithm.is_shared:
        return ""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    public = serialization.load_pem_private_key(secret.encode(), None).public_key()
    if isinstance(public, Ed25519PublicKey) and scheme.key.text is not KeyText.UTF8:
        bare = public.public_bytes_raw()
        is_hex = scheme.key.text is KeyText.HEX
        return bare.hex() if is_hex else base64.b64encode(bare).decode()
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
