"""Makes requests of each kind, as quickly as a load test needs them: only the signature is new.

The body is written once for some seconds and cut where its marker stands, so that each event has a
name of its own without the JSON being written again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import final

from hookproof.bodies import Bodies
from hookproof.fresh import fresh_marker, fresh_nonce
from hookproof.keys import another_secret
from hookproof.lab import USER_AGENT
from hookproof.load.mix import Kind
from hookproof.rules.ages import MARGIN
from hookproof_spec import payloads
from hookproof_spec.request import Header, Request
from hookproof_spec.signing import Signer
from hookproof_spec.webhook import Webhook

DAY = 86_400.0
KEPT_SECONDS = 5.0
"""How long a body's dates are current enough."""


@final
@dataclass(frozen=True, slots=True)
class _Body:
    """A body cut at its marker; `cuts` is None where the marker does not stand in it once."""

    until: float
    cuts: tuple[bytes, bytes] | None


@final
class Maker:
    """Makes the requests of one webhook to one URL.

    `headers` go with every request. `tolerance` is the oldest age in seconds that the receiver is
    said to accept, besides what the document says.
    """

    def __init__(
        self,
        webhook: Webhook,
        secret: str,
        *,
        url: str,
        headers: Iterable[Header] = (),
        tolerance: float | None = None,
        clock: Callable[[], float],
    ) -> None:
        self._webhook = webhook
        self._bodies = Bodies(webhook)
        self._clock = clock
        self._signers = {
            Kind.VALID: Signer(webhook.scheme, secret),
            Kind.FORGED: Signer(webhook.scheme, another_secret(webhook.scheme, secret)),
        }
        self._age = stale_age(webhook, tolerance)
        self._bare = webhook.unsigned(url, b"", (("User-Agent", USER_AGENT), *headers))
        self._body = _Body(float("-inf"), None)

    def __repr__(self) -> str:
        return f"Maker({self._webhook.name})"

    def make(self, kind: Kind) -> Request:
        """Return a new event that is genuine, forged or stale; a replay is whatever went before.

        Raises:
            ValueError: a replay cannot be made.
        """
        if kind is Kind.REPLAYED:
            raise ValueError("a replay is a copy of what was sent")
        now = self._clock()
        signer = self._signers[Kind.FORGED if kind is Kind.FORGED else Kind.VALID]
        return signer.signed(
            self._bare.with_body(self._written(now)),
            timestamp=now - self._age if kind is Kind.STALE else now,
            nonce=fresh_nonce(self._webhook.scheme.nonce),
        )

    def _written(self, now: float) -> bytes:
        """Return the body of a new event."""
        marker = fresh_marker()
        if now >= self._body.until:
            body = self._fresh(marker, now)
            self._body = _Body(now + KEPT_SECONDS, _cut(body, marker.encode()))
            return body
        if self._body.cuts is None:
            return self._fresh(marker, now)
        before, after = self._body.cuts
        return b"%b%b%b" % (before, marker.encode(), after)

    def _fresh(self, marker: str, now: float) -> bytes:
        return payloads.write(self._webhook, self._bodies.value(marker, now))


def stale_age(webhook: Webhook, tolerance: float | None) -> float:
    """Return an age in seconds that no receiver may accept: a day, or beyond what is declared."""
    rule = webhook.scheme.timestamp
    declared = (rule.tolerance if rule else None) or 0.0
    return max(DAY, tolerance or 0.0, declared) + MARGIN


def _cut(body: bytes, marker: bytes) -> tuple[bytes, bytes] | None:
    parts = body.split(marker)
    return (parts[0], parts[1]) if len(parts) == 2 else None
