"""`hookproof replay`: send a recorded finding again. Here the options; `replaying` acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import click

from hookproof.cli.failing import Command
from hookproof.cli.options import SECONDS, Output, built, output_options, secret_options
from hookproof.cli.reaching import allow_host_option, connection_options
from hookproof.cli.secret import SecretSource

SETTLE = 1.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command's options as they were given; times in seconds."""

    report: str
    id: str
    secret: SecretSource
    output: Output
    verbatim: bool
    url: str | None
    effects_url: str | None
    settle: float
    timeout: float
    ca_file: str | None
    insecure: bool
    allow_host: tuple[str, ...]


@click.command("replay", cls=Command)
@click.argument("report", metavar="REPORT")
@click.argument("id", metavar="ID")
@secret_options
@click.option(
    "--verbatim", is_flag=True, help="Send the recorded bytes, old times and nonces as they are."
)
@click.option("--url", metavar="URL", help="Send it there instead of where it went.")
@click.option(
    "--effects-url", metavar="URL", help="Where the receiver tells what it has processed."
)
@click.option(
    "--settle",
    type=SECONDS,
    default=SETTLE,
    show_default=True,
    metavar="SECONDS",
    help="How long effects are waited for.",
)
@connection_options
@allow_host_option
@output_options
def replay(**given: object) -> int:
    """Send what the finding ID stands on in the JSON report REPORT again.

    The requests are made anew: each has a fresh time, nonce and marker, what was old is as old as
    it was, and what was forged is forged in the same way, where that can be told. A copy is sent
    after the genuine request that it copies. Where that tells nothing, the rule itself is tried.

    Exit status: 0 not seen again, 1 seen again, 3 it cannot be told, 2 usage.
    """
    from hookproof.cli.replaying import perform

    return perform(built(Options, given))
