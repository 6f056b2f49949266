"""Inside pytest, an accepted finding is an expected failure, and what is left out says why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from support.suites import CONTRACT, FEW, Suite, text

pytest_plugins = ["pytester"]

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TODAY = NOON.date()
LOOSE = """
import hookproof, pytest

def app(environ, start):
    start("200 OK", [])
    return [b""]

@pytest.fixture(scope="session")
def webhook_receiver():
    return hookproof.Receiver(app=app, secret="s3cret-s3cret")
"""
ENTRY = """
[[accepted]]
rule = "{rule}"
target = "http://in-process/webhook"
reason = "being replaced"
expires = {until}
"""


@pytest.fixture(autouse=True)
def _no_midnight_comes() -> Iterator[None]:
    with time_machine.travel(NOON):
        yield


def entry(rule: str, *, days: int = 0) -> str:
    return ENTRY.format(rule=rule, until=TODAY + timedelta(days))


def suite(pytester: pytest.Pytester, baseline: str) -> Suite:
    made = Suite(pytester).file("conftest.py", LOOSE).file("test_contract.py", CONTRACT)
    made.file("hookproof.toml", 'baseline = "accepted.toml"\nonly = "forged-no-header"')
    return made.file("accepted.toml", baseline)


def test_accepted_finding_is_an_expected_failure(pytester: pytest.Pytester) -> None:
    result = suite(pytester, entry("forged-no-header")).run("-rx", *FEW)
    result.assert_outcomes(xfailed=1, passed=1, skipped=1)
    assert f"accepted until {TODAY}: being replaced" in text(result)


def test_accepted_finding_may_be_found_by_several_tests(pytester: pytest.Pytester) -> None:
    made = suite(pytester, entry("valid-basic"))
    made.file("conftest.py", LOOSE.replace("200 OK", "401 No").replace('(scope="session")', ""))
    made.file("hookproof.toml", 'baseline = "accepted.toml"\nonly = "core"')
    result = made.run(*FEW)
    assert "1 accepted" in text(result)
    assert "INTERNALERROR" not in text(result)


def test_expired_entry_fails_the_test_again(pytester: pytest.Pytester) -> None:
    result = suite(pytester, entry("forged-no-header", days=-1)).run(*FEW)
    result.assert_outcomes(failed=1, passed=1, skipped=1)
    assert f"forged-no-header was accepted until {TODAY - timedelta(1)}" in text(result)


def test_entry_that_passes_fails_its_test(pytester: pytest.Pytester) -> None:
    both = entry("valid-basic") + entry("forged-no-header")
    result = suite(pytester, both).run(*FEW)
    result.assert_outcomes(failed=1, xfailed=1, skipped=1)
    assert "the baseline is out of date: valid-basic passes now; take it out of" in text(result)


def test_mistake_in_the_file_is_told_once(pytester: pytest.Pytester) -> None:
    result = suite(pytester, entry("forged-no-hedder")).run(*FEW)
    result.assert_outcomes(failed=1, skipped=2)
    assert "did you mean forged-no-header?" in text(result)


def test_left_out_rule_says_the_reason_of_the_file(pytester: pytest.Pytester) -> None:
    made = Suite(pytester).file("conftest.py", LOOSE).file("test_contract.py", CONTRACT)
    made.file(
        "hookproof.toml",
        'only = ["valid-basic", "valid-utf8"]\nskip = {valid-utf8 = "our database is Latin-1"}',
    )
    result = made.run("-rs", *FEW)
    result.assert_outcomes(passed=1, skipped=2)
    assert "left out: our database is Latin-1" in text(result)


def test_contract_file_says_why_it_leaves_rules_out(pytester: pytest.Pytester) -> None:
    made = Suite(pytester).file("conftest.py", LOOSE)
    made.file(
        "shop.hookproof.yaml",
        "only: [valid-basic, valid-utf8]\nskip: {valid-utf8: our database is Latin-1}\n",
    )
    result = made.run("-rs", *FEW)
    result.assert_outcomes(passed=1, skipped=2)
    assert "left out: our database is Latin-1" in text(result)
