"""A command with commands of its own, whose mistakes are told as all others are."""

from __future__ import annotations

import click

from hookproof.cli.app import nearest
from hookproof.cli.failing import Command


class Group(click.Group):
    """A group whose unknown commands are told with the nearest."""

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command."""
        if args[0] in self.commands or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        raise click.UsageError(
            f"No such command {args[0]!r}.{nearest(args[0], self.commands)}", ctx
        )
