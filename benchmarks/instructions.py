"""How many instructions a call takes, beside the last release's: repeatable where times are not.

    .venv/bin/python benchmarks/instructions.py [--store]

Callgrind counts a process that makes some calls, and one that makes more; the difference is theirs
alone. Only the same CPython is compared, as another has other instructions. With `--store` the
counts become those of the release in `instructions.json`. Nothing is judged.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

STORED = Path(__file__).with_name("instructions.json")
PYTHON = f"{platform.python_implementation()} {platform.python_version()}"
WARMING, MEASURED = 50, 200
HELP = "hookproof --help, whole"
COLLECTED = re.compile(r"Collected : (\d+)")
NOW = 1_722_268_288.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", action="store_true", help="make these the release's")
    parser.add_argument("--calls", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.calls:
        make(asked.calls[0], int(asked.calls[1]))
    elif shutil.which("valgrind") is None:
        print("instruction counts: left out, as valgrind is not installed")
    else:
        show(counts(), store=asked.store)


def show(found: Mapping[str, int], *, store: bool) -> None:
    kept = json.loads(STORED.read_text()) if STORED.exists() else {}
    comparable = kept.get("python") == PYTHON
    before = kept["instructions"] if comparable else {}
    print(f"instructions, {PYTHON}; of release {kept.get('release')}: {kept.get('python')}")
    for name, count in found.items():
        beside = f"{before[name]:>12,} {count / before[name]:7.3f} x" if name in before else ""
        print(f"  {name:28} {count:>12,} {beside}")
    if store:
        told = {"release": version("hookproof"), "python": PYTHON, "instructions": found}
        STORED.write_text(json.dumps(told, indent=2) + "\n")


def counts() -> dict[str, int]:
    """Return the instructions of one call of each kind, and of a whole command."""
    script = Path(sys.prefix) / "bin" / "hookproof"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        whole = pool.submit(collected, [script, "--help"])
        few = pool.submit(collected, [__file__, "--calls", "none", "0"])
        more = {
            name: pool.submit(collected, [__file__, "--calls", name, str(MEASURED)])
            for name in CALLS
        }
        base = few.result()
        each = {name: round((run.result() - base) / MEASURED) for name, run in more.items()}
        return {**each, HELP: whole.result()}


def collected(arguments: Iterable[str | Path]) -> int:
    """Run Python under callgrind and return how many instructions it took."""
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run(
        [*valgrind, sys.executable, *arguments],
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = COLLECTED.search(done.stderr)
    if found is None:
        raise RuntimeError(f"callgrind told no count: {done.stderr[-500:]}")
    return int(found[1])


def make(name: str, count: int) -> None:
    """Warm every kind of call up, then make so many of one."""
    prepared = {kind: prepare() for kind, prepare in CALLS.items()}
    for call in prepared.values():
        for _ in range(WARMING):
            call()
    for _ in range(count):
        prepared[name]()


def signing() -> Callable[[], object]:
    from hookproof_spec import load
    from hookproof_spec.request import Request
    from hookproof_spec.signing import Signer

    signer = Signer(load("mobility-work").webhook().scheme, "a-secret-of-32-characters-length")
    request = Request("POST", "http://h/", (("Content-Type", "application/json"),), b"x" * 449)
    return partial(signer.headers, request, timestamp=NOW, nonce="0" * 40)


def verifying() -> Callable[[], object]:
    from hookproof_spec import load
    from hookproof_spec.request import Request
    from hookproof_spec.signing import Signer, Verifier

    scheme = load("mobility-work").webhook().scheme
    secret = "a-secret-of-32-characters-length"
    request = Request("POST", "http://h/", (("Content-Type", "application/json"),), b"x" * 449)
    signed = Signer(scheme, secret).signed(request, timestamp=NOW, nonce="0" * 40)
    return partial(Verifier(scheme, [secret]).verify, signed, NOW)


def judging() -> Callable[[], object]:
    from hookproof.validators import RequestValidator
    from hookproof_spec import load, payloads
    from hookproof_spec.request import Request
    from hookproof_spec.signing import Signer

    webhook, secret = load("mobility-work").webhook(), "a-secret-of-32-characters-length"
    body = payloads.encode(payloads.example(webhook))
    request = Request("POST", "http://h/", (("Content-Type", "application/json"),), body)
    signed = Signer(webhook.scheme, secret).signed(request, timestamp=NOW, nonce="0" * 40)
    return partial(RequestValidator(webhook, secret, nonces=None).check, signed, NOW)


def sending() -> Callable[[], object]:
    from hookproof.targets.wsgi import WsgiTarget
    from hookproof_spec.request import Request

    target = WsgiTarget(receiver, "/webhook")
    headers = (("Content-Type", "application/json"), ("X-MW-Signature", "t=1,nonce=2,signature=3"))
    return partial(target.send, Request("POST", target.url, headers, b"x" * 449))


def receiver(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


CALLS: dict[str, Callable[[], Callable[[], object]]] = {
    "sign": signing,
    "verify": verifying,
    "a request judged whole": judging,
    "a request in process (WSGI)": sending,
}


if __name__ == "__main__":
    main()
