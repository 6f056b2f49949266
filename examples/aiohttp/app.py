"""A shop that hears from Mobility Work when a spare part is out of stock: aiohttp."""

import hashlib
import hmac
import json
import os
import re
import time

from aiohttp import web

BUG = os.environ.get("BUG", "")  # see README.md
TOLERANCE = 300
HEADER = re.compile(r"t=([0-9]{1,12}),nonce=([A-Za-z0-9_-]{8,128}),signature=([0-9a-f]{64})")
SECRET = web.AppKey("secret", bytes)
ORDERS = web.AppKey("orders", dict)


def create_app(secret: str) -> web.Application:
    app = web.Application(client_max_size=1024 * 1024)
    app[SECRET] = secret.encode()
    app[ORDERS] = {}  # a part for each nonce that was processed
    app.router.add_post("/webhook", webhook)
    return app


async def webhook(request: web.Request) -> web.Response:
    body = await request.read()
    headers = request.headers.getall("X-MW-Signature", [])
    found = HEADER.fullmatch(headers[0]) if len(headers) == 1 else None
    if found is None:
        raise web.HTTPUnauthorized
    verify(request.app[SECRET], *found.groups(), body)
    part, orders = part_of(body), request.app[ORDERS]
    if found[2] in orders:
        raise web.HTTPConflict
    orders[found[2]] = part
    if BUG == "redirects":
        raise web.HTTPSeeOther("/thanks")
    return web.Response(text="ordered")


def verify(secret: bytes, sent_at: str, nonce: str, signature: str, body: bytes) -> None:
    content = f"{sent_at}.{nonce}.".encode() + body
    expected = hmac.new(secret, content, hashlib.sha256).hexdigest()
    if BUG == "prefix":
        expected, signature = expected[:8], signature[:8]
    if not hmac.compare_digest(expected, signature):
        raise web.HTTPUnauthorized
    if abs(time.time() - int(sent_at)) > TOLERANCE:
        raise web.HTTPUnauthorized


def part_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["sparePart"]["sparePartId"])
    except (ValueError, LookupError, TypeError, RecursionError):
        raise web.HTTPUnprocessableEntity from None
