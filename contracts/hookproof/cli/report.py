"""`hookproof report`: render JSON reports in other formats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import click

from hookproof.cli.failing import Command
from hookproof.cli.options import built


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command's options as they were given."""

    files: tuple[str, ...]
    html: str | None
    junit: str | None
    sarif: str | None
    markdown: str | None
    github: bool

    @property
    def wanted(self) -> Iterator[tuple[str, str]]:
        """Yield the formats that are asked for, each with its path, or `-`."""
        for name in ("html", "junit", "sarif", "markdown"):
            path = getattr(self, name)
            if path is not None:
                yield name, path
        if self.github:
            yield "github", "-"


@click.command("report", cls=Command)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--html", metavar="PATH", help="One page; several reports stand side by side in it.")
@click.option("--junit", metavar="PATH", help="JUnit's XML, of one report.")
@click.option("--sarif", metavar="PATH", help="SARIF 2.1.0, of one report.")
@click.option("--markdown", metavar="PATH", help="Markdown for a job summary, of one report.")
@click.option("--github", is_flag=True, help="Print annotations for GitHub.")
def report(**given: object) -> int:
    """Render the JSON reports FILE... that `hookproof verify --report json=PATH` wrote.

    Exit status: 0 written, 2 a report cannot be read, or its rendering not be written.
    """
    from hookproof.cli.reporting import perform

    return perform(built(Options, given))
