"""A webhook receiver with FastAPI under uvicorn: async, pydantic for the shape, SQLite below.

It reads the header leniently (white space around commas, any order, hex in either case), refuses
everything it does not believe with 400, an event of another shape with 422, and acknowledges a
nonce seen before with 200 and no effect. Answers are plain text.

Settings: WEBHOOK_SECRET, STORE (SQLite file), TOLERANCE (seconds), REPLAY (ignore|reject) and
BUG, the name of one planted mistake. With BUG empty this file is meant to be right.
"""

import asyncio
import hmac
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from typing import NamedTuple

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from pydantic import BaseModel, Field, ValidationError

SECRET = os.environ.get("WEBHOOK_SECRET", "").encode()
STORE = os.environ.get("STORE", "")
TOLERANCE = int(os.environ.get("TOLERANCE") or 3600)
REJECTS_REPLAYS = (os.environ.get("REPLAY") or "ignore") == "reject"
BUG = os.environ.get("BUG", "")
FUTURE_SECONDS = 120
LARGEST_BODY = 1024 * 1024

GRAMMAR = {
    "t": re.compile("[0-9]{1,12}"),
    "nonce": re.compile("[A-Za-z0-9_-]{8,128}"),
    "signature": re.compile("[0-9a-fA-F]{64}"),
}

if not SECRET:
    raise RuntimeError("WEBHOOK_SECRET is empty")

app = FastAPI(openapi_url=None, redirect_slashes=False)


class RefusalError(Exception):
    """The request is refused with `status`."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Signed(NamedTuple):
    """The three parts of the header; time and nonce as they were written."""

    time: str
    nonce: str
    signature: bytes


class SparePart(BaseModel):
    """As much of the part as this receiver keeps."""

    id: str = Field(alias="sparePartId")


class Event(BaseModel):
    """As much of the event as this receiver reads; members it does not know are let through."""

    kind: str = Field(alias="_event")
    spare_part: SparePart = Field(alias="sparePart")


# --- the signature -------------------------------------------------------------------------------


def pairs(header: str) -> list[tuple[str, str]]:
    split = (part.partition("=") for part in header.split(","))
    return [(name.strip(" "), value.strip(" ")) for name, _, value in split]


def checked(fields: dict[str, str]) -> Signed:
    if fields.keys() != GRAMMAR.keys():
        raise RefusalError(400, "malformed signature header")
    if not all(GRAMMAR[name].fullmatch(value) for name, value in fields.items()):
        raise RefusalError(400, "malformed signature header")
    return Signed(fields["t"], fields["nonce"], bytes.fromhex(fields["signature"]))


def parse(headers: Sequence[str]) -> Signed:
    if len(headers) != 1:
        raise RefusalError(400, "one signature header is needed")
    if BUG == "crash-on-garbage":
        parse_naively(headers[0])
    found = pairs(headers[0])
    if BUG == "two-parsers":
        return checked(dict(reversed(found)))
    if len(found) != len(GRAMMAR):
        raise RefusalError(400, "malformed signature header")
    return checked(dict(found))


def is_genuine(signed: Signed, body: bytes) -> bool:
    if BUG == "no-verify" or is_remembered(signed, body):
        return True
    content = signed_body(body)
    for secret in secrets():
        for time_ in signed_times(signed.time):
            expected = hmac.digest(secret, f"{time_}.{signed.nonce}.".encode() + content, "sha256")
            if hmac.compare_digest(expected, signed.signature):
                remember(signed, body)
                return True
    return False


def check_age(time_: str) -> None:
    age = int(time.time()) - int(time_)
    if BUG != "no-age" and not -FUTURE_SECONDS <= age <= TOLERANCE:
        raise RefusalError(400, "outside the window of time")


# --- the store -----------------------------------------------------------------------------------


@contextmanager
def store() -> Iterator[sqlite3.Connection]:
    """A connection inside a transaction, which an exception rolls back."""
    with closing(sqlite3.connect(STORE, timeout=10, isolation_level=None)) as db:
        # A receiver under test survives no power cut, so it need not wait for the disk either.
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")


def create_tables() -> None:
    with store() as db:
        db.execute("CREATE TABLE IF NOT EXISTS seen (nonce TEXT PRIMARY KEY)")
        db.execute("CREATE TABLE IF NOT EXISTS effects (id INTEGER PRIMARY KEY, part TEXT)")
        db.execute("CREATE TABLE IF NOT EXISTS verified (fingerprint TEXT PRIMARY KEY)")


def claim(db: sqlite3.Connection, key: str) -> bool:
    """True for the first who asks: the primary key decides, whoever asks at the same time."""
    try:
        db.execute("INSERT INTO seen VALUES (?)", (key,))
    except sqlite3.IntegrityError:
        return BUG == "no-replay"
    return True


def claim_alone(key: str) -> bool:
    with store() as db:
        return claim(db, key)


def record(part: str) -> bool:
    with store() as db:
        db.execute("INSERT INTO effects (part) VALUES (?)", (part,))
    return True


def process_once(key: str, part: str) -> bool:
    """Claim and effect in one transaction: a crash between them leaves neither."""
    with store() as db:
        is_first = claim(db, key)
        if is_first:
            db.execute("INSERT INTO effects (part) VALUES (?)", (part,))
    return is_first


def processed_parts() -> list[str]:
    with store() as db:
        return [part for (part,) in db.execute("SELECT part FROM effects ORDER BY id")]


# --- the routes ----------------------------------------------------------------------------------


async def read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise RefusalError(413, "too large")
    return bytes(body)


def spare_part(body: bytes) -> str:
    try:
        return Event.model_validate_json(body).spare_part.id
    except ValidationError:
        raise RefusalError(422, "not an event of ours") from None


async def receive(request: Request) -> Response:
    body = await read_body(request)
    headers = request.headers.getlist("x-mw-signature")
    if BUG == "no-header-ok" and not any(headers):
        await run_in_threadpool(record, spare_part(body))
        return PlainTextResponse("accepted")
    signed = parse(headers)
    claimed_early = claim_alone(signed.nonce) if BUG == "burn-nonce-first" else None
    if not is_genuine(signed, body):
        raise RefusalError(400, "wrong signature")
    time_, nonce = last_of_each(headers[0]) if BUG == "two-parsers" else signed[:2]
    check_age(time_)
    part = spare_part(body)
    if claimed_early is not None:
        is_first = claimed_early and record(part)
    elif BUG == "check-then-set":
        is_first = await process_in_two_steps(nonce, part)
    else:
        is_first = await run_in_threadpool(process_once, replay_key(request, nonce, body), part)
    if not is_first and REJECTS_REPLAYS:
        raise RefusalError(409, "seen before")
    return PlainTextResponse("accepted" if is_first else "seen before")


@app.post("/webhook")
async def webhook(request: Request) -> Response:
    return await break_transport(request) or await receive(request)


@app.get("/effects")
def effects() -> dict[str, int | list[str]]:
    parts = processed_parts()
    return {"processed": len(parts), "ids": parts}


@app.exception_handler(RefusalError)
async def refuse(_request: Request, refusal: RefusalError) -> Response:
    return PlainTextResponse(str(refusal), refusal.status)


# --- the planted bugs ----------------------------------------------------------------------------


async def break_transport(request: Request) -> Response | None:
    match BUG:
        case "csrf" if "x-csrf-token" not in request.headers:
            return PlainTextResponse("CSRF token missing", 403)
        case "redirect":
            return RedirectResponse("/webhook/", 301)
        case "hang":
            await asyncio.sleep(3600)
        case "refuse-all":
            return Response(status_code=401)
    return None


if BUG == "redirect":
    app.post("/webhook/")(receive)


def secrets() -> tuple[bytes, ...]:
    match BUG:
        case "wrong-secret":  # the copy from the vendor's page carried a line feed along
            return (SECRET + b"\n",)
        case "empty-secret-ok":  # the next key, for rotation, is read from an unset variable
            return (SECRET, os.environ.get("WEBHOOK_SECRET_NEXT", "").encode())
    return (SECRET,)


class WholeEvent(BaseModel):
    """sort-keys: the model whose declaration decides the order in which members are written."""

    event: object = Field(alias="_event", default=None)
    date: object = Field(alias="_date", default=None)
    metadata: object = Field(alias="_metadata", default=None)
    stock: object = None
    spare_part: object = Field(alias="sparePart", default=None)
    movement: object = None
    model_config = {"extra": "allow"}


def as_written_here(value: object) -> bytes:
    """JSON in the style of this framework's own answers: compact, and not escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def signed_body(body: bytes) -> bytes:
    """The body as the HMAC sees it."""
    with suppress(ValueError, RecursionError):
        match BUG:
            case "reserialize":
                return as_written_here(json.loads(body))
            case "reserialize-spaced":  # the defaults, under which not even a plain event verifies
                return json.dumps(json.loads(body)).encode()
            case "sort-keys":
                event = WholeEvent.model_validate_json(body)
                return as_written_here(event.model_dump(by_alias=True, exclude_unset=True))
            case "ascii-body":
                return body.decode("latin-1").encode()
            case "trim-body":
                return body.strip()
            case "minify":
                return re.sub(rb'("(?:[^"\\]|\\.)*")|\s+', rb"\1", body)
    return body


def signed_times(time_: str) -> Iterable[str]:
    """timestamp-unsigned: also try the time of a first attempt on the sender's retry schedule.

    The team believes that a retry re-sends the first attempt's nonce and signature under the time
    of the new attempt, hourly for a day and then daily for a month. The age is judged by the time
    written in the header, which with this is no longer covered.
    """
    yield time_
    if BUG == "timestamp-unsigned":
        for delay in (*range(3600, 86400, 3600), *range(86400, 31 * 86400, 86400)):
            for lateness in range(-2, 3):
                yield str(int(time_) - delay - lateness)


def fingerprint(signed: Signed, body: bytes) -> str | None:
    """body-unsigned, nonce-unsigned: what "verified already" is remembered by, to save an HMAC."""
    match BUG:
        case "body-unsigned":
            return f"{signed.time}|{signed.nonce}|{signed.signature.hex()}"
        case "nonce-unsigned":
            return f"{signed.time}|{signed.signature.hex()}|{sha256(body).hexdigest()}"
    return None


def is_remembered(signed: Signed, body: bytes) -> bool:
    known = fingerprint(signed, body)
    if known is None:
        return False
    with store() as db:
        found = db.execute("SELECT 1 FROM verified WHERE fingerprint = ?", (known,))
        return found.fetchone() is not None


def remember(signed: Signed, body: bytes) -> None:
    known = fingerprint(signed, body)
    if known is not None:
        with store() as db:
            db.execute("INSERT OR IGNORE INTO verified VALUES (?)", (known,))


def replay_key(request: Request, nonce: str, body: bytes) -> str:
    """What a duplicate is recognised by: the nonce, unless a bug prefers something else."""
    match BUG:
        case "body-unsigned":  # "same nonce, other content: the sender corrects an event"
            return nonce + sha256(body).hexdigest()
        case "unsigned-replay-key":
            return request.headers.get("x-request-id", nonce)
    return nonce


def is_seen(nonce: str) -> bool:
    with store() as db:
        found = db.execute("SELECT 1 FROM seen WHERE nonce = ?", (nonce,))
        return found.fetchone() is not None


async def process_in_two_steps(nonce: str, part: str) -> bool:
    """check-then-set: whoever asks while the first one awaits is a first one too."""
    if is_seen(nonce):
        return False
    await asyncio.sleep(0.05)
    claim_alone(nonce)
    return record(part)


def parse_naively(header: str) -> None:
    """crash-on-garbage: every part is taken for a pair, every name for present, t for a number."""
    fields = dict(part.split("=") for part in header.split(","))
    Signed(str(int(fields["t"])), fields["nonce"], bytes.fromhex(fields["signature"]))


def last_of_each(header: str) -> tuple[str, str]:
    """two-parsers: the signature is checked over the first t and nonce; age and replay by the last.

    Reading the pairs backwards into a dict is "the first wins"; forwards it is "the last wins".
    """
    signed = checked(dict(pairs(header)))
    return signed.time, signed.nonce


create_tables()
