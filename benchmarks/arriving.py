"""A receiver that answers each request with the moment at which its last byte arrived.

    python arriving.py

Prints its port, and runs until it is ended. The moment is the kernel's, in nanoseconds: reading it
later changes nothing. Each connection is for one request.
"""

from __future__ import annotations

import re
import select
import socket
import struct

SO_TIMESTAMPNS = 35
MOMENT = struct.Struct("qq")
LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
ANSWER = b"HTTP/1.1 200 OK\r\nX-Arrived: %d\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Arriving:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.arrived = b""

    def read(self) -> bool:
        """Read what is there; answer and close when the request is whole. Tell whether it was."""
        data, notes, _, _ = self.connection.recvmsg(65_536, 256)
        self.arrived += data
        if data and not self.is_whole():
            return False
        moments = [
            MOMENT.unpack(note[: MOMENT.size])
            for level, kind, note in notes
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS)
        ]
        if data and moments:
            seconds, nanoseconds = moments[-1]
            self.connection.send(ANSWER % (seconds * 1_000_000_000 + nanoseconds))
        self.connection.close()
        return True

    def is_whole(self) -> bool:
        head, mark, body = self.arrived.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        return bool(mark) and len(body) >= (int(length[1]) if length else 0)


def serve(listening: socket.socket) -> None:
    listening.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)  # connections inherit it
    poll = select.poll()
    poll.register(listening, select.POLLIN)
    open_ones: dict[int, Arriving] = {}
    while True:
        for number, _ in poll.poll():
            if number == listening.fileno():
                connection, _ = listening.accept()
                open_ones[connection.fileno()] = Arriving(connection)
                poll.register(connection, select.POLLIN)
            elif open_ones[number].read():
                poll.unregister(number)
                del open_ones[number]


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        print(server.getsockname()[1], flush=True)
        serve(server)
