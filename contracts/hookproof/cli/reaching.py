"""Options of the commands that send to a receiver: how it is reached, what it says of itself."""

from __future__ import annotations

from collections.abc import Callable

import click

from hookproof.cli.options import HOST, SECONDS, Run
from hookproof.verdicts import ForgedPolicy, ReplayPolicy

TIMEOUT = 10.0
"""Seconds that an answer is waited for."""


def _together(*options: Callable[[Run], Run]) -> Callable[[Run], Run]:
    """Return one decorator for several options, which are listed in this order."""

    def decorated(function: Run) -> Run:
        for option in reversed(options):
            function = option(function)
        return function

    return decorated


connection_options = _together(
    click.option(
        "--timeout",
        type=SECONDS,
        default=TIMEOUT,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for an answer.",
    ),
    click.option("--ca-file", metavar="PATH", help="Certificates to trust, as PEM."),
    click.option("--insecure", is_flag=True, help="Trust any certificate."),
)
"""`--timeout`, `--ca-file` and `--insecure`: how a receiver is reached."""

allow_host_option = click.option(
    "--allow-host",
    type=HOST,
    multiple=True,
    metavar="HOST",
    help="Name a target that is not this machine. Repeatable.",
)

headers_option = click.option(
    "--header",
    multiple=True,
    metavar="'K: V'",
    help="A header to send with everything. Repeatable.",
)

policy_options = _together(
    click.option(
        "--tolerance", type=SECONDS, metavar="SECONDS", help="The oldest age the receiver accepts."
    ),
    click.option(
        "--replay",
        type=click.Choice([policy.value for policy in ReplayPolicy]),
        default=ReplayPolicy.EITHER.value,
        show_default=True,
        help="What it does with an event it has seen.",
    ),
    click.option(
        "--forged",
        type=click.Choice([policy.value for policy in ForgedPolicy]),
        default=ForgedPolicy.REJECTS.value,
        show_default=True,
        help="What it does with a forgery.",
    ),
)
"""`--tolerance`, `--replay` and `--forged`: what a receiver says of itself."""
