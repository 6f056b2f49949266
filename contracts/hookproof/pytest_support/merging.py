"""Results of all tests, from whichever process, put together to one run for each contract.

This module is also loaded by the controller of every run under pytest-xdist: it imports what it
needs when the first result arrives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, final

import pytest

from hookproof.pytest_support.settings import Settings

if TYPE_CHECKING:
    from hookproof.pytest_support.merged import MergedRun

NAME = "hookproof-results"


@final
class Results:
    """Collects what tests found out, and tells it at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self.settings = Settings(config)
        self._runs: dict[str, MergedRun] = {}
        self._written: list[str] = []
        self._failure = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the result of a rule out of the report on its test."""
        parcel = vars(report).get("hookproof")
        if isinstance(parcel, str):
            from hookproof.pytest_support.merged import add

            add(self._runs, parcel)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the reports. One that cannot be written is an error of the whole run."""
        if not self._runs:
            return
        from hookproof.pytest_support.merged import write
        from hookproof_spec.errors import HookproofError

        complete = exitstatus not in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)
        try:
            for run, path in self._places():
                write(run, path, complete=complete)
                self._written.append(path)
        except HookproofError as error:
            self._failure = str(error)
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what each contract came to, and where its reports are."""
        if not self._runs:
            return
        terminalreporter.section("hookproof")
        for name, run in self._runs.items():
            terminalreporter.write_line(f"{name}: {run.words}")
        for path in self._written:
            terminalreporter.write_line(f"report: {path}")
        if self._failure:
            terminalreporter.write_line(f"ERROR: {self._failure}", red=True)

    def _places(self) -> Iterator[tuple[MergedRun, str]]:
        """Yield each contract with the report it goes to; where there are several, to its own."""
        for wanted in self.settings.reports:
            for name, run in self._runs.items():
                yield run, wanted if len(self._runs) == 1 else _own_path(wanted, name)


def _own_path(wanted: str, run: str) -> str:
    """Return `json=report-shop.json` for `json=report.json` and a contract `shop`."""
    form, _, text = wanted.partition("=")
    path = Path(text)
    own = re.sub(r"[^A-Za-z0-9_.]+", "-", run).strip("-")
    return f"{form}={path.with_name(f'{path.stem}-{own}{path.suffix}')}"


def await_results(config: pytest.Config) -> None:
    """Listen for results in this process, which writes the reports.

    Raises:
        HookproofError: a report that is asked for cannot be written.
    """
    if config.pluginmanager.has_plugin(NAME):
        return
    results = Results(config)
    asked = config.getoption("hookproof_report") or config.getini("hookproof_report")
    if asked:  # before anything is tried: no report is found to be in the wrong place at the end
        from hookproof.reports.formats import open_reports

        open_reports(results.settings.reports)
    config.pluginmanager.register(results, NAME)


def await_results_or_stop(config: pytest.Config) -> None:
    """Listen for results; a report that cannot be written ends the run before it begins."""
    if hasattr(config, "workerinput"):
        return
    from hookproof_spec.errors import HookproofError

    try:
        await_results(config)
    except HookproofError as error:
        raise pytest.UsageError(f"hookproof: {error}") from error
