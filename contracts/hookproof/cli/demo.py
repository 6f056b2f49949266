"""`hookproof demo`: the contract at work, without any set-up. Here the options; `showing` acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import click

from hookproof.cli.failing import Command
from hookproof.cli.options import Output, built, output_options


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command's options as they were given."""

    output: Output
    once: bool


@click.command("demo", cls=Command)
@click.option("--once", is_flag=True, help="End afterwards, instead of serving until Ctrl-C.")
@output_options
def demo(**given: object) -> int:
    """Run the contract against a correct receiver, and against one with a bug.

    Both are started here, on free ports of this machine. Without --once the correct one goes on
    listening afterwards, to be tried by hand. Exit status 0 when both were judged rightly.
    """
    from hookproof.cli.showing import perform

    return perform(built(Options, given))
