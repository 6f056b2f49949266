"""A webhook receiver on the standard library alone: one thread, connections kept, all in memory.

It answers 401 to whatever it cannot verify, 409 to what it has seen, 422 to what is no event and
411 to a body that does not tell its length, all without a word. A restart forgets the nonces; the
window of time is what limits that.

Settings: WEBHOOK_SECRET, TOLERANCE (seconds), REPLAY (reject|ignore) and PORT. STORE is not used.
"""

import hashlib
import hmac
import json
import os
import re
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = os.environ.get("WEBHOOK_SECRET", "").encode()
TOLERANCE = int(os.environ.get("TOLERANCE") or 3600)
SEEN = 200 if os.environ.get("REPLAY") == "ignore" else 409
FUTURE_SECONDS = 60
LONGEST = 1024 * 1024

HEADER = re.compile("t=([0-9]{1,12}),nonce=([A-Za-z0-9_-]{8,128}),signature=([0-9a-f]{64})")

if not SECRET:
    raise RuntimeError("WEBHOOK_SECRET is empty")

nonces: set[str] = set()
processed: list[str] = []


def status_for(headers: list[str], body: bytes) -> int:
    """Judge a delivery, and act on it if it is a new one of ours."""
    found = HEADER.fullmatch(headers[0]) if len(headers) == 1 else None
    if found is None or not is_genuine(found, body) or not is_fresh(found[1]):
        return 401
    part = spare_part(body)
    if part is None:
        return 422
    if found[2] in nonces:
        return SEEN
    nonces.add(found[2])
    processed.append(part)
    return 200


def is_genuine(header: re.Match[str], body: bytes) -> bool:
    content = f"{header[1]}.{header[2]}.".encode() + body
    expected = hmac.new(SECRET, content, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, header[3])


def is_fresh(time_: str) -> bool:
    return -FUTURE_SECONDS <= time.time() - int(time_) <= TOLERANCE


def spare_part(body: bytes) -> str | None:
    with suppress(ValueError, TypeError, LookupError, RecursionError):
        event = json.loads(body.decode())
        kind, part = event["_event"], event["sparePart"]["sparePartId"]
        if isinstance(kind, str) and isinstance(part, str):
            part.encode()  # a lone surrogate is legal JSON and no text that could be sent on
            return part
    return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5.0  # whoever keeps a connection and says nothing keeps all the others out

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch("[0-9]{1,12}", length):
            self.refuse_unread(411)
        elif int(length) > LONGEST:
            self.refuse_unread(413)
        else:
            body = self.rfile.read(int(length))
            signed = self.headers.get_all("X-MW-Signature", [])
            self.answer(404 if self.path != "/webhook" else status_for(signed, body))

    def do_GET(self) -> None:
        if self.path == "/effects":
            self.answer(200, json.dumps({"processed": len(processed), "ids": processed}).encode())
        else:
            self.answer(405 if self.path == "/webhook" else 404)

    def refuse_unread(self, status: int) -> None:
        """The body is still on the connection, which is of no use afterwards."""
        self.close_connection = True
        self.answer(status)

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: nobody reads it."""


class Server(HTTPServer):
    request_queue_size = 128  # of five, the default, twenty senders at once would wait for a second


if __name__ == "__main__":
    with Server(("127.0.0.1", int(os.environ["PORT"])), Handler) as server:
        print(f"listening on {server.server_port}", flush=True)
        server.serve_forever()
