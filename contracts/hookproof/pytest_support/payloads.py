"""The fixture `webhook_payloads`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from hookproof_spec.webhook import JsonValue, Webhook

__tracebackhide__ = True


def strategy(webhook: Webhook) -> SearchStrategy[JsonValue]:
    """Return a strategy of valid payloads."""
    try:
        strategies = importlib.import_module("hookproof_spec.strategies")
    except ModuleNotFoundError as error:
        pytest.fail(
            f"webhook_payloads needs Hypothesis ({error}): pip install hypothesis", pytrace=False
        )
    return cast("SearchStrategy[JsonValue]", strategies.valid_payloads(webhook))
