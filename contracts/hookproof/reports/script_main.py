"""The end of a report's script: sends what `resigning` made anew, and says what came back.

A script holds this file too; what is imported from `resigning` stands above it there.
"""

from __future__ import annotations

import base64
import http.client
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from hookproof.reports.resigning import Maker, Recorded, Scheme
from hookproof.reports.telling import NO_ANSWER, Facts, told

USAGE = 2


def again(case: Mapping[str, Any], key: bytes, url: str = "") -> int:
    """Send a finding's requests again and return 1 seen again, 0 not, 3 cannot tell, 2 no receiver.

    `case` has the scheme's words, the requests with their `note` and the `status` of the report,
    and of `telling.Facts` what is known beforehand.
    """
    scheme = Scheme(case["scheme"])
    maker = Maker(scheme, scheme.signer(key), key, time.time())
    then = [one["status"] for one in case["requests"]]
    remade = maker.remade(_recorded(one, url) for one in case["requests"])
    requests = [one.request for one in remade]
    if not _reachable(requests[0].url):
        return USAGE
    first = None
    if case["genuine_first"]:
        genuine = maker.genuine(remade[0])
        answered = _send(genuine)
        first = answered or NO_ANSWER
        print(f"{genuine.note}: {_words(answered)}")
    now = _all_at_once(requests) if case["together"] else [_send(one) for one in requests]
    for one, was, made, status in zip(requests, then, remade, now, strict=True):
        kept = "; its signature could not be made as it was" if made.kept else ""
        print(f"{one.note}: {_words(status)} (in the report: {_words(was)}{kept})")
    facts = Facts(
        category=case["category"],
        then=then,
        now=now,
        alone=case["alone"],
        kept=any(made.kept for made in remade),
        mixed=case["category"] == "forged" and any(made.genuine for made in remade),
        counted=case["counted"],
        first=first,
    )
    conclusion = told(facts, case["advice"])
    print(conclusion.words)
    return conclusion.status


def _recorded(one: Mapping[str, Any], url: str) -> Recorded:
    headers = tuple((str(name), str(value)) for name, value in one["headers"])
    body = base64.b64decode(one["body"])
    return Recorded(one["note"], one["method"], url or one["url"], headers, body, one["sent"])


def _all_at_once(requests: list[Recorded]) -> list[int | None]:
    answers: list[int | None] = [None] * len(requests)
    gate = threading.Barrier(len(requests))

    def send(at: int) -> None:
        gate.wait(30)
        answers[at] = _send(requests[at])

    threads = [threading.Thread(target=send, args=(at,)) for at in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _reachable(url: str) -> bool:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=10).close()
    except OSError as error:
        print(f"cannot reach the receiver at {url}: {error}", file=sys.stderr)
        return False
    return True


def _send(request: Recorded) -> int | None:
    parts = urlsplit(request.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=10)
    names = {name.lower() for name, _ in request.headers}
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.putrequest(
            request.method, path, skip_host="host" in names, skip_accept_encoding=True
        )
        for name, value in request.headers:
            connection.putheader(name, value.encode("latin-1"))
        if not names & {"content-length", "transfer-encoding"}:
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(f"  no answer: {error or type(error).__name__}", file=sys.stderr)
        return None
    finally:
        connection.close()


def _words(status: int | None) -> str:
    return "no answer" if status is None else str(status)


def main(case: Mapping[str, Any]) -> int:
    """Read the secret from the environment, and act."""
    secret = os.environ.get("HOOKPROOF_SECRET", "")
    if not secret and case["signed"]:
        print("HOOKPROOF_SECRET is not set: export the webhook's secret", file=sys.stderr)
        return USAGE
    try:
        key = Scheme(case["scheme"]).key(secret)
    except ValueError as error:  # its text may hold the secret, and stays unsaid
        print(f"HOOKPROOF_SECRET is not as declared ({type(error).__name__})", file=sys.stderr)
        return USAGE
    return again(case, key, *sys.argv[1:2])
