"""What a signed webhook is: documents, signature schemes, signing, verifying, payloads.

Pure: no sockets, no clock, no randomness. Names are loaded when they are first used, so that
importing this package costs nothing; Hypothesis is imported by the strategies alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookproof_spec.documents import load, names
    from hookproof_spec.errors import (
        DocumentError,
        HookproofError,
        Problem,
        SecretError,
        Severity,
    )
    from hookproof_spec.payloads import example, validate
    from hookproof_spec.request import Request
    from hookproof_spec.scheme import SignatureScheme
    from hookproof_spec.signing import (
        Delivery,
        Reason,
        Signer,
        Verification,
        Verifier,
        sign,
        verify,
    )
    from hookproof_spec.strategies import (
        Negative,
        Spelling,
        from_schema,
        json_texts,
        negative_payloads,
        spellings,
        valid_payloads,
    )
    from hookproof_spec.webhook import Document, Webhook

_HOME = {
    "Delivery": "signing",
    "Document": "webhook",
    "DocumentError": "errors",
    "HookproofError": "errors",
    "Negative": "strategies",
    "Problem": "errors",
    "Reason": "signing",
    "Request": "request",
    "SecretError": "errors",
    "Severity": "errors",
    "SignatureScheme": "scheme",
    "Signer": "signing",
    "Spelling": "strategies",
    "Verification": "signing",
    "Verifier": "signing",
    "Webhook": "webhook",
    "example": "payloads",
    "from_schema": "strategies",
    "json_texts": "strategies",
    "load": "documents",
    "names": "documents",
    "negative_payloads": "strategies",
    "sign": "signing",
    "spellings": "strategies",
    "valid_payloads": "strategies",
    "validate": "payloads",
    "verify": "signing",
}

__all__ = [
    "Delivery",
    "Document",
    "DocumentError",
    "HookproofError",
    "Negative",
    "Problem",
    "Reason",
    "Request",
    "SecretError",
    "Severity",
    "SignatureScheme",
    "Signer",
    "Spelling",
    "Verification",
    "Verifier",
    "Webhook",
    "example",
    "from_schema",
    "json_texts",
    "load",
    "names",
    "negative_payloads",
    "sign",
    "spellings",
    "valid_payloads",
    "validate",
    "verify",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
