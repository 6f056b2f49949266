"""`hookproof serve`: the mock sender with its dashboard. Here the options; `mocking` acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import click

from hookproof.cli.failing import Command
from hookproof.cli.options import (
    HOST,
    SECONDS,
    Host,
    Output,
    Source,
    built,
    format_option,
    output_options,
    secret_options,
    source_options,
)
from hookproof.cli.secret import SecretSource

SCHEDULES = ("none", "fixed", "exponential", "standard")
DATABASE = "hookproof.sqlite3"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command's options as they were given; times in seconds."""

    source: Source
    secret: SecretSource
    output: Output
    host: str
    port: int
    db: str
    url: str | None
    unsigned: bool
    print_secret: bool
    plan: str | None
    schedule: str
    attempts: int
    success: tuple[int, ...]
    timeout: float
    time_scale: float
    allow_host: tuple[str, ...]
    allow_receiver: tuple[str, ...]
    token_env: str | None
    format: str


@click.command("serve", cls=Command)
@source_options
@secret_options
@click.option(
    "--host",
    type=HOST,
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; a browser may call it so, too.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8025,
    show_default=True,
    help="The port; 0 takes a free one.",
)
@click.option(
    "--db",
    default=DATABASE,
    show_default=True,
    metavar="PATH|:memory:",
    help="Where everything is kept.",
)
@click.option("--url", metavar="URL", help="Register this receiver at once, unless it already is.")
@click.option("--unsigned", is_flag=True, help="Send to --url without a signature.")
@click.option(
    "--print-secret", is_flag=True, help="Show the secret of --url; one is made where none is set."
)
@click.option("--plan", metavar="NAME", help="The plan of the account, which decides on webhooks.")
@click.option(
    "--schedule",
    type=click.Choice(SCHEDULES),
    default="exponential",
    show_default=True,
    help="When deliveries to --url are tried again.",
)
@click.option(
    "--attempts",
    type=click.IntRange(1, 100),
    default=8,
    show_default=True,
    metavar="N",
    help="How often a delivery to --url is tried.",
)
@click.option(
    "--success",
    type=click.IntRange(100, 599),
    multiple=True,
    metavar="STATUS",
    help="A status that counts as received; else every 2xx. Repeatable.",
)
@click.option(
    "--timeout",
    type=SECONDS,
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for an answer of --url.",
)
@click.option(
    "--time-scale",
    type=SECONDS,
    default=1.0,
    show_default=True,
    metavar="N",
    help="How much faster than real time retries come: 60 makes a minute a second.",
)
@click.option(
    "--allow-host",
    type=HOST,
    multiple=True,
    metavar="HOST",
    help="A name by which browsers reach the dashboard, besides this machine's own. Repeatable.",
)
@click.option(
    "--allow-receiver",
    type=Host("*"),
    multiple=True,
    metavar="HOST",
    help="A host that may be sent deliveries, besides this machine; * allows all. Repeatable.",
)
@click.option(
    "--token-env",
    metavar="VAR",
    help="The environment variable with the token that changes by the API need; else a new one.",
)
@format_option("json is one object a line.")
@output_options
def serve(**given: object) -> int:
    """Send webhooks from this machine, with a dashboard.

    Register a receiver, let a spare part run out, watch the delivery, break it on purpose, send it
    again. Ctrl-C or SIGTERM ends it, with exit status 0, once the answers that are still out have
    come; a second one does not wait for them. Nothing that was accepted is lost.
    """
    from hookproof.cli.mocking import perform

    return perform(built(Options, given))
