"""Receivers that follow a script, byte by byte, on real sockets; and certificates for them."""

from __future__ import annotations

import datetime
import ipaddress
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE = 30.0
"""After so many seconds a script gives up waiting, and the test fails."""

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass
class Peer:
    """The server's end of one connection. `received` is every byte that came."""

    socket: socket.socket
    stopping: threading.Event
    received: bytearray = field(default_factory=bytearray)
    last_byte: float = 0.0
    """When the last bytes came, in seconds of `time.perf_counter`."""
    over: threading.Event = field(default_factory=threading.Event)
    """Set when the script has ended and the connection is closed."""
    _consumed: int = 0

    def read(self) -> bytes:
        """Wait for some bytes; b"" is the end."""
        data = self.socket.recv(65_536)
        self.last_byte = time.perf_counter()
        self.received += data
        return data

    def read_head(self) -> bytes:
        """Wait for the end of a head and return it."""
        while (end := self.received.find(b"\r\n\r\n", self._consumed)) < 0:
            if not self.read():
                raise EOFError(f"the client closed after {bytes(self.received[-80:])!r}")
        begin, self._consumed = self._consumed, end + 4
        return bytes(self.received[begin : self._consumed])

    def read_request(self) -> bytes:
        """Wait for one request with a Content-Length, or without a body, and return its bytes."""
        head = self.read_head()
        length = _LENGTH.search(head)
        wanted = self._consumed + (int(length[1]) if length else 0)
        while len(self.received) < wanted:
            if not self.read():
                raise EOFError("the client closed within a body")
        begin, self._consumed = self._consumed, wanted
        return head + bytes(self.received[begin:wanted])

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def drip(self, data: bytes, pause: float) -> None:
        """Send one byte after another until the client has had enough."""
        with suppress(OSError):
            for place in range(len(data)):
                self.socket.sendall(data[place : place + 1])
                if self.stopping.wait(pause):
                    return

    def hold(self) -> None:
        """Do nothing until the client closes or the test ends."""
        while not self.stopping.is_set():
            with suppress(TimeoutError):
                self.socket.settimeout(0.02)
                if not self.read():
                    return

    def reset(self) -> None:
        """Break the connection, as a process that is killed with unread bytes does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Script = Callable[[Peer], None]


@dataclass
class ScriptedServer:
    """A running server. `peers` are its connections in the order in which they came."""

    host: str
    port: int
    scheme: str
    peers: list[Peer] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of an endpoint on it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/webhook"


@contextmanager
def scripted(
    *scripts: Script,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    backlog: int = 128,
) -> Iterator[ScriptedServer]:
    """Serve: the first connection follows the first script, and the last script all that remain.

    Each connection has a thread of its own. An exception in one is raised where the block ends.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    stopping = threading.Event()
    threads: list[threading.Thread] = []
    with socket.create_server((host, 0), family=family, backlog=backlog) as listening:
        listening.settimeout(0.02)
        port = listening.getsockname()[1]
        server = ScriptedServer(host, port, "https" if tls else "http")

        def serve(accepted: socket.socket, script: Script) -> None:
            over = threading.Event()
            try:
                with _wrapped(accepted, tls) as connection:
                    connection.settimeout(PATIENCE)
                    peer = Peer(connection, stopping, over=over)
                    server.peers.append(peer)
                    script(peer)
            except Exception as error:
                server.errors.append(error)
            over.set()

        def accept() -> None:
            while not stopping.is_set():
                accept_one()
            listening.settimeout(0)
            while accept_one():  # a busy machine may have kept this thread from who has come
                pass

        def accept_one() -> bool:
            try:
                accepted, _ = listening.accept()
            except (TimeoutError, BlockingIOError):
                return False
            accepted.settimeout(PATIENCE)
            script = scripts[min(len(threads), len(scripts) - 1)]
            threads.append(threading.Thread(target=serve, args=(accepted, script)))
            threads[-1].start()
            return True

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server
        finally:
            stopping.set()
            accepting.join()
            for thread in threads:
                thread.join()
    if server.errors:
        raise server.errors[0]


def answering(*answers: bytes) -> Script:
    """Return a script that reads a request for each answer, and then closes."""

    def script(peer: Peer) -> None:
        for answer in answers:
            peer.read_request()
            peer.send(answer)

    return script


def answering_for_ever(peer: Peer) -> None:
    """Answer every request of a connection, until the client closes it."""
    with suppress(EOFError):
        while True:
            peer.read_request()
            peer.send(OK)


def _wrapped(accepted: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    if tls is None:
        return accepted
    try:
        return tls.wrap_socket(accepted, server_side=True)
    except OSError:
        accepted.close()
        raise


@contextmanager
def silent_port(host: str = "127.0.0.1") -> Iterator[int]:
    """Give a port that refuses connections, and that nobody gets but who asks for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server may listen on it
        bound.bind((host, 0))
        yield bound.getsockname()[1]


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate: `file` is what a client has to trust."""

    file: Path
    server: ssl.SSLContext


def make_certificate(folder: Path, *names: str) -> Certificate:
    """Make a certificate for addresses and host names."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hookproof tests")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    file, private = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, private)
    return Certificate(file, context)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
