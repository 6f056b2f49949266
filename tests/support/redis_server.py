"""A real Redis server for a test: on a free port of this machine, with nothing on the disk."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

START_SECONDS = 60.0
STOP_SECONDS = 30.0
COLLISIONS_BORNE = 5


def missing() -> str | None:
    """Why no server can run here, in words for `pytest.skip`; None if one can."""
    if shutil.which("redis-server") is None:
        return "redis-server is not installed (apt-get install redis-server)"
    return None


@contextmanager
def running() -> Iterator[str]:
    """A server that ends with the block; gives its URL.

    Raises:
        RuntimeError: it did not start.
    """
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        port, process = _started(folder)
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()
            process.wait(timeout=STOP_SECONDS)


def _started(folder: str) -> tuple[int, subprocess.Popen[bytes]]:
    """Tries again on another port when somebody took ours between the choice and the start."""
    for _ in range(COLLISIONS_BORNE):
        port = _free_port()
        process = subprocess.Popen(
            _command(port, folder), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        if _comes_up(process, port):
            return port, process
        process.kill()
        process.wait(timeout=STOP_SECONDS)
    raise RuntimeError("redis-server did not start")


def _command(port: int, folder: str) -> tuple[str, ...]:
    bound = ("--bind", "127.0.0.1", "--port", str(port), "--dir", folder)
    return ("redis-server", *bound, "--save", "", "--appendonly", "no")


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def _comes_up(process: subprocess.Popen[bytes], port: int) -> bool:
    """Its own number comes back: an answer alone might be another server's, on a port it lost."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if f"process_id:{process.pid}\r\n".encode() in _told(port):
            return True
        time.sleep(0.01)
    return False


def _told(port: int) -> bytes:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as wire:
        wire.sendall(b"INFO server\r\nQUIT\r\n")
        return wire.makefile("rb").read()
    return b""
