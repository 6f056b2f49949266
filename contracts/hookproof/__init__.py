"""Contract tests for receivers of signed webhooks.

Names are loaded when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookproof.nonces import MemoryNonceStore, SqliteNonceStore
    from hookproof.pytest_support.contract import ContractRule, contract
    from hookproof.pytest_support.remarks import HookproofRemark, HookproofWarning
    from hookproof.pytest_support.signed import Delivered, SignedPayload
    from hookproof.pytest_support.webhook import WebhookSender
    from hookproof.under_test import Clock, Receiver
    from hookproof.validators import RequestValidator
    from hookproof_spec.errors import HookproofError

_HOME = {
    "Clock": "hookproof.under_test",
    "ContractRule": "hookproof.pytest_support.contract",
    "Delivered": "hookproof.pytest_support.signed",
    "HookproofError": "hookproof_spec.errors",
    "HookproofRemark": "hookproof.pytest_support.remarks",
    "HookproofWarning": "hookproof.pytest_support.remarks",
    "MemoryNonceStore": "hookproof.nonces",
    "Receiver": "hookproof.under_test",
    "RequestValidator": "hookproof.validators",
    "SignedPayload": "hookproof.pytest_support.signed",
    "SqliteNonceStore": "hookproof.nonces",
    "WebhookSender": "hookproof.pytest_support.webhook",
    "contract": "hookproof.pytest_support.contract",
}

__all__ = [
    "Clock",
    "ContractRule",
    "Delivered",
    "HookproofError",
    "HookproofRemark",
    "HookproofWarning",
    "MemoryNonceStore",
    "Receiver",
    "RequestValidator",
    "SignedPayload",
    "SqliteNonceStore",
    "WebhookSender",
    "contract",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
