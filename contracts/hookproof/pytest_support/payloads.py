"""The fixture `webhook_payloads`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hookproof_spec.errors import DocumentError
from hookproof_spec.strategies import valid_payloads

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from hookproof_spec.webhook import JsonValue, Webhook

__tracebackhide__ = True


def strategy(webhook: Webhook) -> SearchStrategy[JsonValue]:
    """Return a strategy of valid payloads; a schema that lets none be drawn fails the test."""
    try:
        return valid_payloads(webhook)
    except DocumentError as error:
        pytest.fail(f"hookproof: webhook_payloads: {error}", pytrace=False)
