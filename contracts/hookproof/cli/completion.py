"""`hookproof completion`: what makes a shell complete commands, options, rules and names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from hookproof.cli.app import PROGRAM, app
from hookproof.cli.failing import Command

VARIABLE = "_HOOKPROOF_COMPLETE"
"""Under this name click looks for what a shell asks of it."""


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print a script that makes a shell complete `hookproof`.

    \b
    bash:  eval "$(hookproof completion bash)"        in ~/.bashrc
    zsh:   eval "$(hookproof completion zsh)"         in ~/.zshrc
    fish:  hookproof completion fish | source         in ~/.config/fish/config.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"click knows no shell {shell!r}")
    click.echo(found(app, {}, PROGRAM, VARIABLE).source())
    return 0
