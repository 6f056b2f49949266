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
        self._complete = True

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

        unfinished = (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)
        stopped = session.shouldfail or session.shouldstop  # by -x, say
        self._complete = exitstatus not in unfinished and not stopped
        try:
            for run, wanted in self._places():
                paths = [path for path in wanted if not _printed(path)]
                write(run, paths, complete=self._complete)
                self._written += paths
        except HookproofError as error:
            self._failure = str(error)
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what each contract came to, and where its reports are."""
        if not self._runs:
            return
        terminalreporter.section("hookproof")
        for name, run in self._runs.items():
            terminalreporter.write_line(f"{name}: {run.words(complete=self._complete)}")
        for path in self._written:
            terminalreporter.write_line(f"report: {path}")
        self._print(terminalreporter)
        if self._failure:
            terminalreporter.write_line(f"ERROR: {self._failure}", red=True)

    def _print(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the reports that are asked for with `-`."""
        from hookproof.pytest_support.merged import write

        for run, wanted in self._places():
            printed = list(filter(_printed, wanted))
            write(run, printed, complete=self._complete, stream=_Lines(terminalreporter))

    def _places(self) -> Iterator[tuple[MergedRun, list[str]]]:
        """Yield each contract with its reports; where there are several, with its own."""
        for name, run in self._runs.items():
            several = len(self._runs) > 1
            yield (
                run,
                [_own_path(path, name) if several else path for path in self.settings.reports],
            )


@final
class _Lines:
    """Prints a report among the lines of the summary, where pytest captures nothing."""

    def __init__(self, terminalreporter: pytest.TerminalReporter) -> None:
        self._terminalreporter = terminalreporter

    def write(self, data: bytes) -> None:
        """Print it."""
        self._terminalreporter.write(data.decode())


def _printed(wanted: str) -> bool:
    return wanted.endswith("=-")


def _own_path(wanted: str, run: str) -> str:
    """Return `json=report-shop.json` for `json=report.json` and a contract `shop`."""
    if _printed(wanted):
        return wanted
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
