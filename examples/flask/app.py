"""A shop that hears from Mobility Work when a spare part is out of stock: Flask and SQLite."""

import hashlib
import hmac
import json
import os
import re
import sqlite3
import time
from contextlib import closing

from flask import Flask, abort, request

BUG = os.environ.get("BUG", "")  # see README.md
TOLERANCE = 300
HEADER = re.compile(r"t=([0-9]{1,12}),nonce=([A-Za-z0-9_-]{8,128}),signature=([0-9a-f]{64})")
TABLES = """
CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, time REAL NOT NULL);
CREATE TABLE IF NOT EXISTS orders (part TEXT NOT NULL);
"""


def create_app(secret: str, database: str) -> Flask:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    with closing(connect(database)) as db:
        db.executescript(TABLES)

    @app.post("/webhook")
    def webhook():
        body = request.get_data()
        nonce = verified_nonce(request.headers.get("X-MW-Signature", ""), body, secret)
        part = part_of(body)
        with closing(connect(database)) as db, db:  # claim and order, or neither
            if not claim(db, nonce):
                abort(409)
            db.execute("INSERT INTO orders VALUES (?)", (part,))
        return "", 200

    return app


def connect(database: str) -> sqlite3.Connection:
    return sqlite3.connect(database, timeout=20)


def verified_nonce(header: str, body: bytes, secret: str) -> str:
    found = HEADER.fullmatch(header)
    if found is None:
        abort(401)
    sent_at, nonce, signature = found.groups()
    if BUG == "reserialised":
        body = json.dumps(request.get_json(), separators=(",", ":"), ensure_ascii=False).encode()
    content = f"{sent_at}.{nonce}.".encode() + body
    expected = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        abort(401)
    if abs(time.time() - int(sent_at)) > TOLERANCE and BUG != "any-age":
        abort(401)
    return nonce


def part_of(body: bytes) -> str:
    try:
        part = json.loads(body)["sparePart"]["sparePartId"]
        part.encode()  # SQLite has no lone surrogates
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        abort(422)
    return part


def claim(db: sqlite3.Connection, nonce: str) -> bool:
    """Tell whether a nonce is new, and take it."""
    if BUG == "check-then-set":
        seen = db.execute("SELECT 1 FROM nonces WHERE nonce = ?", (nonce,)).fetchone()
        time.sleep(0.01)
        db.execute("INSERT OR IGNORE INTO nonces VALUES (?, ?)", (nonce, time.time()))
        return seen is None
    taken = db.execute("INSERT OR IGNORE INTO nonces VALUES (?, ?)", (nonce, time.time()))
    return taken.rowcount == 1


def orders(database: str) -> int:
    with closing(connect(database)) as db:
        return db.execute("SELECT count(*) FROM orders").fetchone()[0]
