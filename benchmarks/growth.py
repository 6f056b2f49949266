"""What grows with what: cost and memory against requests, bytes, nonces, rules, workers and so on.

    .venv/bin/python benchmarks/growth.py [--million] [--only PART] [--json FILE]

Sizes go up to 10^5, with `--million` to 10^6; those of the contract over HTTP, which takes longest,
to a tenth of that. What is measured by its memory runs in a process of its own, and its figure is
the peak of that process, interpreter and imports included.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import Row, calls, peak_memory, report
from processes import receiver, script, spent

if TYPE_CHECKING:
    from hookproof.effects import Probe
    from hookproof.nonces import NonceStore
    from hookproof.targets.base import Target
    from hookproof_spec.request import Request

SECRET = "a-secret-of-32-characters-length"
NOW = 1_722_268_288.0
SIZES = (1_000, 10_000, 100_000)
BODIES = {"300 B": 300, "4 KiB": 4_096, "64 KiB": 65_536, "1 MiB": 1_048_576}
RULES = (1, 10, 40)
FIXED, EACH_EXAMPLE = 800, 16
"""How many requests the contract sends whatever is asked for, and for each example, about."""
WORKERS = (0, 1, 2, 4)
LAST = 1_000
"""Of a store that is filled, the cost of so many calls at its end is what counts."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", action="store_true", help="up to 10^6")
    parser.add_argument("--only", choices=PARTS, help="one part")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_known_args()[0]
    if asked.child:
        what, count = asked.child
        print(json.dumps(CHILDREN[what](int(count))))
        return
    sizes = (*SIZES, 1_000_000) if asked.million else SIZES
    parts = [asked.only] if asked.only else list(PARTS)
    report([row for part in parts for row in PARTS[part](sizes)])


# --- bytes --------------------------------------------------------------------------------------


def sized(size: int) -> bytes:
    """Return a genuine payload of so many bytes: a long name."""
    from hookproof_spec import load, payloads

    example = payloads.example(load("mobility-work").webhook())
    event = json.loads(json.dumps(example))
    event["sparePart"]["name"] = ""
    event["sparePart"]["name"] = "n" * max(1, size - len(compact(event)))
    return compact(event)


def compact(event: object) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


def by_size(_sizes: Sequence[int]) -> Iterator[Row]:
    import hmac

    from hookproof.validators import RequestValidator
    from hookproof_spec import load
    from hookproof_spec.request import Request
    from hookproof_spec.signing import Signer, Verifier

    webhook = load("mobility-work").webhook()
    signer, verifier = Signer(webhook.scheme, SECRET), Verifier(webhook.scheme, [SECRET])
    validator = RequestValidator(webhook, [SECRET], nonces=None)
    key = SECRET.encode()
    bare: dict[str, Callable[[], object]] = {}
    signing: dict[str, Callable[[], object]] = {}
    verifying: dict[str, Callable[[], object]] = {}
    judging: dict[str, Callable[[], object]] = {}
    for name, size in BODIES.items():
        body = sized(size)
        plain = Request("POST", "http://h/", (("Content-Type", webhook.media_type),), body)
        good = signer.signed(plain, timestamp=NOW, nonce="0" * 40)
        if not validator.check(good, NOW).accepted:
            raise RuntimeError(f"the event of {name} is not accepted")
        bare[name] = lambda body=body: hmac.digest(key, body, "sha256")  # type: ignore[misc]
        signing[name] = lambda plain=plain: signer.headers(  # type: ignore[misc]
            plain, timestamp=NOW, nonce="0" * 40
        )
        verifying[name] = lambda good=good: verifier.verify(good, NOW)  # type: ignore[misc]
        judging[name] = lambda good=good: validator.check(good, NOW)  # type: ignore[misc]
    yield calls("bare HMAC, by size of the payload", bare)
    yield calls("sign, by size of the payload", signing)
    yield calls("verify, by size of the payload", verifying)
    yield calls("judged whole (signature, age, schema), by size of the payload", judging)


# --- nonces -------------------------------------------------------------------------------------


def by_nonces(sizes: Sequence[int]) -> Iterator[Row]:
    stores = {"memory": "in memory", "temporary": "in a temporary file", "sqlite": "in SQLite"}
    for name, words in stores.items():
        yield from grown(name, f"a nonce more, {words}, by nonces remembered", sizes)
    for name, words in {
        "validator": "all of them fresh",
        "passing": "100 a second, forgotten when they are stale",
    }.items():
        yield from grown(name, f"RequestValidator, by requests ({words})", sizes)


def grown(what: str, title: str, sizes: Sequence[int]) -> Iterator[Row]:
    """Have a process measure each size: the cost of the last calls, and its peak memory."""
    costs, peaks = {}, {}
    for size in sizes:
        command = [sys.executable, __file__, "--child", what, str(size)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        name = f"{found.get('requests', size):,}"
        costs[name], peaks[name] = [found["cost"]], [found["peak"]]
    first = next(iter(costs))
    yield Row(title, first).fill(costs)
    yield Row(f"peak memory: {title}", first, unit="MiB").fill(peaks)


def told(cost: float) -> dict[str, float]:
    return {"cost": cost, "peak": peak_memory()}


def cost_of_last(call: Callable[[int], object], count: int) -> float:
    """Make so many calls, and return the microseconds of CPU of each of the last."""
    for number in range(count - LAST):
        call(number)
    begun = time.process_time()
    for number in range(count - LAST, count):
        call(number)
    return (time.process_time() - begun) / LAST * 1e6


def filled(store: NonceStore, count: int) -> dict[str, float]:
    def spend(number: int) -> None:
        nonce = f"{number:040x}"
        store.claim(nonce, now=NOW, until=NOW + 300)
        store.commit(nonce)

    return told(cost_of_last(spend, count))


def in_memory(count: int) -> dict[str, float]:
    from hookproof.nonces import MemoryNonceStore

    return filled(MemoryNonceStore(), count)


def in_temporary(count: int) -> dict[str, float]:
    from hookproof.nonces import TemporaryNonceStore

    with TemporaryNonceStore() as store:
        return filled(store, count)


def in_sqlite(count: int) -> dict[str, float]:
    from hookproof.nonces import SqliteNonceStore

    with tempfile.TemporaryDirectory() as folder, SqliteNonceStore(Path(folder, "n.db")) as store:
        return filled(store, count)


def validated(count: int, a_second: float) -> dict[str, float]:
    """Judge so many requests, each signed anew, of which so many come in a second."""
    from hookproof.nonces import MemoryNonceStore
    from hookproof.validators import RequestValidator
    from hookproof_spec import load, payloads
    from hookproof_spec.request import Request
    from hookproof_spec.signing import Signer

    webhook = load("mobility-work").webhook()
    signer = Signer(webhook.scheme, SECRET)
    validator = RequestValidator(webhook, [SECRET], nonces=MemoryNonceStore(), tolerance=300)
    body = compact(payloads.example(webhook))
    plain = Request("POST", "http://h/", (("Content-Type", webhook.media_type),), body)

    def judge(number: int) -> None:
        now = NOW + number / a_second
        request = signer.signed(plain, timestamp=now, nonce=f"{number:040x}")
        if not validator.check(request, now).accepted:
            raise RuntimeError("a genuine request was refused")

    return told(cost_of_last(judge, count))


# --- deliveries ---------------------------------------------------------------------------------


def by_deliveries(sizes: Sequence[int]) -> Iterator[Row]:
    yield from grown("deliveries", "a turn of the mock sender, a delivery, by those stored", sizes)


def stored(count: int) -> dict[str, float]:
    """Have the engine deliver so many, the network left out; the last turns are measured."""
    import mock_sender

    with tempfile.TemporaryDirectory() as folder:
        ours = mock_sender.Ours(Path(folder), max(1, count // mock_sender.COUNT))
        ours.run(max(0, count - LAST))
        begun = time.process_time()
        ours.run(LAST)
        cost = (time.process_time() - begun) / LAST * 1e6
        ours.close()
    return told(cost)


# --- requests and rules -------------------------------------------------------------------------


def by_requests(sizes: Sequence[int]) -> Iterator[Row]:
    words = "a request, by their number"
    yield from grown("over http", f"the contract over HTTP, {words}", sizes[:-1])
    yield from grown("in process", f"the contract in process, {words}", sizes)


def over_http(count: int) -> dict[str, float]:
    from hookproof.effects import UrlProbe
    from hookproof.targets.http import HttpTarget

    with receiver() as listening, HttpTarget(f"{listening.url}/webhook") as target:
        return judged(target, UrlProbe(f"{listening.url}/effects"), count)


def in_process(count: int) -> dict[str, float]:
    """Run the contract on the reference receiver in this very process, which counts as well."""
    from hookproof.effects import CallableProbe
    from hookproof.nonces import TemporaryNonceStore
    from hookproof.receiver import Effects, create_receiver
    from hookproof.targets.wsgi import WsgiTarget
    from hookproof_spec import load

    taken = Effects()
    with TemporaryNonceStore() as nonces:
        app = create_receiver(
            load("mobility-work").webhook(),
            SECRET,
            nonces=nonces,
            on_event=lambda _: taken.add(None),
        )
        probe = CallableProbe(lambda: taken.report(named=False))
        return judged(WsgiTarget(app), probe, count)


def judged(target: Target, probe: Probe, count: int) -> dict[str, float]:
    """Run the contract with about so many requests, its searches having all the time they need."""
    from hookproof.catalogue import select
    from hookproof.events import RunFinished
    from hookproof.run import Setup, run
    from hookproof_spec import load

    setup = Setup(
        webhook=load("mobility-work").webhook(),
        spec="mobility-work",
        secret=SECRET,
        target=target,
        probe=probe,
        seed=1,
        examples=max(1, (count - FIXED) // EACH_EXAMPLE),
        search_seconds=float("inf"),
        rules=select().rules,
    )
    begun = time.process_time()
    finished = [event for event in run(setup) if isinstance(event, RunFinished)]
    cost = (time.process_time() - begun) / finished[0].requests * 1e6
    return {**told(cost), "requests": finished[0].requests}


def by_rules(_sizes: Sequence[int]) -> Iterator[Row]:
    from hookproof.catalogue import RULES as ALL

    names = [rule.id for rule in ALL]
    costs = {}
    for count in (*RULES, len(names)):
        only = itertools.chain.from_iterable(("--only", name) for name in names[:count])
        costs[f"the first {count}"] = [contract(*only) * 1e3]
    first = next(iter(costs))
    yield Row("hookproof verify, whole, by rules", first, unit="ms CPU").fill(costs)


def contract(*options: str) -> float:
    """Run the contract over HTTP; return how many seconds of CPU it took."""
    with tempfile.TemporaryDirectory() as folder, receiver() as listening:
        command = [script("hookproof"), "verify", f"{listening.url}/webhook", *options]
        return spent([*command, "--effects-url", f"{listening.url}/effects"], Path(folder)).cpu


SUITE = f"""
import hookproof, pytest
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof_spec import load

@pytest.fixture(scope="session")
def webhook_receiver():
    webhook, taken = load("mobility-work").webhook(), []
    app = create_receiver(webhook, "{SECRET}", nonces=MemoryNonceStore(), on_event=taken.append)
    return hookproof.Receiver(
        app=app, path="/webhook", secret="{SECRET}", effects=lambda: len(taken)
    )

@hookproof.contract
def test_receiver(webhook_receiver, rule):
    rule.check(webhook_receiver)
"""


def by_workers(_sizes: Sequence[int]) -> Iterator[Row]:
    """Run the contract in a test suite, on a receiver in each worker of pytest-xdist."""
    cpu, wall = {}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_contract.py").write_text(SUITE)
        for count in WORKERS:
            spread = ["-n", str(count), "-p", "no:cacheprovider"]
            one = spent([sys.executable, "-m", "pytest", "-q", *spread, "."], folder)
            if one.status != 0:
                raise RuntimeError(f"the suite ended with {one.status}")
            cpu[f"-n {count}"], wall[f"-n {count}"] = [one.cpu], [one.wall]
    yield Row("the contract in pytest, by workers", "-n 0", unit="s CPU").fill(cpu)
    yield Row("wall time: the contract in pytest, by workers", "-n 0", unit="s").fill(wall)


def by_received(sizes: Sequence[int]) -> Iterator[Row]:
    """Measure `hookproof listen`, all of whose nonces stay fresh."""
    costs, peaks = {}, {}
    for size in sizes:
        with receiver() as listening:
            before = listening.cpu
            send(listening.url, size)
            name = f"{size:,}"
            costs[name] = [(listening.cpu - before) / size * 1e6]
            peaks[name] = [listening.peak]
    first = next(iter(costs))
    yield Row("hookproof listen, a request, by their number", first).fill(costs)
    yield Row("peak memory: hookproof listen, by requests", first, unit="MiB").fill(peaks)


def send(url: str, count: int) -> None:
    """Send so many genuine requests, a thousand at a time."""
    from hookproof.fresh import fresh_nonce
    from hookproof.targets.http import HttpTarget
    from hookproof_spec import load, payloads
    from hookproof_spec.request import Request
    from hookproof_spec.signing import Signer

    webhook = load("mobility-work").webhook()
    signer = Signer(webhook.scheme, SECRET)
    body = compact(payloads.example(webhook))
    plain = Request("POST", f"{url}/webhook", (("Content-Type", webhook.media_type),), body)

    def one() -> Request:
        nonce = fresh_nonce(webhook.scheme.nonce)
        return signer.signed(plain, timestamp=time.time(), nonce=nonce)

    with HttpTarget(plain.url) as target:
        for _ in range(0, count, 1_000):
            exchanges = target.send_all([one() for _ in range(1_000)])
            if any(exchange.status != 200 for exchange in exchanges):
                raise RuntimeError("a genuine request was refused")


PARTS: dict[str, Callable[[Sequence[int]], Iterator[Row]]] = {
    "size": by_size,
    "nonces": by_nonces,
    "deliveries": by_deliveries,
    "requests": by_requests,
    "rules": by_rules,
    "workers": by_workers,
    "listen": by_received,
}
CHILDREN: dict[str, Callable[[int], dict[str, float]]] = {
    "memory": in_memory,
    "temporary": in_temporary,
    "sqlite": in_sqlite,
    "validator": lambda count: validated(count, float(count)),
    "passing": lambda count: validated(count, 100.0),
    "deliveries": stored,
    "over http": over_http,
    "in process": in_process,
}


if __name__ == "__main__":
    main()
