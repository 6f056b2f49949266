"""Sending signed requests over loopback HTTP: our CPU time for each, beside other clients.

Every contender signs each request anew and reads its answer. The receiver is a process of its own.

    .venv/bin/python benchmarks/sending.py [--json FILE]
"""

from __future__ import annotations

import asyncio
import hmac
import http.client
import io
import secrets
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring import Row, in_environment, report

PEERS = ["aiohttp", "httpx", "requests", "pycurl"]
SECRET = "a-secret-of-32-characters-length"
KEY = SECRET.encode()
BODY = b'{"_event":"Spare part was out of stock"}'.ljust(449)
NAME = "X-MW-Signature"
CONNECTIONS = 32
Send = Callable[[int], None]


def signature() -> str:
    """Sign the body by hand, with a fresh time and nonce."""
    stamp, nonce = str(int(time.time())), secrets.token_hex(20)
    content = f"{stamp}.{nonce}.".encode() + BODY
    return f"t={stamp},nonce={nonce},signature={hmac.digest(KEY, content, 'sha256').hex()}"


def main() -> None:
    with receiver() as port:
        many, one = _many(port), _one(port)
        rows = [
            measured(
                f"{CONNECTIONS} connections",
                many,
                goal="at most 2.5 x raw selectors, 1/3 of aiohttp",
                number=1_500,
            ),
            measured(
                "one connection", one, goal="at most 1.5 x a raw socket", number=500, rounds=31
            ),
        ]
    report(rows, PEERS)


SLOW = {"httpx, asynchronous": 150, "requests": 150}
"""How many requests are enough of those that are many times slower than the others."""


def measured(
    title: str, contenders: dict[str, Send], *, goal: str, number: int, rounds: int = 7
) -> Row:
    """Measure the CPU time of this process for a request; the first contender is the reference."""
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for send in contenders.values():
        send(50)
    for _ in range(rounds):
        for name, send in contenders.items():
            count = SLOW.get(name, number)
            begun = time.process_time()
            send(count)
            samples[name].append((time.process_time() - begun) / count * 1e6)
    return Row(f"sending, {title}", next(iter(contenders)), goal).fill(samples)


@contextmanager
def receiver() -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("answering.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)


# --- many connections ---------------------------------------------------------------------------


def _many(port: int) -> dict[str, Send]:
    return {
        "raw selectors": lambda number: _raw_selectors(port, number),
        "hookproof": _hookproof(port),
        "aiohttp": lambda number: asyncio.run(_aiohttp(port, number)),
        "httpx, asynchronous": lambda number: asyncio.run(_httpx(port, number)),
    }


def _raw_selectors(port: int, number: int) -> None:
    selector = selectors.DefaultSelector()
    for _ in range(min(CONNECTIONS, number)):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ)
        connection.send(_raw(port))
        number -= 1
    waiting = len(selector.get_map())
    while waiting:
        for key, _ in selector.select():
            if b"ok" not in key.fileobj.recv(65_536):
                continue
            if number:
                key.fileobj.send(_raw(port))
                number -= 1
            else:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                waiting -= 1


def _raw(port: int) -> bytes:
    head = (
        f"POST /webhook HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"{NAME}: {signature()}\r\nContent-Length: {len(BODY)}\r\n\r\n"
    )
    return head.encode() + BODY


def _hookproof(port: int, *, together: bool = True) -> Send:
    from hookproof.fresh import fresh_nonce
    from hookproof.targets.http import HttpTarget
    from hookproof_spec import load
    from hookproof_spec.request import Request
    from hookproof_spec.signing import Signer

    scheme = load("mobility-work").webhook().scheme
    signer = Signer(scheme, SECRET)
    target = HttpTarget(f"http://127.0.0.1:{port}/webhook")
    plain = Request("POST", target.url, (("Content-Type", "application/json"),), BODY)

    def one() -> Request:
        nonce = fresh_nonce(scheme.nonce)
        return signer.signed(plain, timestamp=time.time(), nonce=nonce)

    def send(number: int) -> None:
        if together:
            exchanges = target.send_all([one() for _ in range(number)])
        else:
            exchanges = [target.send(one()) for _ in range(number)]
        if any(exchange.status != 200 for exchange in exchanges):
            raise RuntimeError("a request was lost")

    return send


async def _aiohttp(port: int, number: int) -> None:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    url = f"http://127.0.0.1:{port}/webhook"
    async with aiohttp.ClientSession(connector=connector) as session:

        async def work(count: int) -> None:
            for _ in range(count):
                headers = {"Content-Type": "application/json", NAME: signature()}
                async with session.post(url, data=BODY, headers=headers) as response:
                    await response.read()

        await asyncio.gather(*(work(share) for share in _shares(number)))


async def _httpx(port: int, number: int) -> None:
    import httpx

    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    url = f"http://127.0.0.1:{port}/webhook"
    async with httpx.AsyncClient(limits=limits) as client:

        async def work(count: int) -> None:
            for _ in range(count):
                headers = {"Content-Type": "application/json", NAME: signature()}
                await client.post(url, content=BODY, headers=headers)

        await asyncio.gather(*(work(share) for share in _shares(number)))


def _shares(number: int) -> list[int]:
    return [number // CONNECTIONS + (place < number % CONNECTIONS) for place in range(CONNECTIONS)]


# --- one connection -----------------------------------------------------------------------------


def _one(port: int) -> dict[str, Send]:
    import pycurl
    import requests

    raw = socket.create_connection(("127.0.0.1", port))
    standard = http.client.HTTPConnection("127.0.0.1", port)
    session = requests.Session()
    session.trust_env = False
    curl = pycurl.Curl()
    url = f"http://127.0.0.1:{port}/webhook"

    def send_raw(number: int) -> None:
        for _ in range(number):
            raw.sendall(_raw(port))
            while b"ok" not in raw.recv(65_536):
                pass

    def send_standard(number: int) -> None:
        for _ in range(number):
            headers = {"Content-Type": "application/json", NAME: signature()}
            standard.request("POST", "/webhook", BODY, headers)
            standard.getresponse().read()

    def send_requests(number: int) -> None:
        for _ in range(number):
            headers = {"Content-Type": "application/json", NAME: signature()}
            session.post(url, data=BODY, headers=headers)

    def send_curl(number: int) -> None:
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.POSTFIELDS, BODY)
        for _ in range(number):
            answer = io.BytesIO()
            headers = ["Content-Type: application/json", f"{NAME}: {signature()}"]
            curl.setopt(pycurl.HTTPHEADER, headers)
            curl.setopt(pycurl.WRITEDATA, answer)
            curl.perform()

    return {
        "a raw socket": send_raw,
        "hookproof": _hookproof(port, together=False),
        "pycurl": send_curl,
        "http.client": send_standard,
        "requests": send_requests,
    }


if __name__ == "__main__":
    in_environment("sending", PEERS)
    main()
