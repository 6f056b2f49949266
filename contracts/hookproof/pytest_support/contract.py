"""`@contract`: one test function, one test a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ParamSpec, TypeVar, final, overload

import pytest

from hookproof.pytest_plugin import CONTRACT

if TYPE_CHECKING:
    from hookproof.events import RuleResult
    from hookproof.rule import Rule

__tracebackhide__ = True
P = ParamSpec("P")
R = TypeVar("R")


@final
@dataclass(frozen=True, slots=True)
class Choice:
    """The rules that one contract is limited to, and those it leaves out, with why where known."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    reasons: Mapping[str, str] | None = None


@overload
def contract(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def contract(
    *, only: str | Iterable[str] = (), skip: str | Iterable[str] = ()
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def contract(
    function: Callable[P, R] | None = None,
    /,
    *,
    only: str | Iterable[str] = (),
    skip: str | Iterable[str] = (),
) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a test function the contract: pytest runs it once for each rule.

    The function takes the fixture `webhook_receiver` and `rule`, and ends with
    `rule.check(webhook_receiver)`. `only` and `skip` name rules, categories or `core`, instead of
    what the configuration says.

    Raises:
        TypeError: it is given something else than the function.
    """
    if function is not None and not callable(function):
        raise TypeError(
            f"hookproof.contract takes no {type(function).__name__} by its place;"
            ' write @hookproof.contract(only="core")'
        )

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        setattr(function, CONTRACT, Choice(_words(only), _words(skip)))
        return function

    return decorate if function is None else decorate(function)


def _words(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


@final
@dataclass(frozen=True, slots=True)
class ContractRule:
    """A rule of the contract inside a test."""

    rule: Rule = field(repr=False)
    item: pytest.Item | None = field(default=None, repr=False)
    left_out: RuleResult | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """The rule's name, as in `test_receiver[replay-race]`."""
        return self.rule.id

    @property
    def requirement(self) -> str:
        """What the rule asks, in one sentence."""
        return self.rule.requirement

    def check(self, receiver: object) -> None:
        """Try the rule on a receiver, and what the rule stands on before it.

        A broken MUST fails the test. A broken SHOULD is a `HookproofWarning`. What cannot be
        proven, does not apply or is blocked by another rule's failure skips the test.
        """
        from hookproof.pytest_support.trying import check

        if self.item is None:
            raise pytest.UsageError(
                "hookproof: `rule` was not given by pytest; is @hookproof.contract the outermost"
                " decorator, and the plugin active?"
            )
        check(self, self.item, receiver)


def choice_of(function: object) -> Choice | None:
    """Return what a contract's decorator was given; None for any other function."""
    found = getattr(function, CONTRACT, None)
    return found if isinstance(found, Choice) else None
