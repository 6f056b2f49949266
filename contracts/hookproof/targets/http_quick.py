"""The commonest exchange in few steps: one write to a kept connection, one read, a whole answer.

Whatever is different in any way goes on as a flight, from where it has come to.
"""

from __future__ import annotations

from functools import lru_cache

from hookproof.targets.base import Exchange
from hookproof.targets.http_connection import CHUNK, Connection
from hookproof.targets.http_flight import Begun, clock
from hookproof.targets.http_head import AnswerHead, Ending, GarbledError, parse_head
from hookproof.targets.http_wire import Wire
from hookproof_spec.request import Request

_exchange = tuple.__new__  # what Exchange(…) calls, in a quarter of its time


def send_quickly(
    connection: Connection, request: Request, wire: Wire, limit: int
) -> Exchange | Begun:
    """Send a request on an open connection, and wait for its answer, but not long.

    An exchange is returned where the connection is fit for another.
    """
    data = wire.parts[0]
    begun = clock()
    if not wire.plain or wire.bodiless or len(wire.parts) > 1 or len(data) > CHUNK:
        return Begun(begun, 0)
    try:
        sent = connection.write(data)
    except OSError:
        return Begun(begun, 0)  # nothing left, and the next write will say so again
    if sent < len(data):
        return Begun(begun, sent)
    try:
        arrived = connection.read_soon()
    except OSError as error:
        return Begun(begun, sent, error)
    whole = read_whole(arrived, limit) if arrived else None
    if whole is None:
        return Begun(begun, sent, arrived)
    head, body = whole
    found = (request, head.status, head.headers, body, False, clock() - begun, None, "")
    return _exchange(Exchange, found)


def read_whole(arrived: bytes, limit: int) -> tuple[AnswerHead, bytes] | None:
    """Return an answer's head and body, if it is one answer that leaves nothing open.

    What an `AnswerReader` says of the same bytes is the same; None leaves it to that.
    """
    first, end, body = arrived.partition(b"\r\n\r\n")
    head = _common_head(first) if end else None
    if head is None or len(body) != head.length or head.length > limit:
        return None
    return head, body


@lru_cache(maxsize=64)
def _common_head(data: bytes) -> AnswerHead | None:
    """Read a head; None unless it is final, tells the body's length and keeps the connection."""
    if b"\n\n" in data or b"\n\r\n" in data:  # it ends earlier
        return None
    try:
        head = parse_head(data)
    except GarbledError:
        return None
    sized = head.ending is not Ending.CHUNKED  # where only the end of it tells, it is not kept
    return head if sized and head.stays and not head.interim else None
