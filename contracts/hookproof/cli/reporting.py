"""What `hookproof report` does with its options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hookproof.cli.report import Options
from hookproof.reports.formats import outputs, renderer
from hookproof.reports.json_reading import read_report
from hookproof.reports.model import RunReport
from hookproof_spec.errors import HookproofError


def perform(options: Options) -> int:
    """Read every report, and only then write; return the exit status.

    Raises:
        HookproofError: a report cannot be read, nothing is asked for, or it cannot be written.
    """
    wanted = tuple(options.wanted)
    if not wanted:
        raise HookproofError(
            "no format is asked for",
            where="report",
            hint="add --html PATH, --junit PATH, --sarif PATH, --markdown PATH or --github",
        )
    places = outputs([f"{name}={path}" for name, path in wanted])
    runs = [read_report(Path(file)) for file in options.files]
    pages = [_rendered(name, runs) for name, _ in wanted]
    for place, data in zip(places, pages, strict=True):
        place.write(data)
    return 0


def _rendered(name: str, runs: Sequence[RunReport]) -> bytes:
    if name == "html":
        from hookproof.reports.html import page

        return page(runs)
    if name == "github":
        return b"".join(map(renderer(name), runs))
    if len(runs) > 1:
        raise HookproofError(
            f"{len(runs)} reports do not go into one file of {name}",
            where=f"report --{name}",
            hint="give one at a time; --html takes several",
        )
    return renderer(name)(runs[0])
