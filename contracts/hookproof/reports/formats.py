"""The report formats that `--report FORMAT=PATH` can name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from hookproof.reports import Report
from hookproof.reports.files import ReportFile
from hookproof_spec.errors import HookproofError, did_you_mean, one_of


def _json(file: ReportFile) -> Report:
    from hookproof.reports.json_report import JsonReport

    return JsonReport(file)


FORMATS: Mapping[str, Callable[[ReportFile], Report]] = {"json": _json}


def open_reports(wanted: Iterable[str]) -> list[Report]:
    """Return the reports that texts like `json=PATH` ask for.

    Raises:
        HookproofError: a format is unknown, a path is missing, used twice or not writable.
    """
    reports: list[Report] = []
    taken: set[Path] = set()
    for text in wanted:
        name, path = _parsed(text)
        if path.resolve() in taken:
            raise HookproofError(
                "two reports with one path",
                where=f"--report {text}",
                hint="give each a file of its own",
            )
        taken.add(path.resolve())
        reports.append(FORMATS[name](ReportFile(path)))
    return reports


def _parsed(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if name not in FORMATS:
        raise HookproofError(
            f"unknown report format {name!r}",
            where=f"--report {text}",
            hint=did_you_mean(name, FORMATS) or one_of(FORMATS),
        )
    if not equals or not path or path == "-":
        raise HookproofError(
            "a path is missing", where=f"--report {text}", hint=f"write {name}=PATH"
        )
    return name, Path(path)
