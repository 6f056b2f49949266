"""A receiver in a process of its own that answers with the moments at which a request arrived.

Run as a program: it prints its port. The moments are in nanoseconds: the header X-First tells of
the first bytes, X-Last of the last.
"""

from __future__ import annotations

import re
import selectors
import socket
import time

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
ANSWER = (
    b"HTTP/1.1 200 OK\r\nX-First: %d\r\nX-Last: %d\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


def is_whole(data: bytes) -> bool:
    head, mark, body = data.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return bool(mark) and len(body) >= (int(length[1]) if length else 0)


def serve(listening: socket.socket) -> None:
    selector = selectors.DefaultSelector()
    selector.register(listening, selectors.EVENT_READ)
    received: dict[socket.socket, bytes] = {}
    first: dict[socket.socket, int] = {}
    while True:
        for key, _ in selector.select():
            assert isinstance(key.fileobj, socket.socket)
            if key.fileobj is listening:
                peer, _ = listening.accept()
                received[peer] = b""
                selector.register(peer, selectors.EVENT_READ)
                continue
            data = key.fileobj.recv(65_536)
            moment = time.perf_counter_ns()
            received[key.fileobj] += data
            first.setdefault(key.fileobj, moment)
            if data and not is_whole(received[key.fileobj]):
                continue
            if data:
                key.fileobj.sendall(ANSWER % (first[key.fileobj], moment))
            selector.unregister(key.fileobj)
            key.fileobj.close()


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        print(server.getsockname()[1], flush=True)
        serve(server)
