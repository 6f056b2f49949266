"""The entry: a table of commands, imported on demand, and one way out for every mistake.

This module imports click and nothing else, because every call of `hookproof` pays for it.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence

import click

PROGRAM = "hookproof"
USAGE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
"""128 + SIGPIPE, as other tools end when their reader goes away."""
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a full disk and a terminal that has gone say of a stream; of a file, its name as well."""

COMMANDS: Mapping[str, tuple[str, str]] = {
    "verify": ("verify:verify", "Run the contract against a receiver."),
    "send": ("send:send", "Send a signed event, or a forged one, to a receiver."),
    "sign": ("sign:sign", "Print a signed request."),
    "check": ("check:check", "Judge a captured request."),
    "listen": ("listen:listen", "Receive deliveries and show the verdict on each."),
    "load": ("load:load", "Load a receiver by many users, and judge what it does."),
    "serve": ("serve:serve", "Send webhooks from this machine, with a dashboard."),
    "report": ("report:report", "Render JSON reports as HTML, JUnit, SARIF, Markdown."),
    "replay": ("replay:replay", "Send a recorded finding again."),
    "rules": ("rules:rules", "Show the rules of the contract."),
    "spec": ("spec:spec", "Check, list and show documents."),
    "init": ("init:init", "Write what starts a contract for the receiver in a folder."),
    "config": ("configured:config", "Show the configuration, and what may stand in it."),
    "completion": ("completion:completion", "Print what makes a shell complete commands."),
    "demo": ("demo:demo", "Show the contract at work, without any set-up."),
    "selftest": ("selftest:selftest", "Show what the contract finds, and what it leaves alone."),
}
"""From a command's name to where it is defined and its line in the help."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, and not for its help."""

    def __init__(self, table: Mapping[str, tuple[str, str]]) -> None:
        super().__init__(
            PROGRAM,
            help="Prove that a webhook receiver is right: it accepts what is genuine, refuses"
            " what is forged, stale or malformed, and acts once on what is replayed.",
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        )
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.table:
            return None
        module, _, attribute = self.table[cmd_name][0].partition(":")
        command: click.Command = getattr(
            importlib.import_module(f"hookproof.cli.{module}"), attribute
        )
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; an unknown one is told with the nearest."""
        name = args[0]
        if name in self.table or name.startswith("-"):
            return super().resolve_command(ctx, args)
        raise click.UsageError(f"No such command {name!r}.{nearest(name, self.table)}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.table.items()])


def nearest(word: str, known: Mapping[str, object]) -> str:
    """Return ` Did you mean X?`, or "" when nothing is near."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"{PROGRAM} {version(PROGRAM)}")
        ctx.exit()


app = LazyGroup(COMMANDS)
app.params.append(
    click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help="Show the version and exit.",
    )
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status of the process."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words:
        return _guarded(lambda: app.main(["--help"], PROGRAM, standalone_mode=False)) or USAGE
    return _guarded(lambda: app.main(words, PROGRAM, standalone_mode=False))


def _guarded(run: Callable[[], object]) -> int:
    try:
        status = run()
        sys.stdout.flush()
    except click.ClickException as error:
        return _told(error)
    except click.Abort:
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return BROKEN_PIPE
    except OSError as error:
        if error.errno not in _UNWRITABLE or error.filename is not None:
            raise
        _drop_output()
        return _told(click.ClickException(f"the output cannot be written: {error.strerror}"))
    return status if isinstance(status, int) else 0


def _told(error: click.ClickException) -> int:
    from hookproof.cli.failing import one_line

    click.echo(one_line(error), err=True)
    return USAGE


def _drop_output() -> None:
    """Send the rest nowhere: Python's own flush at exit would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
