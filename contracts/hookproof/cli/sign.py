"""`hookproof sign`: print signed requests."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import final

import click

from hookproof.cli.addresses import checked_headers, checked_url
from hookproof.cli.captured import read_input
from hookproof.cli.failing import Command
from hookproof.cli.options import Source, built, nonce_for, secret_options, source_options
from hookproof.cli.secret import SecretSource
from hookproof.cli.written import FORMATS
from hookproof_spec import payloads
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Request
from hookproof_spec.scheme import SignatureScheme, TimeUnit, Where
from hookproof_spec.signing import Delivery, Signer, Verifier
from hookproof_spec.webhook import Webhook

DEFAULT_URL = "http://127.0.0.1:8000/webhook"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command's options as they were given."""

    source: Source
    secret: SecretSource
    body: str | None
    url: str
    method: str | None
    header: tuple[str, ...]
    timestamp: str | None
    nonce: str | None
    format: str
    count: int


@click.command("sign", cls=Command)
@source_options
@secret_options
@click.option("--body", metavar="FILE|-", help="The body; else an example payload.")
@click.option("--url", default=DEFAULT_URL, show_default=True, help="Where it would be sent.")
@click.option("--method", help="The method, instead of the document's.")
@click.option("--header", multiple=True, metavar="'K: V'", help="A header more. Repeatable.")
@click.option("--timestamp", help="The time as it is sent and signed; else now.")
@click.option("--nonce", help="The nonce; else a new one for each request.")
@click.option(
    "--format",
    type=click.Choice(list(FORMATS)),
    default="headers",
    show_default=True,
    help="json is one line a request; http is what travels; curl is a shell command.",
)
@click.option(
    "--count",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many requests, all different in their nonce.",
)
def sign(**given: object) -> int:
    """Print a signed request.

    The secret signs and is not printed.
    """
    options = built(Options, given)
    if options.nonce is not None and options.count > 1:
        raise HookproofError(
            "one nonce cannot sign several requests",
            where="--nonce",
            hint="leave it or --count out",
        )
    for request in _requests(options):
        sys.stdout.buffer.write(FORMATS[options.format](request))
    return 0


def _requests(options: Options) -> Iterator[Request]:
    _, webhook = options.source.load()
    for note in _notes(options, webhook.scheme):
        click.echo(f"hookproof: {note}", err=True)
    secret = options.secret.read(webhook.scheme)
    signer = Signer(webhook.scheme, secret)
    unsigned = _unsigned(options, webhook)
    first = True
    for _ in range(options.count):
        timestamp = _timestamp(webhook.scheme, options.timestamp)
        nonce = nonce_for(webhook.scheme, options.nonce)
        delivery = signer.sign(unsigned, timestamp=timestamp, nonce=nonce)
        if first:
            _check(delivery, secret)
            first = False
        yield delivery.request


def _unsigned(options: Options, webhook: Webhook) -> Request:
    if options.body is None:
        body = payloads.write(webhook, payloads.example(webhook))
    else:
        body = read_input(options.body, "--body")
    method = options.method or webhook.method
    if not (method.isascii() and method.replace("-", "").isalpha()):
        raise HookproofError(f"{method!r} is not a method", where="--method", hint="such as POST")
    added = checked_headers(options.header, webhook.scheme)
    url = checked_url(options.url, "--url")
    return replace(webhook.unsigned(url, body, added), method=method.upper())


def _notes(options: Options, scheme: SignatureScheme) -> Iterator[str]:
    """Say what is signed otherwise than it may be meant."""
    for name, given in (("timestamp", options.timestamp), ("nonce", options.nonce)):
        place = scheme.place_of(name)
        if given is None and options.body and place and place.where in (Where.JSON, Where.FIELD):
            yield (
                f"the {place} is written anew, as it carries the {name}: --{name} keeps the body's"
                " own; --format http shows what is signed"
            )
    in_ms = scheme.timestamp is not None and scheme.timestamp.unit is TimeUnit.MILLISECONDS
    if in_ms and len(options.timestamp or "") == _DIGITS_OF_SECONDS:
        yield f"--timestamp: {options.timestamp} looks like seconds; this scheme has milliseconds"


_DIGITS_OF_SECONDS = 10  # from 2001 to 2286


def _timestamp(scheme: SignatureScheme, text: str | None) -> float | str:
    if text is None:
        return time.time()
    if scheme.timestamp is None:
        raise HookproofError(
            "this scheme has no timestamp", where="--timestamp", hint="leave it out"
        )
    if scheme.timestamp.unit.read(text) is None:
        raise HookproofError(
            f"{text[:100]!r} is not a time in this scheme",
            where="--timestamp",
            hint=f"now would be {scheme.timestamp.unit.write(time.time())}",
        )
    return text


def _check(delivery: Delivery, secret: str) -> None:
    """Refuse to print what no receiver could accept: a nonce that its header cannot carry."""
    scheme = delivery.scheme
    now = scheme.timestamp.unit.read(delivery.timestamp) if scheme.timestamp else None
    verdict = Verifier(scheme, [secret]).verify(delivery.request, now or 0.0)
    if not verdict.accepted:
        shape = scheme.nonce.pattern if scheme.nonce else None
        raise HookproofError(
            f"no receiver would accept it: {verdict.detail}",
            where="--nonce",
            hint=f"a nonce looks like {shape}" if shape else "leave out separators and spaces",
        )
