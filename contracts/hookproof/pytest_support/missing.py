"""What stands in for a receiver where a suite defines none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
class NoReceiver:
    """The suite has no fixture `webhook_receiver` of its own."""

    def __repr__(self) -> str:
        return "no receiver"


@final
@dataclass(frozen=True, slots=True)
class Unusable:
    """The receiver that a contract file describes cannot be had; `problem` says why."""

    problem: str


NO_RECEIVER = NoReceiver()
HOW = """\
Define it in conftest.py:

    import hookproof
    import pytest

    @pytest.fixture(scope="session")
    def webhook_receiver():
        return hookproof.Receiver(app=my_wsgi_or_asgi_app, path="/webhook", secret="...",
                                  effects=lambda: len(processed))   # or url="http://..."
"""


def complaint(value: object) -> str:
    """Say what is wrong with a `webhook_receiver` that is no `Receiver`."""
    if value is NO_RECEIVER:
        return f"There is no fixture webhook_receiver. {HOW}"
    if isinstance(value, Unusable):
        return f"hookproof: {value.problem}"
    kind = "None (did it forget to return?)" if value is None else f"a {type(value).__name__}"
    return f"The fixture webhook_receiver gave {kind} instead of a hookproof.Receiver. {HOW}"
