"""`hookproof listen`: the reference receiver on a port, showing the verdict on each delivery."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

import click

from hookproof.cli.addresses import checked_url
from hookproof.cli.failing import Command
from hookproof.cli.options import (
    HOST,
    SECONDS,
    Output,
    Source,
    built,
    format_option,
    output_options,
    secret_options,
    source_options,
)
from hookproof.cli.secret import SecretSource
from hookproof.cli.signals import held_back, wait_for
from hookproof.redact import Redactor
from hookproof.reports.console import Console

if TYPE_CHECKING:
    from hookproof.cli.hearing import Forward, Show
    from hookproof.targets.base import Exchange
    from hookproof_spec.request import Request


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command's options as they were given."""

    source: Source
    secret: SecretSource
    output: Output
    host: str
    port: int
    path: str
    replay: str | None
    tolerance: float | None
    forward: str | None
    format: str


@click.command("listen", cls=Command)
@source_options
@secret_options
@output_options
@click.option(
    "--host",
    type=HOST,
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port; 0 takes a free one.",
)
@click.option("--path", default="/webhook", show_default=True, help="Where deliveries arrive.")
@click.option(
    "--replay",
    type=click.Choice(["rejects", "ignores"]),
    help="What to do with an event seen before; else as the document suits.",
)
@click.option(
    "--tolerance",
    type=SECONDS,
    metavar="SECONDS",
    help="The oldest age to accept, instead of the declared one.",
)
@click.option(
    "--forward", metavar="URL", help="Pass each delivery on, untouched, and answer what comes back."
)
@format_option("json is one object a line.")
def listen(**given: object) -> int:
    """Receive deliveries and show the verdict on each.

    What is processed is counted at /effects. Ctrl-C or SIGTERM ends it, with exit status 0.
    """
    return perform(built(Options, given))


def perform(options: Options) -> int:
    """Serve until Ctrl-C; return the exit status.

    Raises:
        HookproofError: an option is wrong, or the port is taken.
    """
    from hookproof.cli.hearing import Hearing
    from hookproof.nonces import TemporaryNonceStore
    from hookproof.receiver import create_receiver
    from hookproof.serving import serve

    _, webhook = options.source.load()
    secret = options.secret.read(webhook.scheme)
    show = _show(options, Redactor([secret], webhook.scheme))
    hearing = Hearing(webhook=webhook, path=options.path, show=show, forward=_forward(options))
    with TemporaryNonceStore() as nonces:
        app = create_receiver(
            webhook,
            [secret],
            nonces=nonces,
            on_verdict=hearing.judged,
            path=options.path,
            replay=_REPLAY[options.replay],
            tolerance=options.tolerance,
        )
        site = hearing.around(app)
        with held_back() as signals, serve(site, options.host, options.port) as server:
            show.ready(server.url + options.path)
            wait_for(signals)
    return 0


_REPLAY: Mapping[str | None, Literal["reject", "ignore"] | None] = {
    None: None,
    "rejects": "reject",
    "ignores": "ignore",
}


def _forward(options: Options) -> Forward | None:
    from hookproof.targets.http import HttpTarget

    if options.forward is None:
        return None
    url = checked_url(options.forward, "--forward")

    def forward(request: Request) -> Exchange:
        with HttpTarget(url) as target:  # a target serves one thread
            return target.send(request.with_url(url))

    return forward


def _show(options: Options, redactor: Redactor) -> Show:
    from hookproof.cli.hearing import JsonShow, TextShow

    if options.format == "json":
        return JsonShow(Console(sys.stdout), redactor)
    return TextShow(options.output.console(), redactor, options.output.detail)
