"""A receiver that answers 200 to everything, as fast as Python can; a process of its own.

    python answering.py

Prints its port, ends with its standard input, and then prints how many requests came. Connections
are kept; it reads the length of a body and no more, so that it takes as little as possible of the
machine that is measured.
"""

from __future__ import annotations

import asyncio
import re
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)


class Answering(asyncio.Protocol):
    """One connection."""

    count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.arrived = b""

    def data_received(self, data: bytes) -> None:
        self.arrived += data
        while (end := self.arrived.find(b"\r\n\r\n")) >= 0:
            found = LENGTH.search(self.arrived, 0, end)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self.arrived) < whole:
                return
            self.arrived = self.arrived[whole:]
            Answering.count += 1
            self.transport.write(ANSWER)  # type: ignore[attr-defined]


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    print(Answering.count, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
