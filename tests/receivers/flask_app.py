"""A webhook receiver with Flask behind gunicorn, whose workers share one SQLite file.

It answers JSON, tells its refusals apart (401 without a header, 400 for a malformed one, 403 for
one that does not verify, 422 for an unusable event) and refuses a nonce seen before with 409.

Settings: WEBHOOK_SECRET, STORE (SQLite file), TOLERANCE (seconds), REPLAY (reject|ignore) and
BUG, the name of one planted mistake. With BUG empty this file is meant to be right.
"""

import hashlib
import hmac
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

from flask import Flask, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue

SECRET = os.environ.get("WEBHOOK_SECRET", "").encode()
STORE = os.environ.get("STORE", "")
TOLERANCE = int(os.environ.get("TOLERANCE") or 3600)
IGNORES_REPLAYS = (os.environ.get("REPLAY") or "reject") == "ignore"
BUG = os.environ.get("BUG", "")
FUTURE_SECONDS = 60

HEADER = re.compile(
    "t=(?P<time>[0-9]{1,12}),nonce=(?P<nonce>[A-Za-z0-9_-]{8,128}),signature=(?P<signature>[0-9a-f]{64})"
)
FIELDS = ("_event", "_date", "_metadata", "stock", "sparePart", "movement")

if not SECRET:
    raise RuntimeError("WEBHOOK_SECRET is empty")

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024


class RefusalError(Exception):
    """The request is refused with `status`; the words are for the sender's log."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Signed:
    """The three parts of the header, as they were written."""

    time: str
    nonce: str
    signature: str


# --- the signature -------------------------------------------------------------------------------


def parse(header: str) -> Signed:
    if not header:
        raise RefusalError(401, "no signature")
    if BUG == "crash-on-garbage":
        parse_naively(header)
    if BUG == "two-parsers":
        return first_of_each(header)
    found = HEADER.fullmatch(header)
    if found is None:
        raise RefusalError(400, "malformed signature header")
    return Signed(**found.groupdict())


def expected(time_: str, nonce: str, body: bytes, secret: bytes) -> bytes:
    content = f"{time_}.{nonce}.".encode() + body
    return hmac.new(secret, content, hashlib.sha256).hexdigest().encode()


def is_genuine(signed: Signed, body: bytes) -> bool:
    if BUG == "no-verify" or is_remembered(signed, body):
        return True
    given = signed.signature.encode()
    verifies = any(
        hmac.compare_digest(expected(time_, signed.nonce, signed_body(body), secret), given)
        for secret in secrets()
        for time_ in signed_times(signed.time)
    )
    if verifies:
        remember(signed, body)
    return verifies


def is_fresh(time_: str) -> bool:
    return BUG == "no-age" or -FUTURE_SECONDS <= int(time.time()) - int(time_) <= TOLERANCE


# --- the store -----------------------------------------------------------------------------------


@contextmanager
def store() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(STORE, timeout=10, isolation_level=None)) as db:
        # A receiver under test survives no power cut, so it need not wait for the disk either.
        db.execute("PRAGMA synchronous = OFF")
        yield db


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """IMMEDIATE, because a lock that was taken for reading cannot always be upgraded."""
    with store() as db:
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")


def create_tables() -> None:
    with transaction() as db:
        db.execute("CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY)")
        db.execute("CREATE TABLE IF NOT EXISTS effects (id INTEGER PRIMARY KEY, part TEXT)")
        db.execute("CREATE TABLE IF NOT EXISTS known (fingerprint TEXT PRIMARY KEY)")


def claim(db: sqlite3.Connection, nonce: str) -> bool:
    """True for the first who asks: the primary key decides, whoever asks at the same time."""
    if BUG == "no-replay":
        return True
    if BUG == "per-process-nonces":
        return claim_in_this_process(nonce)
    return db.execute("INSERT OR IGNORE INTO nonces VALUES (?)", (nonce,)).rowcount == 1


def record(db: sqlite3.Connection, part: str) -> None:
    db.execute("INSERT INTO effects (part) VALUES (?)", (part,))


def process_once(key: str, part: str) -> bool:
    """Claim and effect in one transaction: a crash between them leaves neither."""
    if BUG == "check-then-set" and not is_unseen_for_a_while(key):
        return False
    with transaction() as db:
        is_first = claim(db, key) or BUG == "check-then-set"
        if is_first:
            record(db, part)
    return is_first


# --- the routes ----------------------------------------------------------------------------------


def spare_part(body: bytes) -> str:
    """The part's id of a verified event; whatever else it holds is not our business."""
    with suppress(ValueError, TypeError, LookupError, RecursionError):
        event = json.loads(body.decode())
        kind, part = event["_event"], event["sparePart"]["sparePartId"]
        if isinstance(kind, str) and isinstance(part, str):
            part.encode()  # a lone surrogate is legal JSON and no text that a database can keep
            return part
    raise RefusalError(422, "not an event of ours")


def receive() -> ResponseReturnValue:
    body = request.get_data()
    header = request.headers.get("X-MW-Signature", "")
    if BUG == "no-header-ok" and not header:
        return accept_unsigned(body)
    signed = parse(header)
    claimed_early = claim_early(signed.nonce) if BUG == "burn-nonce-first" else None
    if not is_genuine(signed, body):
        raise RefusalError(403, "wrong signature")
    time_, nonce = last_of_each(header) if BUG == "two-parsers" else (signed.time, signed.nonce)
    if not is_fresh(time_):
        raise RefusalError(403, "outside the window of time")
    part = spare_part(body)
    key = replay_key(nonce, body)
    is_first = process_once(key, part) if claimed_early is None else record_if(claimed_early, part)
    if not is_first and not IGNORES_REPLAYS:
        raise RefusalError(409, "seen before")
    return jsonify(status="processed" if is_first else "ignored")


@app.post("/webhook")
def webhook() -> ResponseReturnValue:
    return break_transport() or receive()


@app.get("/effects")
def effects() -> Response:
    with store() as db:
        parts = [part for (part,) in db.execute("SELECT part FROM effects ORDER BY id")]
    return jsonify(processed=len(parts), ids=parts)


@app.errorhandler(RefusalError)
def refuse(refusal: RefusalError) -> ResponseReturnValue:
    return jsonify(error=str(refusal)), refusal.status


# --- the planted bugs ----------------------------------------------------------------------------


def break_transport() -> ResponseReturnValue | None:
    match BUG:
        case "csrf" if "X-CSRF-Token" not in request.headers:
            return "CSRF token missing", 403
        case "redirect":
            return redirect("/webhook/", 301)
        case "hang":
            time.sleep(3600)
        case "garbage":
            # gunicorn lends its socket to applications; the answer proper then finds it shut.
            connection = request.environ["gunicorn.socket"]
            connection.sendall(b"\x00\x01 this is not HTTP\r\n\r\n")
            connection.shutdown(1)
        case "refuse-all":
            return "", 401
    return None


if BUG == "redirect":
    app.add_url_rule("/webhook/", view_func=receive, methods=["POST"])


def accept_unsigned(body: bytes) -> ResponseReturnValue:
    part = spare_part(body)
    with transaction() as db:
        record(db, part)
    return jsonify(status="processed")


def secrets() -> tuple[bytes, ...]:
    match BUG:
        case "wrong-secret":  # the copy from the vendor's page carried a line feed along
            return (SECRET + b"\n",)
        case "empty-secret-ok":  # the next key, for rotation, is read from an unset variable
            return (SECRET, os.environ.get("WEBHOOK_SECRET_NEXT", "").encode())
    return (SECRET,)


def signed_body(body: bytes) -> bytes:
    """The body as the HMAC sees it."""
    with suppress(ValueError, RecursionError):
        match BUG:
            case "reserialize":
                return json.dumps(json.loads(body), separators=(",", ":")).encode()
            case "reserialize-spaced":  # the defaults, under which not even a plain event verifies
                return json.dumps(json.loads(body)).encode()
            case "sort-keys":
                return in_model_order(body)
            case "ascii-body":
                return body.decode("ascii", errors="ignore").encode()
            case "trim-body":
                return body.strip()
            case "minify":
                return re.sub(rb'("(?:[^"\\]|\\.)*")|\s+', rb"\1", body)
    return body


def in_model_order(body: bytes) -> bytes:
    """What a typed model writes: its members in the order of its declaration, strangers last."""
    event = json.loads(body)
    if isinstance(event, dict):
        event = {name: event[name] for name in FIELDS if name in event} | event
    return json.dumps(event, separators=(",", ":")).encode()


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
            return f"{signed.time}|{signed.nonce}|{signed.signature}"
        case "nonce-unsigned":
            return f"{signed.time}|{signed.signature}|{hashlib.sha256(body).hexdigest()}"
    return None


def is_remembered(signed: Signed, body: bytes) -> bool:
    known = fingerprint(signed, body)
    if known is None:
        return False
    with store() as db:
        found = db.execute("SELECT 1 FROM known WHERE fingerprint = ?", (known,))
        return found.fetchone() is not None


def remember(signed: Signed, body: bytes) -> None:
    known = fingerprint(signed, body)
    if known is not None:
        with transaction() as db:
            db.execute("INSERT OR IGNORE INTO known VALUES (?)", (known,))


def replay_key(nonce: str, body: bytes) -> str:
    """What a duplicate is recognised by: the nonce, unless a bug prefers something else."""
    match BUG:
        case "body-unsigned":  # "same nonce, other content: the sender corrects an event"
            return nonce + hashlib.sha256(body).hexdigest()
        case "unsigned-replay-key":
            return request.headers.get("X-Request-Id", nonce)
    return nonce


nonces_of_this_process: set[str] = set()


def claim_in_this_process(nonce: str) -> bool:
    is_new = nonce not in nonces_of_this_process
    nonces_of_this_process.add(nonce)
    return is_new


def claim_early(nonce: str) -> bool:
    with transaction() as db:
        return claim(db, nonce)


def record_if(is_first: bool, part: str) -> bool:
    if is_first:
        with transaction() as db:
            record(db, part)
    return is_first


def is_unseen_for_a_while(nonce: str) -> bool:
    with store() as db:
        seen = db.execute("SELECT 1 FROM nonces WHERE nonce = ?", (nonce,)).fetchone()
    if seen is None:
        time.sleep(0.05)
    return seen is None


def parse_naively(header: str) -> None:
    """crash-on-garbage: every part is taken for a pair, every name for present, t for a number."""
    fields = dict(part.split("=") for part in header.split(","))
    Signed(time=str(int(fields["t"])), nonce=fields["nonce"], signature=fields["signature"])


def first_of_each(header: str) -> Signed:
    """two-parsers: the signature is checked over the first t and nonce, found by expressions.

    Age and replay go by the last of each (`last_of_each`), as a dict keeps them.
    """
    patterns = ("t=([0-9]{1,12})", "nonce=([A-Za-z0-9_-]{8,128})", "signature=([0-9a-f]{64})")
    found = [re.search(rf"(?:^|,){pattern}(?=,|\Z)", header) for pattern in patterns]
    if None in found:
        raise RefusalError(400, "malformed signature header")
    return Signed(*(match[1] for match in found if match))


def last_of_each(header: str) -> tuple[str, str]:
    fields = {name: value for name, _, value in (p.partition("=") for p in header.split(","))}
    if not re.fullmatch("[0-9]{1,12}", fields["t"]):
        raise RefusalError(400, "malformed signature header")
    return fields["t"], fields["nonce"]


create_tables()
