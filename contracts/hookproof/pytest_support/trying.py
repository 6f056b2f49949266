"""A rule inside a test: what pytest is told of how it ended, in our words, without our frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

import pytest

from hookproof.events import RuleResult
from hookproof.pytest_support.contract import ContractRule
from hookproof.pytest_support.frames import with_errors_of_theirs
from hookproof.pytest_support.missing import complaint
from hookproof.pytest_support.remarks import HookproofRemark, HookproofWarning
from hookproof.pytest_support.session import Contracts, engage
from hookproof.pytest_support.words import finding, in_words_of_pytest
from hookproof.rule import Rule
from hookproof.under_test import Receiver
from hookproof.verdicts import Verdict
from hookproof_spec.errors import HookproofError

__tracebackhide__ = True


def check(asked: ContractRule, item: pytest.Item, receiver: object) -> None:
    """Try a rule on a receiver, and end the test accordingly."""
    contracts = engage(item.config)
    result = asked.left_out or _result(contracts, asked.rule, item, receiver)
    item.user_properties += [
        ("hookproof.rule", asked.rule.id),
        ("hookproof.category", asked.rule.category.value),
        ("hookproof.level", asked.rule.level.value),
        ("hookproof.verdict", result.verdict.value),
    ]
    shown = in_words_of_pytest(result)
    match result.verdict:
        case Verdict.PASS:
            return
        case Verdict.FAIL:
            pytest.fail(finding(asked.rule, shown, item.nodeid), pytrace=False)
        case Verdict.ACCEPTED:
            pytest.xfail(shown.message)
        case Verdict.WARN | Verdict.INFO:
            _warn(asked.rule, shown, item)
        case Verdict.UNPROVEN | Verdict.BLOCKED if contracts.settings.strict:
            pytest.fail(finding(asked.rule, shown, item.nodeid), pytrace=False)
        case Verdict.BLOCKED:
            _blocked(contracts, shown, item, receiver)
        case _:
            pytest.skip(reason(shown))


def _blocked(
    contracts: Contracts, shown: RuleResult, item: pytest.Item, receiver: object
) -> NoReturn:
    """Skip what another test of this run fails for; where none does, fail in its place.

    `-k replay-race` against a receiver that refuses everything must not look green.
    """
    causes = contracts.failures(receiver)
    tried = {mark.kwargs.get("rule") for one in item.session.items for mark in _marks(one)}
    told = [rule for rule, _ in causes if rule.id in tried]
    if told or not causes:
        pytest.skip(reason(shown))
    rule, result = causes[0]
    lines = finding(rule, in_words_of_pytest(result), item.nodeid)
    pytest.fail(
        f"{reason(shown)}, which no other test of this run tells:\n\n{lines}", pytrace=False
    )


def _marks(item: pytest.Item) -> Iterator[pytest.Mark]:
    return item.iter_markers("hookproof")


def reason(result: RuleResult) -> str:
    """Say why a test is skipped."""
    settle = f"; to settle: {result.settle}" if result.verdict is Verdict.UNPROVEN else ""
    verdict = result.verdict.value.replace("-", " ")
    return f"{verdict}: {result.message}{settle if result.settle else ''}"


def _result(contracts: Contracts, rule: Rule, item: pytest.Item, receiver: object) -> RuleResult:
    if not isinstance(receiver, Receiver):
        _trouble(contracts, complaint(receiver), item)
    try:
        return with_errors_of_theirs(lambda: contracts.result(receiver, rule, item))
    except HookproofError as error:
        text = f"hookproof: {error}"
    return _trouble(contracts, text, item)  # outside, or pytest would show the error a second time


def _trouble(contracts: Contracts, text: str, item: pytest.Item) -> NoReturn:
    """Fail once for what no rule is to blame for; every other rule would say the same.

    The test that tells it fails again where it is run again: a skip would look like a success.
    """
    if contracts.troubles.setdefault(text, item.nodeid) != item.nodeid:
        pytest.skip(f"blocked: {text.splitlines()[0]}")
    pytest.fail(text, pytrace=False)


def _warn(rule: Rule, shown: RuleResult, item: pytest.Item) -> None:
    kind = HookproofRemark if shown.verdict is Verdict.INFO else HookproofWarning
    try:
        item.warn(kind(finding(rule, shown, item.nodeid)))
    except HookproofRemark:
        return  # warnings are errors in this run, which a remark is not meant to be
    except HookproofWarning as warning:
        pytest.fail(str(warning), pytrace=False)
