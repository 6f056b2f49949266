"""`hookproof init`: the files that start a contract, written for what a folder holds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

import click

from hookproof.cli.completing import DOCUMENTS
from hookproof.cli.failing import Command
from hookproof.cli.options import DEFAULT_SPEC, built
from hookproof.reports.exchanges import escaped
from hookproof.starting.frameworks import FRAMEWORKS, Kind
from hookproof_spec.errors import HookproofError

if TYPE_CHECKING:
    from hookproof.starting.choosing import Choice, Wishes
    from hookproof.starting.planning import Plan
    from hookproof.starting.sources import Place

_URL_PATH = re.compile(r"/[A-Za-z0-9/_.~!$&'()*+,;=@%:?-]*")
PIPELINES = ("github", "gitlab", "none")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command's options as they were given."""

    directory: Path
    framework: str | None
    app: str | None
    path: str | None
    url: str | None
    spec: str | None
    webhook: str | None
    ci: str | None
    dry_run: bool


@click.command("init", cls=Command)
@click.argument(
    "directory",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option(
    "--framework",
    type=click.Choice(list(FRAMEWORKS)),
    metavar="NAME",
    help=f"What the receiver is made with: {', '.join(FRAMEWORKS)}.",
)
@click.option("--app", metavar="MODULE:NAME", help="The application, or a function that makes it.")
@click.option("--path", metavar="PATH", help="Where the application takes the webhook.")
@click.option("--url", metavar="URL", help="Where the receiver listens, in whatever language.")
@click.option(
    "--spec",
    metavar="NAME|PATH",
    shell_complete=DOCUMENTS,
    help=f"The OpenAPI document.  [default: {DEFAULT_SPEC}]",
)
@click.option("--webhook", metavar="NAME", help="Which webhook, where a document has several.")
@click.option(
    "--ci",
    type=click.Choice(PIPELINES),
    help="Whose job is written or shown; else that of which there are files.",
)
@click.option("--dry-run", is_flag=True, help="Print the files, and write none.")
def init(**given: object) -> int:
    """Write what starts a contract for the receiver in DIRECTORY (default: here).

    That is a hookproof.toml, a test for pytest or a contract file, and a job for the pipeline. The
    sources are read, and nothing of them is run. What is there already is left as it is.
    """
    return perform(built(Options, given))


def perform(options: Options) -> int:
    """Find out, write, and say what was done and what remains.

    Raises:
        HookproofError: nothing was written.
    """
    from hookproof.starting.choosing import choose
    from hookproof.starting.pipelines import Pipeline
    from hookproof.starting.planning import plan
    from hookproof.starting.survey import survey
    from hookproof.starting.writing import write_new

    wishes = _wishes(options)
    found = survey(options.directory)
    choice = choose(found, wishes)
    made = plan(found, choice, Pipeline(options.ci) if options.ci else None)
    new = {file.path: file.text for file in made.files if file.text is not None}
    if not options.dry_run:
        write_new({options.directory / path: text for path, text in new.items()})
    for line in _told(choice, made, dry=options.dry_run):
        click.echo(line)
    return 0


def _wishes(options: Options) -> Wishes:
    """Return what was asked for, checked as far as it can be by itself.

    Raises:
        HookproofError: the address, the path, or the document cannot be used.
    """
    from hookproof.cli.addresses import checked_url
    from hookproof.starting.choosing import Wishes
    from hookproof_spec import load

    if options.url is not None:
        checked_url(options.url, "init: --url")
    if options.path is not None:
        _check_path(options.path)
    if options.spec is not None or options.webhook is not None:
        load(options.spec or DEFAULT_SPEC).webhook(options.webhook)
    return Wishes(
        framework=options.framework,
        app=options.app,
        path=options.path,
        url=options.url,
        spec=None if options.spec is None else _seen_from(options.directory, options.spec),
        webhook=options.webhook,
    )


def _check_path(path: str) -> None:
    if not path.startswith("/"):
        hint = f"did you mean /{escaped(path)}?"
        raise HookproofError("it does not begin with /", where="init: --path", hint=hint)
    if _URL_PATH.fullmatch(path) is None:
        raise HookproofError(
            "it holds characters that a URL cannot",
            where="init: --path",
            hint="percent-encode them",
        )


def _seen_from(folder: Path, spec: str) -> str:
    """Return a document as a configuration in a folder names it: a path is read from there."""
    if not Path(spec).is_file():
        return spec
    path = Path(os.path.relpath(spec, folder)).as_posix()
    if not path.isprintable():
        raise HookproofError(
            "its path does not print", where=f"init: --spec {escaped(spec)}", hint="rename it"
        )
    return path if "/" in path else f"./{path}"


def _told(choice: Choice, made: Plan, *, dry: bool) -> Iterator[str]:
    yield from _found(choice)
    yield ""
    for file in made.files:
        if file.text is None:
            yield f"left alone  {escaped(file.path)}: {file.reason}"
        elif dry:
            yield f"would write {file.path}:"
            yield from _indented(file.text)
        else:
            yield f"written     {file.path}"
    if made.pasted is not None:
        yield ""
        yield "for your pipeline, of which no file is changed:"
        yield from _indented(made.pasted)
    yield ""
    yield "next"
    for number, step in enumerate(made.steps, 1):
        yield f"  {number}. {step}"


def _found(choice: Choice) -> Iterator[str]:
    yield f"receiver    {choice.framework.title}{_application(choice)}"
    if choice.kind is Kind.URL:
        yield f"address     {choice.address}"
    else:
        yield f"path        {choice.path}{_way(choice)}"
    yield f"secret      in {choice.secret}{_seen(choice.secret_place)}"
    for note in choice.notes:
        yield f"note        {note}"


def _application(choice: Choice) -> str:
    application = choice.application
    if application is None:
        return ""
    return f": {application.module.name}:{application.name}{_seen(application.place)}"


def _way(choice: Choice) -> str:
    if not choice.is_path_known:
        return ", unless it is another: no route was found"
    if choice.route is None:
        return ""
    before = "" if choice.route.on_app else ", without what its router puts before it"
    return f"{_seen(choice.route.place)}{before}"


def _seen(place: Place | None) -> str:
    return "" if place is None else f" ({place})"


def _indented(text: str) -> Iterator[str]:
    yield from (f"    {line}".rstrip() for line in text.splitlines())
