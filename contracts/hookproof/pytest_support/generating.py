"""A contract's function becomes one test a rule; ids are those of the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from hookproof.catalogue import RULES, Selection, select
from hookproof.pytest_support.contract import Choice, ContractRule, choice_of
from hookproof.pytest_support.settings import Settings
from hookproof.run import left_out
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
        reasons = _reasons(choice, settings)
    except HookproofError as error:
        raise pytest.Collector.CollectError(f"hookproof: {error}") from error
    metafunc.parametrize("rule", list(parameters(chosen, reasons)))


def _reasons(choice: Choice, settings: Settings) -> Mapping[str, str]:
    """Return why rules are left out: as who leaves them out says."""
    if choice.reasons is not None:
        return choice.reasons
    return {} if choice.skip else settings.file.reasons


def parameters(chosen: Selection, reasons: Mapping[str, str]) -> Iterator[ParameterSet]:
    """Yield a parameter for each rule that runs or is left out, in the order of the catalogue."""
    wanted = {*chosen.rules, *chosen.skipped}
    for rule in RULES:
        if rule in wanted:
            mark = pytest.mark.hookproof(
                rule=rule.id, category=rule.category.value, level=rule.level.value
            )
            skipped = left_out(rule, reasons, "left out by the configuration")
            asked = ContractRule(rule, left_out=skipped if rule in chosen.skipped else None)
            yield pytest.param(asked, id=rule.id, marks=mark)
