"""`hookproof send`: one event, or several, to a receiver. Here the options; `sending` acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import click

from hookproof.cli.completing import RULES
from hookproof.cli.durations import DURATION
from hookproof.cli.failing import Command
from hookproof.cli.options import (
    Output,
    Source,
    built,
    format_option,
    output_options,
    receiver_argument,
    secret_options,
    source_options,
)
from hookproof.cli.reaching import connection_options
from hookproof.cli.secret import SecretSource

ORDERS = ("kept", "reversed", "shuffled")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command's options as they were given; times in seconds."""

    source: Source
    secret: SecretSource
    output: Output
    url: str
    count: int
    duplicates: int
    order: str
    seed: int | None
    set: tuple[str, ...]
    data: str | None
    age: float
    nonce: str | None
    forge: str | None
    header: tuple[str, ...]
    timeout: float
    ca_file: str | None
    insecure: bool
    allow_host: tuple[str, ...]
    format: str


@click.command("send", cls=Command)
@receiver_argument
@source_options
@secret_options
@click.option(
    "--count", type=click.IntRange(1), default=1, show_default=True, help="How many events."
)
@click.option(
    "--duplicates",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="How often each event is sent again, byte for byte.",
)
@click.option(
    "--order",
    type=click.Choice(ORDERS),
    default="kept",
    show_default=True,
    help="In which order they arrive.",
)
@click.option("--seed", type=int, metavar="N", help="Shuffle as an earlier call did.")
@click.option(
    "--set",
    multiple=True,
    metavar="POINTER=JSON",
    help="Change a member of the payload, such as /sparePart/name='\"Bolt\"'. Repeatable.",
)
@click.option(
    "--data",
    metavar="JSON|@FILE|@-",
    help="The payload as it stands; else the example, made new.",
)
@click.option(
    "--age",
    type=DURATION,
    default=0.0,
    metavar="TIME",
    help="How long ago it was signed: 90s, 5m, 2h, 1d; with a minus, how far ahead.",
)
@click.option("--nonce", help="The nonce; else a new one for each event.")
@click.option(
    "--forge",
    metavar="RULE",
    shell_complete=RULES,
    help="Send what a rule of the contract would send to be refused.",
)
@click.option("--header", multiple=True, metavar="'K: V'", help="A header more. Repeatable.")
@connection_options
@click.option(
    "--allow-host",
    multiple=True,
    metavar="HOST",
    help="Name a target of --forge that is not this machine. Repeatable.",
)
@format_option("json is one object a line.")
@output_options
def send(**given: object) -> int:
    """Send a signed event to a receiver, given by URL or by its name in the configuration.

    Exit status: 0 it was taken (or, with --forge, refused), 1 it was not, 2 it could not be sent.
    """
    from hookproof.cli.sending import perform

    return perform(built(Options, given))
