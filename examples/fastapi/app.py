"""A shop that hears from Mobility Work when a spare part is out of stock: FastAPI."""

import asyncio
import hashlib
import hmac
import json
import os
import re
import time
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request

BUG = os.environ.get("BUG", "")  # see README.md
SECRET = os.environ.get("WEBHOOK_SECRET", "a-secret-for-tests").encode()
TOLERANCE, AHEAD = 300, 60
LONGEST = 1024 * 1024
HEADER = re.compile(rb"t=([0-9]{1,12}),nonce=([A-Za-z0-9_-]{8,128}),signature=([0-9a-f]{64})")


class Shop:
    """What a database would hold. A nonce is kept until its message is too old to be accepted."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.nonces: dict[bytes, float] = {}

    async def claim(self, nonce: bytes, until: float) -> bool:
        now = time.time()
        self.nonces = {known: end for known, end in self.nonces.items() if end > now}
        if BUG == "check-then-set":
            seen = nonce in self.nonces
            await asyncio.sleep(0)  # as a query to a database would
            self.nonces[nonce] = until
            return not seen
        return self.nonces.setdefault(nonce, until) is until


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.shop = Shop()
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/webhook")
async def webhook(request: Request):
    if int(request.headers.get("content-length", 0)) > LONGEST:
        raise HTTPException(413)
    body = await request.body()
    sent_at, nonce = verified(request.headers.get("x-mw-signature", "").encode("latin-1"), body)
    part = part_of(body)
    shop: Shop = request.app.state.shop
    until = time.time() + TOLERANCE if BUG == "from-receipt" else sent_at + TOLERANCE + 1.0
    if not await shop.claim(nonce, until):
        return {"status": "known"}
    shop.orders.append(part)
    return {"status": "ordered"}


def verified(header: bytes, body: bytes) -> tuple[int, bytes]:
    found = HEADER.fullmatch(header)
    if found is None:
        raise HTTPException(401)
    sent_at, nonce, signature = found.groups()
    expected = hmac.new(SECRET, b".".join((sent_at, nonce, body)), hashlib.sha256)
    genuine = hmac.compare_digest(expected.hexdigest().encode(), signature)
    if not genuine and BUG != "not-awaited":
        raise HTTPException(401)
    age = time.time() - int(sent_at)
    if age > TOLERANCE or age < -AHEAD:
        raise HTTPException(401)
    return int(sent_at), nonce


def part_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["sparePart"]["sparePartId"])
    except (ValueError, LookupError, TypeError, RecursionError):
        raise HTTPException(422) from None
