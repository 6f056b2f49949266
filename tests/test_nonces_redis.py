"""The nonce store in Redis, against a real server: what holds for all, and what for it alone."""

from __future__ import annotations

import math
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from redis import Redis

from hookproof.nonces import Claim, NonceStore, NonceStoreError
from hookproof.nonces_redis import GRACE, PREFIX, RedisNonceStore
from support import redis_server
from support.nonce_contract import (
    END,
    KILLED,
    NOW,
    RACES,
    REDIS,
    NonceStoreContract,
    Step,
    assert_left_by_the_killed,
    claim,
    expected_history,
    history,
    steps,
    winners,
)
from support.sockets import silent_port


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    if reason := redis_server.missing():
        pytest.skip(reason)
    with redis_server.running() as url:
        yield url


class TestRedisNonceStore(NonceStoreContract):
    @pytest.fixture
    def store(self, redis_url: str) -> Iterator[NonceStore]:
        with RedisNonceStore(redis_url, prefix=f"{secrets.token_hex(8)}:") as store:
            yield store

    def test_ended_nonces_leave_the_server_a_while_later(self, redis_url: str) -> None:
        nonce = secrets.token_hex(8)
        with RedisNonceStore(redis_url) as store, Redis.from_url(redis_url) as redis:
            claim(store, nonce)
            assert 0 < redis.pttl(PREFIX + nonce) / 1000 - (END - NOW) <= GRACE
            store.commit(nonce)
            assert redis.pttl(PREFIX + nonce) > 0
            claim(store, nonce, until=math.inf)
            assert redis.pttl(PREFIX + nonce) == -1

    def test_a_late_commit_leaves_nothing_behind(self, redis_url: str) -> None:
        nonce = secrets.token_hex(8)
        with RedisNonceStore(redis_url) as store, Redis.from_url(redis_url) as redis:
            store.commit(nonce)
            assert not redis.exists(PREFIX + nonce)

    def test_a_prefix_keeps_receivers_apart(self, redis_url: str) -> None:
        for prefix in ("one:", "another:"):
            with RedisNonceStore(redis_url, prefix=prefix) as store:
                assert claim(store, "a") is Claim.GRANTED

    def test_a_server_that_is_away_is_explained_without_its_password(self) -> None:
        with (
            silent_port() as port,
            RedisNonceStore(f"redis://user:pass-word@127.0.0.1:{port}") as store,
            pytest.raises(NonceStoreError) as caught,
        ):
            claim(store, "a")
        assert caught.value.where == f"redis://127.0.0.1:{port}"
        assert "running" in caught.value.hint
        assert "pass-word" not in str(caught.value)

    def test_an_address_of_another_kind_is_refused(self) -> None:
        with pytest.raises(NonceStoreError, match="no address of a Redis server"):
            RedisNonceStore("http://user:pass-word@127.0.0.1/")

    def test_without_redis_the_extra_is_named(self) -> None:
        code = "import sys; sys.modules['redis'] = None; import hookproof.nonces_redis"
        finished = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
        )
        assert finished.returncode == 1
        assert "pip install 'hookproof[redis]'" in finished.stderr


def test_a_lost_answer_is_not_asked_for_again() -> None:
    """The first command may have been carried out, and its claim would then look like another's."""
    with socket.create_server(("127.0.0.1", 0)) as deaf, ThreadPoolExecutor(1) as pool:
        calls = pool.submit(calls_hung_up_on, deaf)
        port = deaf.getsockname()[1]
        with (
            RedisNonceStore(f"redis://127.0.0.1:{port}") as store,
            pytest.raises(NonceStoreError),
        ):
            claim(store, "a")
        socket.create_connection(("127.0.0.1", port)).close()
        assert calls.result(timeout=10) == 1


def calls_hung_up_on(server: socket.socket) -> int:
    """Hang up on everyone who says something; return how many did before one said nothing."""
    for calls in range(20):
        peer, _ = server.accept()
        with peer:
            if not peer.recv(65_536):
                return calls
    return 20


def test_processes_racing_for_a_nonce_in_redis_have_one_winner(redis_url: str) -> None:
    assert sorted(winners(REDIS, redis_url)) == sorted(map(str, range(RACES)))


REDIS_FORKER = """
import os, sys
from hookproof.nonces import Claim
from hookproof.nonces_redis import RedisNonceStore
with RedisNonceStore(sys.argv[1], prefix="forked:") as store:
    assert store.claim("before", now=0, until=10) is Claim.GRANTED
    children = []
    for number in range(4):
        child = os.fork()
        if not child:
            known = [store.claim("before", now=0, until=10) for _ in range(50)]
            assert set(known) == {Claim.IN_FLIGHT}, known
            os._exit(int(store.claim("after", now=0, until=10) is Claim.GRANTED))
        children.append(child)
    known = [store.claim("before", now=0, until=10) for _ in range(50)]
    assert set(known) == {Claim.IN_FLIGHT}, known
    grants = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert sorted(grants) == [0, 0, 0, 1], grants
"""


def test_forked_processes_share_no_connection_to_redis(redis_url: str) -> None:
    command = [sys.executable, "-W", "error", "-c", REDIS_FORKER, redis_url]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")


def test_a_killed_process_leaves_its_claim_in_flight_in_redis(redis_url: str) -> None:
    subprocess.run([sys.executable, "-c", KILLED, REDIS, redis_url], timeout=60, check=False)
    with RedisNonceStore(redis_url) as store:
        assert_left_by_the_killed(store)


@given(played=steps)
@settings(deadline=None, max_examples=40)
def test_redis_store_behaves_like_a_table(redis_url: str, played: list[Step]) -> None:
    with RedisNonceStore(redis_url, prefix=f"{secrets.token_hex(8)}:") as store:
        assert history(store, played) == expected_history(played)
