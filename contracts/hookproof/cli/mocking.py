"""What `hookproof serve` does: start the mock sender, register a receiver, tell of deliveries."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookproof.cli.addresses import checked_url
from hookproof.cli.deliveries import JsonLines, Ready, Show, TextLines
from hookproof.cli.secret import SecretSource
from hookproof.cli.serve import Options
from hookproof.cli.signals import held_back, wait_for
from hookproof.forging import Forgeries
from hookproof.keys import another_secret
from hookproof.reports.console import Console
from hookproof_spec import load
from hookproof_spec.errors import HookproofError

if TYPE_CHECKING:
    from hookproof_mockserver.model import DeliveryPolicy
    from hookproof_mockserver.sender import MockSender, Setup
    from hookproof_spec.webhook import Document, Webhook

IN_MEMORY = ":memory:"


def perform(options: Options) -> int:
    """Serve until Ctrl-C; return the exit status.

    Raises:
        HookproofError: an option is wrong, the port is taken, or the store cannot be used.
    """
    from hookproof_mockserver.app import create_app
    from hookproof_mockserver.sender import MockSender
    from hookproof_mockserver.server import serve

    document = load(options.source.spec)
    token = _token(options.token_env)
    show = _show(options)
    with held_back() as signals, ExitStack() as stack:
        sender = stack.enter_context(MockSender(_setup(options, document, show)))
        sender.add_listener(show.attempt)
        secret = _registered(options, document, sender) if options.url is not None else None
        hosts = (*options.allow_host, options.host)
        app = create_app(sender, report=show.trouble, token=token, allowed_hosts=hosts)
        server = stack.enter_context(serve(app, options.host, options.port, report=show.trouble))
        show.ready(Ready(server.url, app.token, secret))
        wait_for(signals)
    return 0


def _setup(options: Options, document: Document, show: Show) -> Setup:
    from hookproof_mockserver.sender import Setup

    return Setup(
        document=document,
        store=None if options.db == IN_MEMORY else Path(options.db),
        forge=Forgeries(),
        time_scale=options.time_scale,
        plan=options.plan,
        allowed_receivers=frozenset(options.allow_receiver),
        on_error=show.trouble,
    )


def _token(variable: str | None) -> str | None:
    if variable is None:
        return None
    token = os.environ.get(variable, "")
    if len(token) < 16 or not token.isascii() or not token.isprintable() or " " in token:
        raise HookproofError(
            f"environment variable {variable} holds no token",
            where="--token-env",
            hint="set it to 16 or more letters and digits",
        )
    return token


def _show(options: Options) -> Show:
    if options.format == "json":
        return JsonLines(Console(sys.stdout))
    return TextLines(options.output.console(), options.output.detail)


def _registered(options: Options, document: Document, sender: MockSender) -> str | None:
    """Register the receiver of `--url`; return its secret where it is to be shown."""
    url = checked_url(options.url or "", "--url")
    webhook = document.webhook(options.source.webhook)
    if any(one.url == url and one.event == webhook.name for one in sender.subscriptions()):
        note = f"{url} is registered already, and keeps the secret and the schedule it has"
        click.echo(f"hookproof: {note}; the dashboard changes them", err=True)
        return None
    secret = None if options.unsigned else _secret(options, webhook)
    sender.register(url=url, event=webhook.name, secret=secret, policy=_policy(options, webhook))
    return secret if options.print_secret else None


def _secret(options: Options, webhook: Webhook) -> str:
    source = options.secret
    if options.print_secret and _is_default(source) and source.variable not in os.environ:
        return another_secret(webhook.scheme)
    return source.read(webhook.scheme)


def _is_default(source: SecretSource) -> bool:
    return source.text is None and source.file is None


def _policy(options: Options, webhook: Webhook) -> DeliveryPolicy:
    from hookproof_mockserver.model import DeliveryPolicy, RetryPolicy, Schedule

    retry = RetryPolicy(schedule=Schedule(options.schedule), attempts=options.attempts)
    policy = DeliveryPolicy(retry=retry, success=options.success, timeout=options.timeout)
    nonce = webhook.scheme.nonce
    return policy if nonce is None else replace(policy, nonce=nonce.on_retry)
