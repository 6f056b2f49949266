"""What one process of a test run knows: the receivers on trial and what was found of them."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import final

import pytest

from hookproof.catalogue import BY_ID
from hookproof.events import RuleResult
from hookproof.lab import Suite
from hookproof.pytest_support.bench import Bench
from hookproof.pytest_support.clock import WebhookClock
from hookproof.pytest_support.contract import ContractRule
from hookproof.pytest_support.merging import await_results
from hookproof.pytest_support.parcels import packed, run_name
from hookproof.pytest_support.settings import Settings
from hookproof.pytest_support.workers import alone_with
from hookproof.rule import Rule
from hookproof.under_test import Receiver
from hookproof.verdicts import Verdict
from hookproof_spec.errors import HookproofError

__tracebackhide__ = True
NAME = "hookproof-contracts"
_PARCEL = pytest.StashKey[str]()


@final
class Contracts:
    """The hooks that a run needs in which there is a contract, and the receivers on trial."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.settings = Settings(config)
        self.troubles: dict[str, str] = {}
        self.clock: WebhookClock | None = None
        self._benches: dict[int, Bench] = {}
        self._late_errors: list[HookproofError] = []

    def bench(self, receiver: Receiver) -> Bench:
        """Return the bench of a receiver, of which there is one in a process.

        Raises:
            HookproofError: it cannot be set up.
        """
        if id(receiver) not in self._benches:
            self._benches[id(receiver)] = Bench.of(receiver, self.settings)
        return self._benches[id(receiver)]

    def result(self, receiver: Receiver, rule: Rule, item: pytest.Item) -> RuleResult:
        """Return how a rule ended on a receiver, and put it into the report on the test.

        Raises:
            HookproofError: the trial cannot be set up, or the receiver not be reached.
        """
        bench = self.bench(receiver)
        run = run_name(item.nodeid, rule.id)
        bench.lab.suite = Suite(run, self.settings.remembers)
        with alone_with(bench.setup.target.url, self.config):
            result = bench.shown(rule, bench.result(rule))
        told = list(bench.untold(rule))
        item.stash[_PARCEL] = packed(
            run,
            bench.started_event(tuple(event.rule for event in told)),
            told,
        )
        return result

    def failures(self, receiver: object) -> list[tuple[Rule, RuleResult]]:
        """Return the rules that have failed on a receiver so far, in the order they were tried."""
        bench = self._benches.get(id(receiver))
        results = bench.results if bench is not None else {}
        return [
            (BY_ID[id], result) for id, result in results.items() if result.verdict is Verdict.FAIL
        ]

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """See to it that a receiver is let go of before its fixture is torn down."""
        value = yield
        if isinstance(value, Receiver):
            request.addfinalizer(partial(self._close, value))
        return value

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> None:
        """Tell a contract's rule the test in which it is."""
        rule = pyfuncitem.funcargs.get("rule")
        if isinstance(rule, ContractRule):
            pyfuncitem.funcargs["rule"] = ContractRule(rule.rule, pyfuncitem, rule.left_out)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Send a rule's result along, to the controller if there is one."""
        report = yield
        if call.when == "call" and _PARCEL in item.stash:
            vars(report)["hookproof"] = item.stash[_PARCEL]
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None]:
        """Put the time back that a test has moved."""
        try:
            return (yield)
        finally:
            if self.clock is not None:
                self.clock.reset()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let go of what no fixture let go of; no test can fail for what goes wrong here."""
        for bench in list(self._benches.values()):
            error = self._closed(bench.receiver)
            if error is not None:
                session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
                self._late_errors.append(error)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what went wrong after the last test."""
        for error in self._late_errors:
            terminalreporter.write_line(f"ERROR: hookproof: {error}", red=True)

    def _close(self, receiver: Receiver) -> None:
        error = self._closed(receiver)
        if error is not None:
            pytest.fail(f"hookproof: {error}", pytrace=False)

    def _closed(self, receiver: Receiver) -> HookproofError | None:
        """Let go of a receiver; return what that failed for."""
        bench = self._benches.pop(id(receiver), None)
        try:
            if bench is not None:
                bench.close()
        except HookproofError as error:
            return error
        return None


def engage(config: pytest.Config) -> Contracts:
    """Return what this process knows, made at the first call.

    Raises:
        HookproofError: a report that is asked for cannot be written.
    """
    known = config.pluginmanager.get_plugin(NAME)
    if isinstance(known, Contracts):
        return known
    if not hasattr(config, "workerinput"):
        await_results(config)
    contracts = Contracts(config)
    config.pluginmanager.register(contracts, NAME)
    return contracts


def engage_while_collecting(config: pytest.Config) -> None:
    """Make what this process knows.

    Raises:
        CollectError: a report that is asked for cannot be written.
    """
    try:
        engage(config)
    except HookproofError as error:
        raise pytest.Collector.CollectError(f"hookproof: {error}") from error
