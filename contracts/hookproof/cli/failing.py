"""Mistakes of the user, each told in one line: `hookproof: WHERE: WHAT; WHAT TO DO`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import click

from hookproof.cli.app import BROKEN_PIPE, PROGRAM
from hookproof_spec.errors import HookproofError

_CLICK_HINT = re.compile(r"\s*\(?(Did you mean [^?]*\?)\)?$")


class Failure(click.ClickException):
    """A `HookproofError` on its way out."""


class Command(click.Command):
    """A command whose mistakes reach the user as one line and never as a traceback."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: object,
    ) -> click.Context:
        """Parse; reading a configuration file may fail as well."""
        with _translated():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Run."""
        with _translated():
            try:
                return super().invoke(ctx)
            except BrokenPipeError:  # click would make it exit status 1, which means a finding
                ctx.exit(BROKEN_PIPE)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except HookproofError as error:
        raise Failure(str(error)) from error


def one_line(error: click.ClickException) -> str:
    """Return what to print for an error."""
    text = _usage(error) if isinstance(error, click.UsageError) else error.format_message()
    return f"{PROGRAM}: {' '.join(text.split())}"


def _usage(error: click.UsageError) -> str:
    where, what = _place(error), _what(error)
    hint = _CLICK_HINT.search(what)
    advice = hint[1].replace("Did", "did") if hint else f"see `{_help(error)}`"
    what = what[: hint.start()] if hint else what
    what = what.strip().rstrip(".")
    return f"{where}{what[:1].lower()}{what[1:]}; {advice}".replace("'", "")


def _what(error: click.UsageError) -> str:
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter):
        return error.message
    return error.format_message()


def _place(error: click.UsageError) -> str:
    words = error.ctx.command_path.split()[1:] if error.ctx else []
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter):
        words += _parameter(error.param)
    return f"{' '.join(words)}: " if words else ""


def _parameter(parameter: click.Parameter | None) -> list[str]:
    if isinstance(parameter, click.Option):
        return [max(parameter.opts, key=len)]
    return [parameter.human_readable_name] if parameter else []


def _help(error: click.UsageError) -> str:
    return f"{error.ctx.command_path if error.ctx else PROGRAM} --help"
