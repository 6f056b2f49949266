"""URLs and headers as the user gives them, checked before anything is sent."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Header
from hookproof_spec.scheme import SignatureScheme

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def checked_url(text: str, where: str) -> str:
    """Return an http or https URL that names a host.

    Raises:
        HookproofError: it is something else.
    """
    parts = _split(text, where)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise HookproofError(
            f"{_shown(text)} is not an http or https URL", where=where, hint=_suggestion(text)
        )
    if parts.username is not None or parts.password is not None:
        raise HookproofError(
            "a URL with a user and password would stand in every report",
            where=where,
            hint="give --header 'Authorization: …' instead",
        )
    if parts.fragment or text.endswith("#"):
        raise HookproofError("a fragment (#…) is never sent", where=where, hint="leave it out")
    return text


def _split(text: str, where: str) -> SplitResult:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise HookproofError(
            f"{_shown(text)} holds characters that a URL cannot",
            where=where,
            hint="percent-encode them; write a host's name in its xn-- form",
        )
    try:
        parts = urlsplit(text)
        if parts.port == 0:
            raise ValueError("port 0 cannot be reached")
    except ValueError as error:
        raise HookproofError(f"{_shown(text)}: {error}", where=where) from error
    return parts


def _suggestion(text: str) -> str:
    if "://" in text or text.startswith("/"):
        return "write http://HOST:PORT/PATH"
    return f"did you mean http://{text[:100]}?"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:99] + "…")


def host_of(url: str) -> str:
    """Return a URL's host in lower case, without brackets."""
    return urlsplit(url).hostname or ""


def is_local(host: str) -> bool:
    """Tell whether a host's name can only mean this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def refuse_foreign(url: str, allowed: Iterable[str], where: str = "verify") -> None:
    """Refuse a target that is not on this machine, unless its host was named.

    Raises:
        HookproofError: forged requests would reach somebody who may not expect them.
    """
    host = host_of(url)
    named = {name.lower().strip("[]") for name in allowed}
    if not is_local(host) and host not in named:
        raise HookproofError(
            f"{host} is not this machine, and what is sent there is forged",
            where=where,
            hint=f"if it is yours, add --allow-host {host}",
        )


def checked_header(text: str) -> Header:
    """Return the name and value of a text like `Name: value`.

    Raises:
        HookproofError: it cannot stand in a request.
    """
    name, colon, value = text.partition(":")
    value = value.strip(" \t")
    if not colon or not _TOKEN.fullmatch(name):
        raise HookproofError(
            f"{_shown(name)} is not a header's name", where="--header", hint="write 'Name: value'"
        )
    if any(ord(c) > 255 or (ord(c) < 32 and c != "\t") or ord(c) == 127 for c in value):
        raise HookproofError(
            f"the value of {name} holds characters that a header cannot", where="--header"
        )
    return name, value


def checked_headers(texts: Iterable[str], scheme: SignatureScheme) -> tuple[Header, ...]:
    """Return headers to be sent with everything; the scheme's own are refused.

    Raises:
        HookproofError: one cannot stand in a request, or would replace a signature.
    """
    headers = tuple(checked_header(text) for text in texts)
    framing = {"content-length", "transfer-encoding"}
    reserved = {header.name.lower() for header in scheme.headers} | framing
    for name, _ in headers:
        if name.lower() in reserved:
            raise HookproofError(
                f"{name} is written by hookproof itself", where="--header", hint="leave it out"
            )
    return headers
