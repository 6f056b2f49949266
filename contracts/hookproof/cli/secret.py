"""Where the secret comes from. It is read once, and never said again."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import click
from click.core import ParameterSource

from hookproof_spec.errors import HookproofError, SecretError
from hookproof_spec.scheme import SignatureScheme
from hookproof_spec.signing import Verifier

DEFAULT_VARIABLE = "HOOKPROOF_SECRET"
SPOKEN = (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP)


@final
@dataclass(frozen=True, slots=True)
class SecretSource:
    """Exactly one of three places."""

    variable: str = DEFAULT_VARIABLE
    file: str | None = None
    text: str | None = field(default=None, repr=False)

    @property
    def place(self) -> str:
        """The place in words; a variable's name is left out when it may be the secret itself."""
        if self.text is not None:
            return "--secret"
        if self.file is not None:
            return f"secret file {self.file}"
        if self._named_plainly:
            return f"environment variable {self.variable}"
        return "the environment variable of --secret-env"

    @property
    def _named_plainly(self) -> bool:
        return re.fullmatch(r"[A-Z_][A-Z0-9_]*", self.variable) is not None

    @property
    def _advice(self) -> str:
        name = self.variable if self._named_plainly else DEFAULT_VARIABLE
        return f"export {name}=…, or name another variable or a file (--secret-file)"

    def read(self, scheme: SignatureScheme) -> str:
        """Return the secret, which fits the scheme.

        Raises:
            HookproofError: there is none, it is empty, or it is not in the declared form.
        """
        secret = self._raw()
        try:
            secret.encode()
            if secret and _becomes_a_key(scheme, secret):
                return secret
        except UnicodeEncodeError as error:
            raise HookproofError("the secret is not UTF-8", where=self.place) from error
        except SecretError as error:
            raise SecretError(error.problem, where=self.place, hint=error.hint) from error
        raise HookproofError("the secret is empty", where=self.place, hint=self._advice)

    def _raw(self) -> str:
        if self.text is not None:
            click.echo(
                "hookproof: --secret: other users of this machine can read it in `ps`;"
                f" use {DEFAULT_VARIABLE} or --secret-file",
                err=True,
            )
            return self.text
        return self._from_file(self.file) if self.file is not None else self._from_environment()

    def _from_environment(self) -> str:
        if self.variable not in os.environ:
            raise HookproofError("it is not set", where=self.place, hint=self._advice)
        return os.environ[self.variable]

    def _from_file(self, path: str) -> str:
        try:
            text = Path(path).read_bytes().decode()
        except OSError as error:
            raise HookproofError(
                f"cannot be read: {(error.strerror or str(error)).lower()}",
                where=self.place,
                hint="name a file that holds the secret and nothing else",
            ) from error
        except UnicodeDecodeError as error:
            raise HookproofError("it is not UTF-8", where=self.place) from error
        return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def _becomes_a_key(scheme: SignatureScheme, secret: str) -> bool:
    """Tell whether a secret makes a key that is not empty; a SecretError says it makes none."""
    if scheme.algorithm.is_shared:
        return all(scheme.key.key(part) for part in scheme.secrets(secret).each)
    Verifier(scheme, [secret])  # takes private and public keys, in more forms than one
    return True


def chosen(ctx: click.Context, variable: str, file: str | None, text: str | None) -> SecretSource:
    """Return the one place that was named; what stands on the command line outranks the file.

    Raises:
        UsageError: two were named.
    """
    names = {
        "secret_env": "--secret-env",
        "secret_file": "--secret-file",
        "secret_text": "--secret",
    }
    for source in SPOKEN:
        named = [name for name in names if ctx.get_parameter_source(name) is source]
        if len(named) > 1:
            options = " and ".join(names[name] for name in named)
            raise click.UsageError(f"{options} exclude each other", ctx)
        if named:
            return {
                "secret_env": SecretSource(variable),
                "secret_file": SecretSource(file=file),
                "secret_text": SecretSource(text=text),
            }[named[0]]
    return SecretSource(variable)
