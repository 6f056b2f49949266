"""From a receiver and a run's settings to what a run of the contract needs."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast, final

from hookproof.effects import CallableProbe, Probe, UrlProbe
from hookproof.lab import CannotTell, Hooks
from hookproof.rule import CURRENT
from hookproof.run import Setup
from hookproof.targets.base import TEST_HOST
from hookproof.targets.http import HttpTarget
from hookproof.targets.in_process import InProcessTarget
from hookproof.verdicts import ForgedPolicy, Policy, ReplayPolicy, Unproven
from hookproof_spec import load
from hookproof_spec.errors import HookproofError, SecretError
from hookproof_spec.request import Header
from hookproof_spec.signing import Verifier

if TYPE_CHECKING:
    from hookproof.config_keys import Value
    from hookproof.pytest_support.settings import Settings
    from hookproof.targets.base import Target
    from hookproof.under_test import App, Receiver
    from hookproof_spec.scheme import SignatureScheme
    from hookproof_spec.webhook import Webhook

DEFAULT_SPEC = "mobility-work"
DEFAULT_TIMEOUT = 10.0
DEFAULT_VARIABLE = "HOOKPROOF_SECRET"


@final
@dataclass(frozen=True, slots=True)
class Known:
    """What a receiver says of itself, and where it says nothing, what the configuration says."""

    receiver: Receiver | None
    table: Mapping[str, Value]

    def text(self, name: str) -> str | None:
        """Return a text, such as the name of the webhook."""
        value = self._value(name)
        return None if value is None else str(value)

    def number(self, name: str) -> float | None:
        """Return a number, such as the tolerance in seconds."""
        value = self._value(name)
        return None if value is None else float(cast(float, value))

    def webhook(self) -> tuple[str, Webhook]:
        """Return the document's name and the webhook.

        Raises:
            HookproofError: the document, or the webhook in it, cannot be used.
        """
        document = load(self.text("spec") or DEFAULT_SPEC)
        return document.name, document.webhook(self.text("webhook"))

    def secret(self, scheme: SignatureScheme) -> str:
        """Return the secret, which fits the scheme.

        Raises:
            HookproofError: there is none, or it is not in the declared form.
        """
        if self.receiver is not None and self.receiver.secret is not None:
            return _checked(self.receiver.secret, scheme)
        from hookproof.cli.secret import SecretSource

        variable = str(self.table.get("secret-env") or DEFAULT_VARIABLE)
        file = self.table.get("secret-file")
        return SecretSource(variable, None if file is None else str(file)).read(scheme)

    def headers(self, scheme: SignatureScheme) -> tuple[Header, ...]:
        """Return the headers that are sent with everything.

        Raises:
            HookproofError: one cannot stand in a request, or would replace a signature.
        """
        from hookproof.cli.addresses import checked_headers

        given = self.receiver.headers if self.receiver is not None else {}
        configured = cast("list[str]", self.table.get("header", []))
        return checked_headers(
            [f"{name}: {value}" for name, value in given.items()] or configured, scheme
        )

    def _value(self, name: str) -> object:
        own = getattr(self.receiver, name, None)
        return self.table.get(name) if own is None else own


def prepared(receiver: Receiver, settings: Settings) -> Setup:
    """Return what a run on this receiver needs; nothing has been sent yet.

    Raises:
        HookproofError: a document, the secret, an address or a header cannot be used.
    """
    known = Known(receiver, settings.table)
    spec, webhook = known.webhook()
    lines = Lines(
        receiver,
        known.headers(webhook.scheme),
        known.number("timeout"),
        ca_file=receiver.ca_file or known.text("ca-file"),
        insecure=receiver.insecure or bool(settings.table.get("insecure")),
        allowed=(*receiver.allow_hosts, *cast("list[str]", settings.table.get("allow-host", []))),
        host="" if webhook.scheme.covers("url") else TEST_HOST,
    )
    target = lines.target(receiver.app if receiver.url is None else receiver.url)
    return Setup(
        webhook=webhook,
        spec=spec,
        document=known.text("spec") or DEFAULT_SPEC,
        secret=None if receiver.unsigned else known.secret(webhook.scheme),
        other_secret=receiver.other_secret,
        target=target,
        probe=lines.probe(known),
        policy=_policy(known),
        seed=settings.seed,
        rules=(),
        examples=settings.examples,
        search_seconds=settings.search_seconds,
        strict=settings.strict,
        ruleset=int(known.number("ruleset") or CURRENT),
        effect_timeout=receiver.effect_timeout,
        rate=known.number("rate"),
        hooks=_hooks(receiver, lines, target),
        clock=time.time if receiver.clock is None else receiver.clock.now,
    )


def _checked(secret: str, scheme: SignatureScheme) -> str:
    """Return a secret that makes a key under the scheme."""
    try:
        Verifier(scheme, secret)
    except SecretError as error:
        raise SecretError(error.problem, where="hookproof.Receiver", hint=error.hint) from error
    return secret


def _policy(known: Known) -> Policy:
    return Policy(
        replay=ReplayPolicy(known.text("replay") or ReplayPolicy.EITHER),
        forged=ForgedPolicy(known.text("forged") or ForgedPolicy.REJECTS),
        tolerance=known.number("tolerance"),
    )


@final
@dataclass(frozen=True, slots=True)
class Lines:
    """How the receiver, its probe and its other instance are reached."""

    receiver: Receiver
    headers: tuple[Header, ...]
    timeout: float | None
    ca_file: str | Path | None = None
    insecure: bool = False
    allowed: tuple[str, ...] = ()
    host: str = ""
    """What an application in this process is told to be its name: that of the URL where the
    signature covers that."""

    def target(self, place: App | str | None) -> Target:
        """Return the target for a URL or an application."""
        if not isinstance(place, str):
            return InProcessTarget(
                place,
                self.receiver.path,
                interface=self.receiver.interface,
                headers=self.headers,
                timeout=self.timeout or DEFAULT_TIMEOUT,
                host=self.host,
            )
        self._refuse_foreign(place)
        return HttpTarget(
            place,
            timeout=self.timeout or DEFAULT_TIMEOUT,
            headers=self.headers,
            ca_file=self.ca_file,
            insecure=self.insecure,
        )

    def probe(self, known: Known) -> Probe | None:
        """Return whoever tells the effects, if anyone does."""
        effects = self.receiver.effects
        if effects is not None and not isinstance(effects, str):
            return CallableProbe(effects)
        url = effects or (known.table.get("effects-url") if self.receiver.url else None)
        if url is None:
            return None
        return UrlProbe(
            str(url),
            timeout=self.timeout or DEFAULT_TIMEOUT,
            headers=self.headers,
            ca_file=self.ca_file,
            insecure=self.insecure,
        )

    def _refuse_foreign(self, url: str) -> None:
        from hookproof.cli.addresses import checked_url, host_of, is_local

        host = host_of(checked_url(url, "hookproof.Receiver"))
        if not is_local(host) and host not in {name.lower() for name in self.allowed}:
            raise HookproofError(
                f"{host} is not this machine, and a contract sends forged requests",
                where="hookproof.Receiver",
                hint=f'if it is yours, give allow_hosts=["{host}"]',
            )


def _hooks(receiver: Receiver, lines: Lines, target: Target) -> Hooks:
    return Hooks(
        restart=None if receiver.restart is None else _restarting(receiver.restart, target),
        also=None if receiver.also is None else lines.target(receiver.also),
        advance=None if receiver.clock is None else receiver.clock.advance,
        fail_once=None if receiver.fail_once is None else _silent(receiver.fail_once),
    )


def _restarting(
    function: Callable[..., object], target: Target
) -> Callable[[Mapping[str, str]], None]:
    takes_environment = bool(inspect.signature(function).parameters)

    def restart(environment: Mapping[str, str]) -> None:
        if environment and not takes_environment:
            raise CannotTell(
                Unproven(
                    message="the restart hook takes no environment variables",
                    settle="restart=function, where function takes a mapping of variables",
                )
            )
        started = function(environment) if takes_environment else function()
        if isinstance(target, InProcessTarget) and started is not None:
            target.replace(started)

    return restart


def _silent(function: Callable[[], object]) -> Callable[[], None]:
    def call() -> None:
        function()

    return call
