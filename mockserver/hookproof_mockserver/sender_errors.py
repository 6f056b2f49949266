"""What the mock sender refuses, and what the user can do about it."""

from __future__ import annotations

from collections.abc import Iterable

from hookproof_spec.errors import HookproofError, Problem, did_you_mean


class NotFound(HookproofError):
    """There is nothing of that kind under that id; the hint names the nearest."""

    def __init__(self, kind: str, id: str, known: Iterable[str] = ()) -> None:
        super().__init__(f"no {kind} {id!r}", hint=did_you_mean(id, known))
        self.kind = kind
        self.id = id


class Conflict(HookproofError):
    """It cannot be done as things stand, such as consuming more than there is."""


class PlanError(HookproofError):
    """The account's plan has no webhooks of that kind."""


class InvalidPayload(HookproofError):
    """A payload that breaks the webhook's schema, with every problem found in it."""

    def __init__(self, webhook: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(
            f"the payload breaks the schema of {webhook}: {problems[0]}",
            where="/payload",
            hint="send it all the same with allow_invalid",
        )
        self.problems = problems


class Invalid(HookproofError):
    """A value that cannot be taken. `field` is its JSON pointer, such as `/url`."""

    def __init__(self, field: str, what: str, *, hint: str = "") -> None:
        super().__init__(what, where=field, hint=hint)
        self.field = field


class StockError(HookproofError):
    """The document has no webhook that tells of stock."""


class StoreError(HookproofError):
    """The store file cannot be used, or a change could not be written to it."""


class Closed(HookproofError):
    """The mock sender has been closed."""

    def __init__(self) -> None:
        super().__init__("the mock sender is closed")
