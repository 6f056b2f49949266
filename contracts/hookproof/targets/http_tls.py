"""Connections through TLS. Imported only for https, because loading `ssl` is not free."""

from __future__ import annotations

import errno
import select
import ssl
from pathlib import Path
from typing import final

from hookproof.targets.http_connection import CHUNK, SOON, Connection, Route
from hookproof_spec.errors import HookproofError

_RECORD = 16_384


def client_context(ca_file: str | Path | None, *, insecure: bool) -> ssl.SSLContext:
    """Return the settings of a client: who is trusted, or that nobody is checked.

    Raises:
        HookproofError: the file with certificates cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise HookproofError(
            f"cannot read certificates: {error.strerror or error}",
            where=str(ca_file),
            hint="give a PEM file with the certificates that are trusted",
        ) from error
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@final
class TlsConnection(Connection):
    """A TCP connection with TLS on it; established when both are."""

    def __init__(self, route: Route, context: ssl.SSLContext, host: str) -> None:
        super().__init__(route)
        self._context = context
        self._host = host
        self._tls: ssl.SSLSocket | None = None

    def establish(self) -> int:
        """Go on with TCP, then with the handshake."""
        if self._tls is None:
            events = super().establish()
            if events:
                return events
            self.established = False
            self._socket = self._tls = self._context.wrap_socket(
                self.socket, server_hostname=self._host, do_handshake_on_connect=False
            )
        return self._shake_hands(self._tls)

    def _shake_hands(self, tls: ssl.SSLSocket) -> int:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            return select.POLLIN
        except ssl.SSLWantWriteError:
            return select.POLLOUT
        except ssl.SSLError as error:
            raise ConnectionError(errno.EPROTO, _in_words(error)) from error
        self.established = True
        return 0

    def read(self) -> bytes | None:
        """Return what has been deciphered, b"" at the end, None when there is nothing yet."""
        try:
            return self.socket.recv(CHUNK)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None

    def read_soon(self) -> bytes | None:
        """Return what arrives within `SOON` seconds, as `read` does."""
        self.await_events(select.POLLIN, SOON)
        return self.read()

    def write(self, data: bytes | memoryview) -> int:
        """Encipher and hand on as many bytes as fit; what did not fit must be offered again.

        No more than a record at once: of several, OpenSSL does not tell which had left when the
        connection broke.
        """
        try:
            return self.socket.send(data[:_RECORD])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0

    def expects_more(self) -> bool:
        """Take note that an answer is not whole; tell whether more of it is deciphered already."""
        super().expects_more()
        return self._tls is not None and self._tls.pending() > 0


def _in_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return "the receiver does not speak TLS here; does its URL begin with http://?"
    return f"no TLS: {(error.reason or str(error)).replace('_', ' ').lower()}"
