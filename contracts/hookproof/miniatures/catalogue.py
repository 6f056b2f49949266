"""All miniature receivers: the correct ones, and those with a bug."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType

from hookproof.miniatures import correct, correct_limits
from hookproof.miniatures.base import Miniature

MODULES = (
    "broken_valid",
    "broken_forged",
    "broken_stale",
    "broken_rotation",
    "broken_replay",
    "broken_wire",
    "broken_header",
    "broken_payload",
    "broken_http",
    "broken_load",
    "broken_property",
)

CORRECT: tuple[type[Miniature], ...] = (*correct.RECEIVERS, *correct_limits.RECEIVERS)


def _broken_in(module: ModuleType) -> list[type[Miniature]]:
    return [
        kind
        for kind in vars(module).values()
        if inspect.isclass(kind)
        and issubclass(kind, Miniature)
        and kind.__module__ == module.__name__
        and kind.exposed_by
    ]


BROKEN: tuple[type[Miniature], ...] = tuple(
    kind
    for name in MODULES
    for kind in _broken_in(importlib.import_module(f"hookproof.miniatures.{name}"))
)
