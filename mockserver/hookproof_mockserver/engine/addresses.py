"""Receivers' addresses: what is a URL that can be sent to, and what may be reached."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from hookproof_mockserver.sender_errors import Invalid

ANY = "*"
LONGEST = 2_000

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}")
_EXAMPLE = "such as http://127.0.0.1:8000/webhook"


def checked_url(url: str, allowed: Collection[str]) -> str:
    """Return a receiver's URL as it was given.

    Raises:
        Invalid: it is no whole http or https URL, holds a password or control characters, or its
            host is neither this machine nor among those allowed.
    """
    parts = _split(url)
    if parts.scheme not in ("http", "https"):
        raise Invalid("/url", "the URL begins with neither http:// nor https://", hint=_EXAMPLE)
    if "@" in parts.netloc:
        raise Invalid("/url", "the URL holds a user name or password", hint="leave it out")
    if parts.fragment or url.endswith("#"):
        raise Invalid(
            "/url", "the URL has a fragment (#…), which is never sent", hint="leave it out"
        )
    refuse_foreign(_host(parts), allowed)
    return url


def refuse_foreign(host: str, allowed: Collection[str]) -> None:
    """Refuse a host that is not this machine, unless it was named.

    Raises:
        Invalid: requests, forged ones among them, would reach somebody who may not expect them.
    """
    named = {name.lower().strip("[]") for name in allowed}
    if not is_local(host) and ANY not in named and host.lower() not in named:
        raise Invalid(
            "/url",
            f"the host {host!r} is not this machine",
            hint=f"start with --allow-receiver {host} to send to it",
        )


def is_local(host: str) -> bool:
    """Tell whether a host's name can only mean this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback)


def _split(url: str) -> SplitResult:
    if not url:
        raise Invalid("/url", "the URL is empty", hint=_EXAMPLE)
    if len(url) > LONGEST:
        raise Invalid("/url", f"the URL is longer than {LONGEST} characters")
    odd = next((letter for letter in url if not "!" <= letter <= "~"), None)
    if odd is not None:
        raise Invalid("/url", f"the URL holds {odd!r}", hint="write it as %XX, or leave it out")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid("/url", f"not a URL: {error}", hint=_EXAMPLE) from error
    if port == 0:
        raise Invalid("/url", "the port is from 1 to 65535", hint=_EXAMPLE)
    return parts


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if not host:
        raise Invalid("/url", "the URL names no host", hint=_EXAMPLE)
    if "[" in parts.netloc:
        return host  # `urlsplit` has checked what stands in brackets
    if _HOST.fullmatch(host) is None or ".." in host:
        raise Invalid("/url", f"{host!r} is no host name", hint=_EXAMPLE)
    return host
