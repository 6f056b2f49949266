"""A contract's function becomes one test a rule; ids are those of the rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from hookproof.catalogue import RULES, Selection, select
from hookproof.pytest_support.contract import ContractRule, choice_of
from hookproof.pytest_support.settings import Settings
from hookproof_spec.errors import HookproofError

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet  # what pytest.param returns has no other name

NEEDED = ("webhook_receiver", "rule")


def generate(metafunc: pytest.Metafunc) -> None:
    """Give a contract's function its rules; leave any other function as it is.

    Raises:
        CollectError: the function cannot be a contract, or the configuration is wrong.
    """
    choice = choice_of(metafunc.function)
    if choice is None:
        return
    missing = [name for name in NEEDED if name not in metafunc.fixturenames]
    if missing:
        raise pytest.Collector.CollectError(
            f"{metafunc.function.__name__} is a contract and does not take {' and '.join(missing)}:"
            " write def test_receiver(webhook_receiver, rule): rule.check(webhook_receiver)"
        )
    try:
        settings = Settings(metafunc.config)
        chosen = select(choice.only or settings.only, choice.skip or settings.skip)
    except HookproofError as error:
        raise pytest.Collector.CollectError(f"hookproof: {error}") from error
    metafunc.parametrize("rule", list(parameters(chosen)))


def parameters(chosen: Selection) -> Iterator[ParameterSet]:
    """Yield a parameter for each rule that runs or is left out, in the order of the catalogue."""
    wanted = {*chosen.rules, *chosen.skipped}
    for rule in RULES:
        if rule in wanted:
            mark = pytest.mark.hookproof(
                rule=rule.id, category=rule.category.value, level=rule.level.value
            )
            asked = ContractRule(rule, skipped=rule in chosen.skipped)
            yield pytest.param(asked, id=rule.id, marks=mark)
