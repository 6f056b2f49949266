"""A webhook receiver with aiohttp: one process, one event loop, all in memory.

It answers JSON: 400 to whatever it cannot verify, 422 to what is no event, and to what it has seen
200 without doing anything, unless it is told to refuse it with 400. A restart forgets the nonces.

Settings: WEBHOOK_SECRET, TOLERANCE (seconds), REPLAY (ignore|reject) and PORT. STORE is not used.
"""

import hashlib
import hmac
import json
import os
import re
import time
from contextlib import suppress

from aiohttp import web

SECRET = os.environ.get("WEBHOOK_SECRET", "").encode()
TOLERANCE = int(os.environ.get("TOLERANCE") or 3600)
REFUSES_REPLAYS = os.environ.get("REPLAY") == "reject"
FUTURE_SECONDS = 5

ITEM = {
    "t": re.compile("[0-9]{1,12}"),
    "nonce": re.compile("[A-Za-z0-9_-]{8,128}"),
    "signature": re.compile("[0-9a-f]{64}"),
}

if not SECRET:
    raise RuntimeError("WEBHOOK_SECRET is empty")

NONCES = web.AppKey("NONCES", set[str])
PROCESSED = web.AppKey("PROCESSED", list[str])


def parsed(headers: list[str]) -> dict[str, str] | None:
    """Read the items in the one order that senders write, each of them once."""
    pairs = [item.partition("=")[::2] for item in headers[0].split(",")] if headers else []
    items = dict(pairs)
    if len(headers) != 1 or [name for name, _ in pairs] != list(ITEM):
        return None
    well_formed = all(ITEM[name].fullmatch(value) for name, value in items.items())
    return items if well_formed else None


def is_genuine(items: dict[str, str], body: bytes) -> bool:
    content = f"{items['t']}.{items['nonce']}.".encode() + body
    expected = hmac.new(SECRET, content, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, items["signature"])


def is_fresh(time_: str) -> bool:
    return -FUTURE_SECONDS <= time.time() - int(time_) <= TOLERANCE


def spare_part(body: bytes) -> str | None:
    with suppress(ValueError, TypeError, LookupError, RecursionError):
        event = json.loads(body)
        kind, part = event["_event"], event["sparePart"]["sparePartId"]
        if isinstance(kind, str) and isinstance(part, str):
            part.encode()  # a lone surrogate is legal JSON and no text that could be sent on
            return part
    return None


async def webhook(request: web.Request) -> web.Response:
    body = await request.read()
    items = parsed(request.headers.getall("X-MW-Signature", []))
    if items is None or not is_genuine(items, body) or not is_fresh(items["t"]):
        return web.json_response({"error": "not believed"}, status=400)
    part = spare_part(body)
    if part is None:
        return web.json_response({"error": "not an event of ours"}, status=422)
    # Nothing is awaited between the question and its answer.
    if items["nonce"] in request.app[NONCES]:
        status = 400 if REFUSES_REPLAYS else 200
        return web.json_response({"error": "seen before"}, status=status)
    request.app[NONCES].add(items["nonce"])
    request.app[PROCESSED].append(part)
    return web.json_response({"status": "processed"})


async def effects(request: web.Request) -> web.Response:
    parts = request.app[PROCESSED]
    return web.json_response({"processed": len(parts), "ids": parts})


async def announce(_: web.Application) -> None:
    print("listening", flush=True)


def application() -> web.Application:
    app = web.Application(client_max_size=1024 * 1024)
    app[NONCES] = set()
    app[PROCESSED] = []
    app.add_routes([web.post("/webhook", webhook), web.get("/effects", effects)])
    app.on_startup.append(announce)
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
