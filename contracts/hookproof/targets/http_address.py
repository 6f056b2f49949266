"""Where an HTTP receiver is: its URL taken apart, or one clear error."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import final
from urllib.parse import SplitResult, urlsplit

from hookproof_spec.errors import HookproofError

PORTS = {"http": 80, "https": 443}
"""The schemes that are spoken, and the port of each where the URL names none."""

_EXAMPLE = "http://127.0.0.1:8000/webhook"
_HOST = re.compile(r"[A-Za-z0-9._-]+")
_USERINFO = re.compile(r"(?<=//)[^/?#]*@")


@final
@dataclass(frozen=True, slots=True)
class Address:
    """A receiver's URL. `host` is ready for a resolver: ASCII, and without the brackets of IPv6."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def secure(self) -> bool:
        """Tell whether it is reached through TLS."""
        return self.scheme == "https"

    @property
    def host_header(self) -> str:
        """What the Host header says: the port stands in it only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse_address(url: str) -> Address:
    """Take a receiver's URL apart.

    Raises:
        HookproofError: it is not a whole http or https URL, or holds a user name or password.
    """
    _refuse_odd_characters(url)
    parts = _split(url)
    _refuse_other_schemes(url, parts)
    if "@" in parts.netloc:
        raise HookproofError(
            "the URL holds a user name or password, which reports would show",
            where=_shown(url),
            hint="leave it out and send an Authorization header instead",
        )
    return Address(url, parts.scheme, _host(url, parts), _port(url, parts))


def _refuse_odd_characters(url: str) -> None:
    if not url:
        raise HookproofError("the URL is empty", hint=f"give it whole, such as {_EXAMPLE}")
    odd = next((letter for letter in url if letter <= " " or letter == "\x7f"), None)
    if odd is not None:
        raise HookproofError(
            f"the URL holds {odd!r}", where=_shown(url), hint="write it as %XX, or leave it out"
        )


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:  # broken brackets of an IPv6 address
        raise HookproofError(
            f"not a URL: {error}", where=_shown(url), hint=f"give it like {_EXAMPLE}"
        ) from error


def _refuse_other_schemes(url: str, parts: SplitResult) -> None:
    if parts.scheme in PORTS and url[len(parts.scheme) :].startswith("://"):
        return
    scheme, mark, rest = url.partition("://")
    problem = f"the scheme {scheme!r} is not spoken" if mark else "the URL has no scheme"
    if not mark:
        scheme = parts.scheme
        rest = url.removeprefix(f"{scheme}:") if scheme in PORTS else url
    nearest = "https" if scheme.lower() in ("https", "wss") else "http"
    rest = rest.lstrip("/") if not url.startswith("/") or url.startswith("//") else ""
    hint = (
        f"did you mean {_shown(f'{nearest}://{rest}')}?"
        if rest
        else f"give it whole, such as {_EXAMPLE}"
    )
    raise HookproofError(problem, where=_shown(url), hint=hint)


def _host(url: str, parts: SplitResult) -> str:
    host = parts.hostname or ""
    if not host:
        raise HookproofError(
            "the URL names no host", where=_shown(url), hint=f"give it like {_EXAMPLE}"
        )
    try:
        if "[" in parts.netloc:
            return str(ipaddress.IPv6Address(host))
        ascii_host = host.encode("idna").decode("ascii")
    except ValueError as error:
        raise HookproofError(f"{host!r} is no host name", where=_shown(url)) from error
    if _HOST.fullmatch(ascii_host) is None:
        raise HookproofError(f"{host!r} is no host name", where=_shown(url))
    return ascii_host


def _port(url: str, parts: SplitResult) -> int:
    try:
        port = PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError as error:
        raise _bad_port(url) from error
    if port == 0:
        raise _bad_port(url)
    return port


def _bad_port(url: str) -> HookproofError:
    return HookproofError(
        "the URL's port is not a number from 1 to 65535",
        where=_shown(url),
        hint=f"give it like {_EXAMPLE}",
    )


def _shown(url: str) -> str:
    """Return the URL as it may be printed: without a password, and on one line."""
    shown = _USERINFO.sub("…@", url, count=1)
    return shown if shown.isprintable() else repr(shown)
