"""`hookproof load`: signed events by many users at once. Here the options; `loading` acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import click

from hookproof.cli.durations import DURATION
from hookproof.cli.failing import Command
from hookproof.cli.options import (
    SECONDS,
    Output,
    Source,
    built,
    format_option,
    output_options,
    receiver_argument,
    secret_options,
    source_options,
)
from hookproof.cli.reaching import (
    allow_host_option,
    connection_options,
    headers_option,
    policy_options,
)
from hookproof.cli.secret import SecretSource

LOOPBACK = "127.0.0.1"
PORT = 5557


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command's options as they were given; times in seconds."""

    source: Source
    secret: SecretSource
    output: Output
    url: str
    users: int
    rate: float | None
    duration: float | None
    requests: int | None
    mix: str | None
    effects_url: str | None
    effect_timeout: float
    tolerance: float | None
    replay: str
    forged: str
    header: tuple[str, ...]
    timeout: float
    ca_file: str | None
    insecure: bool
    allow_host: tuple[str, ...]
    written: tuple[str, ...]
    format: str
    master: bool
    worker: bool
    master_host: str
    master_port: int
    expect_workers: int


def _show_locustfile(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from hookproof.load.running import locustfile

        click.echo(locustfile())
        ctx.exit()


@click.command("load", cls=Command)
@receiver_argument
@source_options
@secret_options
@click.option(
    "--users",
    type=click.IntRange(1, 1_000_000),
    default=10,
    show_default=True,
    metavar="N",
    help="How many send at once, each one request after another.",
)
@click.option(
    "--rate",
    type=SECONDS,
    metavar="N",
    help="How many requests a second all users send together; else as many as they can.",
)
@click.option(
    "--duration",
    type=DURATION,
    metavar="TIME",
    help="How long: 90s, 5m, 2h; 30s where --requests is not given either.",
)
@click.option(
    "--requests",
    type=click.IntRange(1),
    metavar="N",
    help="End after so many requests.",
)
@click.option(
    "--mix",
    metavar="KIND=N,…",
    help="Weights of what is sent; else valid=85,forged=5,stale=5,replayed=5, as far as the"
    " scheme has a timestamp and a nonce.",
)
@click.option(
    "--effects-url",
    metavar="URL",
    help="Where the receiver tells what it has processed: a number, a list, or an object"
    " with `processed`.",
)
@click.option(
    "--effect-timeout",
    type=SECONDS,
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long no effect may show before none is waited for any more.",
)
@policy_options
@headers_option
@connection_options
@allow_host_option
@click.option(
    "--report",
    "written",
    multiple=True,
    metavar="FORMAT=PATH",
    help="Write a report: json or html. Repeatable.",
)
@format_option("json is one object, when it has ended.")
@click.option("--master", is_flag=True, help="Let workers send, and judge what all of them count.")
@click.option("--worker", is_flag=True, help="Send what a master asks for; see docs/load.md.")
@click.option(
    "--master-host",
    default=LOOPBACK,
    show_default=True,
    metavar="HOST",
    help="Where the master listens. Whoever reaches it can take part.",
)
@click.option(
    "--master-port",
    type=click.IntRange(1, 65_535),
    default=PORT,
    show_default=True,
    metavar="PORT",
    help="Its port.",
)
@click.option(
    "--expect-workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many workers a master waits for.",
)
@click.option(
    "--locustfile",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_locustfile,
    help="Print where the locustfile is, for `locust -f`, and exit.",
)
@output_options
def load(**given: object) -> int:
    """Load a receiver with genuine, forged, stale and replayed events, and judge what it does.

    Exit status: 0 every verdict is right, 1 a genuine event was refused or lost, or another one was
    acted on, 2 the load could not be run, 3 something could not be judged, 130
    after Ctrl-C.
    """
    from hookproof.cli.loading import perform

    return perform(built(Options, given))
