"""`hookproof spec`: documents, checked, completed, listed and shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from hookproof.cli.groups import Group
from hookproof.cli.options import DEFAULT_SPEC
from hookproof.fresh import fresh_nonce
from hookproof.keys import another_secret
from hookproof.reports.exchanges import escaped, request_lines
from hookproof_spec import load, names, payloads
from hookproof_spec.documents import check as problems_of
from hookproof_spec.errors import Severity
from hookproof_spec.request import Request
from hookproof_spec.scheme import OnRetry, SignatureScheme
from hookproof_spec.signing import Signer
from hookproof_spec.webhook import Document, Webhook

if TYPE_CHECKING:
    from hookproof_spec.suggest import Suggestion

SOUND, UNSOUND = 0, 1
EXAMPLE_TIME = 1_700_000_000.0


@click.group("spec", cls=Group)
def spec() -> None:
    """Check, complete, list and show documents."""


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
    for line in _usable(path):
        click.echo(f"{path}: {escaped(line)}")
    click.echo(f"{path}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    return UNSOUND if errors else SOUND


def _usable(path: str) -> Iterator[str]:
    """Say what can be done with each webhook, and what would help one that has no signature."""
    document = load(path)
    for webhook in document.webhooks.values():
        yield f"usable: {webhook.name}: {webhook.scheme.describe()}"
    for name in document.unusable:
        yield f"unusable: {name}"
    if document.unusable and _suggestions(path):
        yield f"`hookproof spec suggest {path}` proposes the signature that is missing"


def _suggestions(path: str) -> tuple[Suggestion, ...]:
    from hookproof_spec.suggest import suggest

    return suggest(path)


@spec.command("suggest")
@click.argument("path")
def suggest(path: str) -> int:
    """Propose the signature extension for a document that does not have it yet.

    What is printed can be pasted into the document. Exit status: 0 something is proposed, or
    nothing is missing; 1 no header was found that may carry a signature; 2 it cannot be read.
    """
    from hookproof.cli.suggesting import proposal
    from hookproof_spec.suggest import unsigned_operations

    found = _suggestions(path)
    for suggestion in found:
        click.echo(proposal(path, suggestion))
    if found:
        return SOUND
    unsigned = unsigned_operations(path)
    for pointer in unsigned:
        click.echo(f"{path}#{escaped(pointer)}: it describes no header that may carry a signature")
    if unsigned:
        click.echo("docs/describe-your-webhook.md tells how to write the extension")
        return UNSOUND
    click.echo(f"{path}: every webhook declares its signature")
    return SOUND


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
        click.echo(escaped(line))
    return 0


def _shown(document: Document, webhook: Webhook) -> Iterator[str]:
    yield f"{webhook.name} of {document.name} ({document.title} {document.version})"
    yield f"  {' '.join(webhook.summary.split())}"
    yield ""
    yield from _scheme(webhook.scheme)
    yield f"sent as    {webhook.method.upper()}, {webhook.media_type}"
    yield f"answers    {', '.join(webhook.responses)}"
    if webhook.plans:
        yield f"plans      {', '.join(webhook.plans)}"
    if webhook.other_plans:
        yield f"not in     {', '.join(webhook.other_plans)}"
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


def _scheme(scheme: SignatureScheme) -> Iterator[str]:
    yield f"scheme     {scheme.describe()}"
    for place in scheme.carried:
        if place != scheme.signature_place:
            yield f"beside it  {place}: {place.template.text}"
    if scheme.nonce is not None:
        shape = scheme.nonce.pattern or "of any shape"
        yield f"nonce      {shape}; {_ON_RETRY[scheme.nonce.on_retry]}"


_ON_RETRY = {
    OnRetry.SAME: "a retry keeps it",
    OnRetry.NEW: "a retry has a new one",
    OnRetry.UNKNOWN: "whether a retry keeps it is not known",
}


def _example(webhook: Webhook) -> Request:
    body = payloads.write(webhook, payloads.example(webhook))
    request = webhook.unsigned("http://127.0.0.1:8000/webhook", body)
    signer = Signer(webhook.scheme, another_secret(webhook.scheme))
    nonce = fresh_nonce(webhook.scheme.nonce)
    return signer.sign(request, timestamp=EXAMPLE_TIME, nonce=nonce).request


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
