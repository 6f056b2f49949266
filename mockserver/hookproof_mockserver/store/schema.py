"""The store's tables. A change of them is a new entry of `MIGRATIONS`, never an edit of an old one.

Times are Unix seconds. An attempt's number in its delivery is part of its row id, so that a
delivery's attempts lie side by side and need no index of their own.
"""

from __future__ import annotations

APPLICATION_ID = 0x686F6F6B
"""Marks a file as ours: `hook`."""

ATTEMPT_BITS = 16
"""A delivery has fewer than 2^16 attempts; the id of one is `delivery << 16 | number`."""

_FIRST = """
CREATE TABLE account (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    plan TEXT NOT NULL
) STRICT;
CREATE TABLE subscription (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    event TEXT NOT NULL,
    active INTEGER NOT NULL,
    secret TEXT,
    previous TEXT,
    overlap_until REAL,
    sign_with TEXT NOT NULL,
    policy TEXT NOT NULL,
    faults TEXT NOT NULL,
    created REAL NOT NULL,
    description TEXT NOT NULL,
    disabled TEXT NOT NULL DEFAULT '',
    failures INTEGER NOT NULL DEFAULT 0,
    removed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE part (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    article_code TEXT NOT NULL
) STRICT;
CREATE TABLE location (
    seq INTEGER PRIMARY KEY,
    part INTEGER NOT NULL REFERENCES part (seq) ON DELETE CASCADE,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity >= 0),
    UNIQUE (part, id)
) STRICT;
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    webhook TEXT NOT NULL,
    body BLOB NOT NULL,
    source TEXT NOT NULL,
    created REAL NOT NULL,
    valid INTEGER NOT NULL,
    key TEXT,
    asked BLOB
) STRICT;
CREATE UNIQUE INDEX event_key ON event (key) WHERE key IS NOT NULL;
CREATE INDEX event_webhook ON event (webhook);
CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    event INTEGER NOT NULL REFERENCES event (seq),
    subscription INTEGER NOT NULL REFERENCES subscription (seq),
    created REAL NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    next_at REAL,
    next_words TEXT NOT NULL,
    ended REAL,
    fault TEXT,
    resend_of INTEGER REFERENCES delivery (seq),
    verbatim INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL DEFAULT 0,
    seconds REAL,
    status INTEGER,
    succeeded INTEGER NOT NULL DEFAULT 0,
    failure TEXT NOT NULL DEFAULT '',
    answer_headers TEXT,
    answer_body BLOB,
    cut INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX delivery_event ON delivery (event);
CREATE INDEX delivery_subscription ON delivery (subscription, state);
CREATE INDEX delivery_waiting ON delivery (subscription, next_at) WHERE state = 2;
CREATE INDEX delivery_held ON delivery (subscription) WHERE held;
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    started REAL NOT NULL,
    signed INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    method TEXT NOT NULL,
    url TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB,
    seconds REAL,
    status INTEGER,
    succeeded INTEGER NOT NULL DEFAULT 0,
    failure TEXT NOT NULL DEFAULT '',
    answer_headers TEXT,
    answer_body BLOB,
    cut INTEGER NOT NULL DEFAULT 0,
    next_words TEXT NOT NULL DEFAULT ''
) STRICT;
"""
# A delivery that is sent and answered costs two statements: its attempt is inserted before, and
# its own row is updated after. Hence two rules:
# - A delivery is on its way while it has an attempt that `delivery.attempts` does not count yet;
#   `delivery.state` keeps what it was before. So a process that is killed leaves the truth behind.
# - What came of the last attempt that is counted lies in the delivery's row. It is copied into the
#   attempt's when the next one sets off.
# `attempt.body` is null where it is the event's body. `delivery.held` marks one that lets the next
# of its subscription go first.

MIGRATIONS = (_FIRST,)
VERSION = len(MIGRATIONS)
