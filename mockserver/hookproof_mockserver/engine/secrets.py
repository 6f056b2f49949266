"""Secrets of subscriptions, checked as they were given."""

from __future__ import annotations

from hookproof_mockserver.sender_errors import Invalid
from hookproof_spec.errors import SecretError
from hookproof_spec.scheme import SignatureScheme
from hookproof_spec.signing import Signer, Verifier

_LONGEST = 10_000


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
