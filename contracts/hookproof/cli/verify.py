"""`hookproof verify`: run the contract against a receiver. Here the options; `verifying` acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import click
from click.core import ParameterSource

from hookproof.cli.completing import CHOICES
from hookproof.cli.failing import Command
from hookproof.cli.options import (
    SECONDS,
    Output,
    Source,
    built,
    configuration,
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
from hookproof.rule import CURRENT

EFFECT_TIMEOUT = 5.0
EXAMPLES = 30


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command's options as they were given; times in seconds."""

    source: Source
    secret: SecretSource
    output: Output
    unsigned: bool
    other_secret_env: str | None
    url: str
    effects_url: str | None
    effect_timeout: float
    also_url: str | None
    restart_command: str | None
    tolerance: float | None
    replay: str
    forged: str
    only: tuple[str, ...]
    skip: tuple[str, ...]
    skip_reasons: Mapping[str, str]
    strict: bool
    ruleset: int
    baseline: str | None
    baseline_update: bool
    baseline_reason: str | None
    seed: int | None
    examples: int
    header: tuple[str, ...]
    timeout: float
    rate: float | None
    ca_file: str | None
    insecure: bool
    allow_host: tuple[str, ...]
    report: tuple[str, ...]


@click.command("verify", cls=Command)
@receiver_argument
@source_options
@secret_options
@click.option(
    "--unsigned", is_flag=True, help="The receiver runs without a secret and verifies nothing."
)
@click.option(
    "--other-secret-env",
    metavar="VAR",
    help="The environment variable with the secret of another webhook of yours.",
)
@click.option(
    "--effects-url",
    metavar="URL",
    help="Where the receiver tells what it has processed: a number, a list, or an object"
    " with `processed` and `nonces`.",
)
@click.option(
    "--effect-timeout",
    type=SECONDS,
    default=EFFECT_TIMEOUT,
    show_default=True,
    metavar="SECONDS",
    help="How long an effect may take to show there.",
)
@click.option("--also-url", metavar="URL", help="Another instance of the same receiver.")
@click.option(
    "--restart-command",
    metavar="COMMAND",
    help="Restarts the receiver and ends when it is up again; run by the shell.",
)
@policy_options
@click.option(
    "--only",
    multiple=True,
    metavar="ID|CATEGORY|core",
    shell_complete=CHOICES,
    help="Run these rules, and what they stand on. Repeatable.",
)
@click.option(
    "--skip",
    multiple=True,
    metavar="ID|CATEGORY|core",
    shell_complete=CHOICES,
    help="Leave these rules out. Repeatable.",
)
@click.option("--strict", is_flag=True, help="Let a broken SHOULD fail the run.")
@click.option(
    "--ruleset",
    type=click.IntRange(1, CURRENT),
    default=CURRENT,
    show_default=True,
    metavar="N",
    help="Score the rules of this rule set; younger ones are told only.",
)
@click.option("--baseline", metavar="PATH", help="The findings that are accepted for a time.")
@click.option(
    "--baseline-update", is_flag=True, help="Accept what this run finds, and write the baseline."
)
@click.option("--baseline-reason", metavar="TEXT", help="Why new findings are accepted.")
@click.option("--seed", type=int, help="Repeat the choices of an earlier run.")
@click.option(
    "--examples",
    type=click.IntRange(1, 100_000),
    default=EXAMPLES,
    show_default=True,
    metavar="N",
    help="How many examples a property is tried with.",
)
@headers_option
@click.option("--rate", type=SECONDS, metavar="N", help="At most so many requests a second.")
@connection_options
@allow_host_option
@click.option(
    "--report",
    multiple=True,
    metavar="FORMAT=PATH",
    help="Write a report: json, junit, html, sarif, markdown or github (which also takes - for"
    " standard output). Repeatable.",
)
@output_options
def verify(**given: object) -> int:
    """Run the contract against a receiver, given by URL or by its name in the configuration.

    Exit status: 0 every applicable MUST rule passed, 1 one is broken, 3 nothing is broken but a
    MUST rule could not be proven, 2 the contract could not be run, 130 after Ctrl-C.
    """
    from hookproof.cli.verifying import perform

    return perform(built(Options, {**given, "skip_reasons": _reasons()}))


def _reasons() -> Mapping[str, str]:
    """Return the configuration's reasons, unless the command line leaves out other rules."""
    typed = click.get_current_context().get_parameter_source("skip") is ParameterSource.COMMANDLINE
    return {} if typed else configuration().reasons
