"""The categories of the warnings that tell of what a receiver should do better."""

from __future__ import annotations


class HookproofWarning(UserWarning):
    """A SHOULD rule is broken. Warning filters apply: `error` makes it a failure."""


class HookproofRemark(HookproofWarning):
    """An INFO rule is broken, which is never a failure: under `error` the report alone tells it."""
