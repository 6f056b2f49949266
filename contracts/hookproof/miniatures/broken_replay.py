"""Receivers that act more than once on one event, with one bug each."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import unquote

from hookproof.miniatures.base import NONCE, Miniature, RefusedError, Stamp
from hookproof_spec.request import Request


class ForgetsNonces(Miniature):
    """Has no memory of nonces."""

    exposed_by: ClassVar = ("replay-exact",)

    def claim(self, stamp: Stamp, body: bytes) -> bool:
        return True


class GivesUpOnRefused(Miniature):
    """Takes a nonce out of its memory when it has been refused five times."""

    exposed_by: ClassVar = ("replay-repeated",)

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.strikes: dict[str, int] = {}

    def claim(self, stamp: Stamp, body: bytes) -> bool:
        if super().claim(stamp, body):
            return True
        self.strikes[stamp.nonce] = self.strikes.get(stamp.nonce, 0) + 1
        if self.strikes[stamp.nonce] == 5:
            del self.nonces[stamp.nonce], self.strikes[stamp.nonce]
        return False


class ChecksThenSets(Miniature):
    """Looks a nonce up, and remembers it a moment later."""

    exposed_by: ClassVar = ("replay-race",)

    def claim(self, stamp: Stamp, body: bytes) -> bool:
        if stamp.nonce in self.nonces:
            return False
        time.sleep(0.01)
        self.nonces[stamp.nonce] = 0
        return True


class ClaimsBeforeVerifying(Miniature):
    """Remembers the nonce of every request, and verifies afterwards."""

    exposed_by: ClassVar = ("replay-nonce-poisoned",)

    def check_shape(self, stamp: Stamp) -> None:
        super().check_shape(stamp)
        if not super().claim(stamp, b""):
            raise RefusedError(self.replay_status)

    def claim(self, stamp: Stamp, body: bytes) -> bool:
        return True


class KeysBySignature(Miniature):
    """Takes hexadecimal digits of both cases, and remembers the signature's text."""

    exposed_by: ClassVar = ("replay-signature-case", "replay-nonce-new-timestamp")

    def check_shape(self, stamp: Stamp) -> None:
        super().check_shape(Stamp(stamp.timestamp, stamp.nonce, stamp.signature.lower()))

    def same(self, expected: str, given: str) -> bool:
        return super().same(expected, given.lower())

    def key(self, stamp: Stamp, body: bytes) -> str:
        return stamp.signature


class KeysByItems(Miniature):
    """Takes spaces around items, and remembers the nonce as it stood between the commas."""

    exposed_by: ClassVar = ("replay-header-rewritten",)

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.items: dict[str, str] = {}

    def parse(self, header: str) -> Stamp:
        stamp = super().parse(",".join(item.strip(" ") for item in header.split(",")))
        item = next(item for item in header.split(",") if item.strip(" ").startswith("nonce="))
        self.items[stamp.nonce] = item
        return stamp

    def key(self, stamp: Stamp, body: bytes) -> str:
        return self.items[stamp.nonce]


class KeysByTimeText(Miniature):
    """Signs the number, and remembers the text of time and nonce."""

    exposed_by: ClassVar = ("replay-timestamp-rewritten", "replay-nonce-new-timestamp")

    def check_shape(self, stamp: Stamp) -> None:
        if not re.fullmatch(r"[ +]?[0-9]{1,11} ?", stamp.timestamp):
            raise RefusedError(self.refusal)
        super().check_shape(Stamp("0", stamp.nonce, stamp.signature))

    def signed(self, stamp: Stamp, body: bytes) -> bytes:
        number = str(int(stamp.timestamp))
        return super().signed(Stamp(number, stamp.nonce, stamp.signature), body)

    def key(self, stamp: Stamp, body: bytes) -> str:
        return f"{stamp.timestamp}|{stamp.nonce}"


class DecodesNonce(Miniature):
    """Percent-decodes the nonce before it verifies, and remembers it as it came."""

    exposed_by: ClassVar = ("replay-nonce-rewritten",)

    def check_shape(self, stamp: Stamp) -> None:
        if not NONCE.fullmatch(unquote(stamp.nonce)):
            raise RefusedError(self.refusal)
        super().check_shape(Stamp(stamp.timestamp, "0" * 8, stamp.signature))

    def signed(self, stamp: Stamp, body: bytes) -> bytes:
        return super().signed(Stamp(stamp.timestamp, unquote(stamp.nonce), ""), body)


class KeysByRequestId(Miniature):
    """Remembers the X-Request-Id, where a proxy gives one."""

    exposed_by: ClassVar = ("replay-request-rewritten",)

    def verify(self, request: Request, stamp: Stamp) -> None:
        super().verify(request, stamp)
        stamp.nonce = request.header("X-Request-Id") or stamp.nonce


class RemembersTheLast(Miniature):
    """Remembers the last hundred nonces."""

    exposed_by: ClassVar[tuple[str, ...]] = ("replay-later",)
    remembered: ClassVar = 100

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.last: OrderedDict[str, None] = OrderedDict()

    def claim(self, stamp: Stamp, body: bytes) -> bool:
        with self.lock:
            if stamp.nonce in self.last:
                return False
            self.last[stamp.nonce] = None
            if len(self.last) > self.remembered:
                self.last.popitem(last=False)
            return True

    def release(self, stamp: Stamp, body: bytes) -> None:
        self.last.pop(stamp.nonce, None)


class KeysByTimeAndNonce(Miniature):
    """Remembers pairs of time and nonce."""

    exposed_by: ClassVar = ("replay-nonce-new-timestamp",)

    def key(self, stamp: Stamp, body: bytes) -> str:
        return f"{int(stamp.timestamp)}|{stamp.nonce}"


class RemembersInMemory(Miniature):
    """Loses its nonces when it is restarted."""

    exposed_by: ClassVar = ("replay-restart",)

    def restart(self, environment: Mapping[str, str]) -> None:
        self.nonces.clear()


class RemembersAlone(Miniature):
    """Shares its work with another instance, but not its nonces."""

    exposed_by: ClassVar = ("replay-other-instance",)

    def sibling(self) -> Miniature:
        other = super().sibling()
        other.nonces = {}
        return other


class RemembersFromReceipt(Miniature):
    """Remembers a nonce for the tolerance, counted from when the request came."""

    exposed_by: ClassVar = ("replay-ttl",)

    def keep_until(self, stamp: Stamp) -> float:
        return self.now() + self.tolerance


class KeepsFailedClaims(Miniature):
    """Takes the retry of an event on which it failed for a replay."""

    exposed_by: ClassVar = ("replay-after-failure",)

    def release(self, stamp: Stamp, body: bytes) -> None:
        pass


class CrashesOnDuplicates(Miniature):
    """Lets the violation of its unique key through to the server."""

    exposed_by: ClassVar = ("replay-status",)
    replay_status: ClassVar = 500


class RefusesRetries(Miniature):
    """Refuses a processed event, though this sender's retries keep their nonce."""

    exposed_by: ClassVar = ("retry-same-nonce",)
    retries_keep_nonce: ClassVar = True
