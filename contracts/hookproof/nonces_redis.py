"""Remembering nonces in Redis, for receivers on several machines; needs `hookproof[redis]`.

What `hookproof.nonces` says of claims holds here as well. Two settings of the server decide how far
it can be trusted. `maxmemory-policy` must be `noeviction`: any other forgets nonces when there are
many, which is a way to replay. And what persistence or a failover loses is forgotten with it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Self, final
from urllib.parse import urlsplit

from hookproof.nonces import Claim, NonceStoreError

try:
    from redis import Redis, RedisError
    from redis.backoff import NoBackoff
    from redis.commands.core import Script
    from redis.retry import Retry
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "RedisNonceStore needs the extra `redis`: pip install 'hookproof[redis]'", name=error.name
    ) from error

PREFIX = "hookproof:nonce:"
TIMEOUT = 5.0
GRACE = 600.0
"""Redis drops a nonce so many seconds after its end: the clocks of machines differ, and the time
that decides is the caller's, which a claim compares with the end that was kept."""
LONGEST = 100 * 366 * 86_400
"""Seconds beyond which a nonce is kept for ever, as Redis cannot count that far."""

_CLAIM = """
local known = redis.call('HMGET', KEYS[1], 'until', 'spent')
local is_new = not known[1] or tonumber(known[1]) < tonumber(ARGV[1])
if is_new then
  redis.call('HSET', KEYS[1], 'until', ARGV[2], 'spent', '0')
elseif tonumber(known[1]) < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], 'until', ARGV[2])
else
  return known[2]
end
if ARGV[3] == '' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return is_new and 'new' or known[2]
"""
# HSET alone would bring an ended nonce back without an end, and keep it for ever.
_COMMIT = "return redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HSET', KEYS[1], 'spent', '1')"
_RELEASE = "return redis.call('HGET', KEYS[1], 'spent') == '0' and redis.call('DEL', KEYS[1])"
_CLAIMS: Mapping[object, Claim] = {b"new": Claim.GRANTED, b"0": Claim.IN_FLIGHT, b"1": Claim.SPENT}


@final
class RedisNonceStore:
    """Nonces in Redis, for any number of threads, processes and machines.

    Each method is one script, which Redis runs as one step. A command is never sent a second time
    when its answer was lost: the first may have been carried out, and the second would then find
    its own claim and take it for somebody else's.
    """

    __slots__ = ("_claim", "_client", "_commit", "_prefix", "_release", "_where")

    def __init__(self, url: str, *, prefix: str = PREFIX, timeout: float = TIMEOUT) -> None:
        """Connect when it is first used.

        Args:
            url: `redis://`, `rediss://` or `unix://`, as redis-py reads it.
            prefix: what the keys begin with, where several receivers share a server.
            timeout: how long to wait for a connection and for an answer, in seconds.

        Raises:
            NonceStoreError: it is no such URL.
        """
        self._prefix = prefix.encode()
        self._where = _without_password(url)
        try:
            self._client = Redis.from_url(
                url,
                decode_responses=False,
                retry=Retry(NoBackoff(), 0),
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
            )
        except ValueError as error:
            raise NonceStoreError(
                "this is no address of a Redis server",
                where=self._where,
                hint="write redis://HOST:PORT/DATABASE",
            ) from error
        self._claim = self._client.register_script(_CLAIM)
        self._commit = self._client.register_script(_COMMIT)
        self._release = self._client.register_script(_RELEASE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def claim(self, nonce: str, *, now: float, until: float) -> Claim:
        """Claim a nonce if it is new; see `NonceStore.claim`."""
        values = (repr(now), repr(_finite(until)), _life(now, until))
        return _CLAIMS[self._run(self._claim, nonce, *values)]

    def commit(self, nonce: str) -> None:
        """Make a provisional claim final; see `NonceStore.commit`."""
        self._run(self._commit, nonce)

    def release(self, nonce: str) -> None:
        """Give a provisional claim back; see `NonceStore.release`."""
        self._run(self._release, nonce)

    def close(self) -> None:
        """Close this process's connections; using the store again opens new ones."""
        self._client.close()

    def _run(self, script: Script, nonce: str, *values: str) -> object:
        # Bytes, because a text with a lone surrogate cannot be sent as text.
        key = self._prefix + nonce.encode("utf-8", "surrogatepass")
        try:
            return script([key], values)
        except RedisError as error:
            raise NonceStoreError(
                f"the nonce store cannot be used: {error}",
                where=self._where,
                hint="is the Redis server running, and may we read, write and run scripts there?",
            ) from error


def _finite(until: float) -> float:
    return min(until, sys.float_info.max)


def _life(now: float, until: float) -> str:
    """Return for how many milliseconds Redis keeps a nonce; empty for ever."""
    seconds = until - now + GRACE
    return str(math.ceil(seconds * 1000)) if seconds < LONGEST else ""


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
