"""`hookproof spec`: documents, checked, listed and shown."""

from __future__ import annotations

from collections.abc import Iterator

import click

from hookproof.cli.failing import Command
from hookproof.cli.options import DEFAULT_SPEC
from hookproof.fresh import fresh_nonce
from hookproof.keys import another_secret
from hookproof.reports.exchanges import escaped, request_lines
from hookproof_spec import load, names, payloads
from hookproof_spec.documents import check as problems_of
from hookproof_spec.errors import Severity
from hookproof_spec.request import Request
from hookproof_spec.signing import Signer
from hookproof_spec.webhook import Document, Webhook

SOUND, UNSOUND = 0, 1
EXAMPLE_TIME = 1_700_000_000.0


class Group(click.Group):
    """A group whose unknown commands are told with the nearest."""

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command."""
        from hookproof.cli.app import nearest

        if args[0] in self.commands or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        raise click.UsageError(
            f"No such command {args[0]!r}.{nearest(args[0], self.commands)}", ctx
        )


@click.group("spec", cls=Group)
def spec() -> None:
    """Check, list and show documents."""


@spec.command("check")
@click.argument("path")
def check(path: str) -> int:
    """Check a document and its signature extension.

    Exit status: 0 nothing is wrong (warnings may be), 1 something is, 2 it cannot be read.
    """
    found = problems_of(path)
    for problem in found:
        click.echo(f"{path}: {problem.severity.value}: {escaped(str(problem))}")
    errors = sum(problem.severity is Severity.ERROR for problem in found)
    warnings = len(found) - errors
    click.echo(f"{path}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    return UNSOUND if errors else SOUND


@spec.command("list")
def list_documents() -> int:
    """List the documents that come with hookproof, and their webhooks."""
    width = max(len(name) for name in names())
    for name in names():
        document = load(name)
        click.echo(f"{name:<{width}}  {document.title}: {', '.join(document.webhooks)}")
    return 0


@spec.command("show")
@click.argument("name", default=DEFAULT_SPEC)
@click.option("--webhook", metavar="NAME", help="Which webhook, where a document has several.")
def show(name: str, webhook: str | None) -> int:
    """Show one webhook of a document: its scheme, and an example of a signed request."""
    document = load(name)
    for line in _shown(document, document.webhook(webhook)):
        click.echo(line)
    return 0


def _shown(document: Document, webhook: Webhook) -> Iterator[str]:
    yield f"{webhook.name} of {document.name} ({document.title} {document.version})"
    yield f"  {' '.join(webhook.summary.split())}"
    yield ""
    yield f"scheme     {webhook.scheme.describe()}"
    yield f"sent as    {webhook.method.upper()}, {webhook.media_type}"
    yield f"answers    {', '.join(webhook.responses)}"
    if webhook.plans:
        yield f"plans      {', '.join(webhook.plans)}"
    if webhook.unsigned_allowed:
        yield "unsigned   allowed by the document"
    for assumption in webhook.assumptions:
        yield f"assumed    {' '.join(assumption.split())}"
    for name in document.unusable:
        yield f"unusable   {name}: {document.unusable[name][0]}"
    yield ""
    yield "an example, signed with a key that was made up:"
    yield ""
    yield from (f"  {line}".rstrip() for line in request_lines(_example(webhook)))


def _example(webhook: Webhook) -> Request:
    body = payloads.encode(payloads.example(webhook))
    request = Request(
        webhook.method.upper(),
        "http://127.0.0.1:8000/webhook",
        (("Content-Type", webhook.media_type),),
        body,
    )
    signer = Signer(webhook.scheme, another_secret(webhook.scheme))
    nonce = fresh_nonce(webhook.scheme.nonce)
    return signer.sign(request, timestamp=EXAMPLE_TIME, nonce=nonce).request


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
