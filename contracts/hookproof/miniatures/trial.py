"""Tries the contract on a miniature in process or over HTTP, as the self-proof and its tests do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from hookproof.effects import CallableProbe
from hookproof.events import RuleFinished, RuleResult
from hookproof.lab import Hooks
from hookproof.miniatures.base import OTHER_SECRET, Miniature
from hookproof.miniatures.serving import serve
from hookproof.rule import Rule
from hookproof.run import Setup, run
from hookproof.targets.base import Target
from hookproof.targets.http import HttpTarget
from hookproof.targets.wsgi import WsgiTarget
from hookproof.verdicts import ForgedPolicy, Policy, ReplayPolicy, Verdict
from hookproof_spec import load
from hookproof_spec.scheme import NonceRule, OnRetry
from hookproof_spec.scheme_reader import read_scheme
from hookproof_spec.webhook import Webhook

SECRET = "hookproof-secret-0001"
TIMEOUT = 5.0
"""Seconds that a miniature may take for an answer over HTTP."""
ROTATING = {
    "algorithm": "hmac-sha256",
    "content": "{timestamp}.{nonce}.{body}",
    "encoding": "hex",
    "carry": {"header": {"X-MW-Signature": "t={timestamp},nonce={nonce},{signatures}"}},
    "repeat": {"item": "v1={signature}", "separator": ","},
    "timestamp": {"unit": "s", "tolerance": 3600},
    "nonce": {"pattern": "[0-9a-f]{40}"},
}
"""The shipped scheme with its signatures side by side, as Stripe has them."""
BROKEN = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.INFO})


def trial(
    kind: type[Miniature],
    rules: Sequence[Rule],
    *,
    probe: bool = True,
    seed: int = 0,
    replay: ReplayPolicy = ReplayPolicy.EITHER,
    wire: bool = False,
    secret: str = SECRET,
    search_seconds: float = 5.0,
) -> dict[str, RuleResult]:
    """Run rules against a new miniature, with every hook, and return how each ended.

    `wire` serves it over HTTP, as is always done where a miniature differs only there.
    """
    receiver = kind(secret)
    sibling = receiver.sibling()

    def advance(seconds: float) -> None:
        receiver.advance(seconds)
        sibling.advance(seconds)

    with _reached(receiver, wire=wire) as target, _reached(sibling, wire=wire) as also:
        setup = Setup(
            webhook=webhook_of(kind),
            spec="mobility-work",
            secret=None if kind.unsigned else secret,
            other_secret=OTHER_SECRET,
            target=target,
            probe=CallableProbe(lambda: list(receiver.names)) if probe else None,
            policy=policy_of(kind, replay),
            seed=seed,
            rules=tuple(rule for rule in rules if not kind.judged_by or rule.id in kind.judged_by),
            effect_timeout=0.5,
            search_seconds=search_seconds,
            clock=receiver.now,
            hooks=Hooks(
                restart=receiver.restart,
                also=also,
                advance=advance,
                fail_once=receiver.fail_once,
            ),
        )
        finished = [event for event in run(setup) if isinstance(event, RuleFinished)]
    return {event.rule.id: event.result for event in finished}


@contextmanager
def _reached(receiver: Miniature, *, wire: bool) -> Iterator[Target]:
    if not (wire or receiver.wire):
        yield WsgiTarget(receiver)
        return
    with serve(receiver) as served, HttpTarget(served.url, timeout=TIMEOUT) as target:
        yield target


def policy_of(kind: type[Miniature], replay: ReplayPolicy) -> Policy:
    """Return what a miniature's team declares of it."""
    forged = ForgedPolicy.IGNORES if kind.ignores_forged else ForgedPolicy.REJECTS
    return Policy(replay=replay, forged=forged, tolerance=kind.declared)


def webhook_of(kind: type[Miniature]) -> Webhook:
    """Return the webhook that a miniature receives: the shipped one, or a variation of it."""
    webhook = load("mobility-work").webhook()
    if kind.rotates:
        scheme, _ = read_scheme(ROTATING, pointer="")
        webhook = replace(webhook, scheme=scheme or webhook.scheme)
    if kind.retries_keep_nonce:
        nonce = replace(webhook.scheme.nonce or NonceRule(), on_retry=OnRetry.SAME)
        webhook = replace(webhook, scheme=replace(webhook.scheme, nonce=nonce))
    return webhook


def broken(results: dict[str, RuleResult]) -> set[str]:
    """Return the ids of the rules that were broken, at whatever level."""
    return {id for id, result in results.items() if result.verdict in BROKEN}
