"""Options that several commands share, each group read into one value."""

from __future__ import annotations

import functools
import math
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, final

import click

from hookproof import config
from hookproof.cli.completing import DOCUMENTS, RECEIVERS
from hookproof.cli.secret import DEFAULT_VARIABLE, SecretSource, chosen
from hookproof.fresh import fresh_nonce
from hookproof.reports.console import Colour, Console
from hookproof.reports.terminal import Detail
from hookproof_spec.errors import HookproofError
from hookproof_spec.scheme import SignatureScheme
from hookproof_spec.webhook import Document, Webhook

Run = Callable[..., int]
Options = TypeVar("Options")
DEFAULT_SPEC = "mobility-work"


class Finite(click.FloatRange):
    """A number in a range, and none of those that are none."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read a number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


class Moment(click.types.FloatParamType):
    """Unix seconds: any number, and none of those that are none."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read a number."""
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


class Host(click.types.StringParamType):
    """A host's name or address alone: what is more would equal no host."""

    name = "host"

    def __init__(self, *besides: str) -> None:
        self._besides = besides

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Read one, or one of the words that may stand in its place."""
        text = str(value)
        if text not in self._besides and not _is_host(text):
            self.fail(f"{text!r} is no host; give its name alone, such as box.internal", param, ctx)
        return text


def _is_host(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return _HOST_NAME.fullmatch(text) is not None
    return True


_HOST_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")
HOST = Host()
TIME = Moment()
SECONDS = Finite(0, min_open=True)


def built(kind: Callable[..., Options], given: Mapping[str, object]) -> Options:
    """Return the record of a command's options: click has converted each to its field's type."""
    return kind(**given)


@final
@dataclass(frozen=True, slots=True)
class Source:
    """Which webhook of which document."""

    spec: str
    webhook: str | None

    def load(self) -> tuple[Document, Webhook]:
        """Load the document and pick the webhook.

        Raises:
            DocumentError: the document, or the webhook in it, cannot be used.
        """
        from hookproof_spec import load

        document = load(self.spec)
        return document, document.webhook(self.webhook)


@final
@dataclass(frozen=True, slots=True)
class Output:
    """How much is written, and whether in colour."""

    colour: Colour
    detail: Detail

    def console(self) -> Console:
        """Return the console on standard output."""
        return Console.on(sys.stdout, self.colour)


def config_option(function: Run) -> Run:
    """Add `--config`, whose values become the defaults of the other options."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=_configured,
        metavar="PATH",
        help="Configuration; else hookproof.toml, or [tool.hookproof] in the nearest"
        " pyproject.toml.",
    )(function)


def source_options(function: Run) -> Run:
    """Add `--spec`, `--webhook` and `--config`; the function gets `source`."""

    @click.option(
        "--spec",
        default=DEFAULT_SPEC,
        metavar="NAME|PATH",
        show_default=True,
        shell_complete=DOCUMENTS,
        help="The OpenAPI document.",
    )
    @click.option("--webhook", metavar="NAME", help="Which webhook, where a document has several.")
    @config_option
    @functools.wraps(function)
    def with_source(*, spec: str, webhook: str | None, **rest: object) -> int:
        return function(source=Source(spec, webhook), **rest)

    return with_source


def secret_options(function: Run) -> Run:
    """Add the three ways to give a secret; the function gets `secret`."""

    @click.option(
        "--secret-env",
        default=DEFAULT_VARIABLE,
        metavar="VAR",
        show_default=True,
        help="The environment variable that holds the secret.",
    )
    @click.option(
        "--secret-file",
        metavar="PATH",
        help="The file that holds it; one line end at its end is dropped.",
    )
    @click.option(
        "--secret",
        "secret_text",
        metavar="TEXT",
        help="The secret itself, which other users can then see in `ps`.",
    )
    @functools.wraps(function)
    def with_secret(
        *, secret_env: str, secret_file: str | None, secret_text: str | None, **rest: object
    ) -> int:
        source: SecretSource = chosen(
            click.get_current_context(), secret_env, secret_file, secret_text
        )
        return function(secret=source, **rest)

    return with_secret


def output_options(function: Run) -> Run:
    """Add `--color`, `-q` and `-v`; the function gets `output`."""

    @click.option(
        "--color",
        type=click.Choice([colour.value for colour in Colour]),
        default=Colour.AUTO.value,
        show_default=True,
        help="Colours; NO_COLOR is honoured.",
    )
    @click.option("-q", "--quiet", is_flag=True, help="Only what matters most.")
    @click.option("-v", "--verbose", is_flag=True, help="More than usual.")
    @functools.wraps(function)
    def with_output(*, color: str, quiet: bool, verbose: bool, **rest: object) -> int:
        if quiet and verbose:
            raise click.UsageError("-q and -v exclude each other", click.get_current_context())
        detail = Detail.QUIET if quiet else Detail.VERBOSE if verbose else Detail.NORMAL
        return function(output=Output(Colour(color), detail), **rest)

    return with_output


def receiver_argument(function: Run) -> Run:
    """Add the receiver, given by URL or by its name in the configuration; gives `url`."""

    @click.argument(
        "url",
        required=False,
        is_eager=True,
        callback=_named,
        metavar="URL|NAME",
        shell_complete=RECEIVERS,
    )
    @functools.wraps(function)
    def with_receiver(*, url: str | None, **rest: object) -> int:
        return function(url=url or _only_url(click.get_current_context()), **rest)

    return with_receiver


def configuration() -> config.Config:
    """Return the configuration that holds for the running command."""
    found = click.get_current_context().find_object(config.Config)
    return found if found is not None else config.Config({})


def _configured(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Make the configuration's values the defaults of the other options."""
    if not ctx.resilient_parsing:
        ctx.obj = config.find(path, Path.cwd())
        _hold(ctx)


def _named(ctx: click.Context, _: click.Parameter, given: str | None) -> str | None:
    """Take a URL as it is; a name says which of the configuration's receivers is meant."""
    if given is None or "/" in given or ":" in given or ctx.resilient_parsing:
        return given
    ctx.meta[_NAME] = given
    _hold(ctx)
    return None


def _hold(ctx: click.Context) -> None:
    """Let the configuration hold, once it is read: that of the named receiver, if one is named.

    Both are eager, and come in the order in which they were typed.
    """
    found = ctx.obj
    if isinstance(found, config.Config):
        name = ctx.meta.pop(_NAME, None)
        ctx.obj = found if name is None else found.receiver(name)
        ctx.default_map = dict(ctx.obj.defaults())


_NAME = "hookproof.receiver"


def _only_url(ctx: click.Context) -> str:
    """Return the URL of the configuration, where none is given.

    Raises:
        UsageError: it has none.
    """
    found = configuration()
    if "url" in found.values:
        return str(found.values["url"])
    names = ", ".join(found.receivers)
    hint = f"name a receiver of the configuration: {names}" if names else "give its URL"
    raise click.UsageError(f"which receiver? {hint}", ctx)


def nonce_for(scheme: SignatureScheme, given: str | None) -> str:
    """Return the nonce that was given, or a new one.

    Raises:
        HookproofError: one was given, and the scheme has none.
    """
    if given is None:
        return fresh_nonce(scheme.nonce)
    if scheme.place_of("nonce") is None:
        raise HookproofError("this scheme has no nonce", where="--nonce", hint="leave it out")
    return given


def format_option(text: str) -> Callable[[Run], Run]:
    """Return `--format`, text or json."""
    return click.option(
        "--format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help=text,
    )
