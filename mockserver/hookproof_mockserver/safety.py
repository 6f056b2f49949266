"""What a request must be before anything of it is believed.

A page of another site, open in the same browser, can send requests to this machine. It cannot name
this machine as the Host without rebinding its own name, cannot hide where it comes from, and does
not know the token.
"""

from __future__ import annotations

import hmac
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final
from urllib.parse import urlsplit

from werkzeug import Request

from hookproof_mockserver.problems import Kind, Refusal, Refused, refuse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The names of this machine for itself, as a Host header writes them."""
MOST_BODY = 1024 * 1024
MOST_URL = 8 * 1024
MOST_HEADERS = 64 * 1024

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that change nothing."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
        " object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
"""In every answer."""

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


class BoundedRequest(Request):
    """A request whose body is bounded, whatever it announces."""

    max_content_length = MOST_BODY
    max_form_memory_size = MOST_BODY
    max_form_parts = 200


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Who may ask: the Host names that are ours, and the token for changes."""

    hosts: frozenset[str]
    token: str

    def __repr__(self) -> str:
        return f"Guard(hosts={sorted(self.hosts)})"

    def admit(self, request: Request) -> None:
        """Check sizes and the Host of any request.

        Raises:
            Refused: it is too large, or meant for another host.
        """
        _check_sizes(request.environ)
        name = _host_name(request)
        if name not in self.hosts:
            raise refuse(
                Kind.FOREIGN_HOST,
                f"this sender is not called {name}",
                f"start it with --allow-host {name.strip('[]')} if it is meant to be",
            )
        if not request.path.isprintable():
            raise refuse(Kind.BAD_REQUEST, "the path holds a control character")

    def admit_change(self, request: Request) -> None:
        """Check that a request which changes something comes from us and carries the token.

        Raises:
            Refused: another site sent it, or the token is missing or wrong.
        """
        _check_origin(request)
        given = _token(request)
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self.token.encode()):
            raise Refused(
                Refusal(
                    kind=Kind.NO_TOKEN,
                    detail="the token is wrong" if given else "the token is missing",
                    hint="send Authorization: Bearer TOKEN; the sender prints it when it starts",
                    headers={"WWW-Authenticate": 'Bearer realm="hookproof"'},
                )
            )


def guard(token: str, allowed_hosts: Iterable[str] = ()) -> Guard:
    """Return a guard for the loopback names and those that are allowed besides."""
    return Guard(hosts=LOOPBACK | {as_written(host) for host in allowed_hosts}, token=token)


def as_written(host: str) -> str:
    """Return a host as a Host header writes it: lower case, IPv6 in brackets."""
    bare = host.strip("[]").lower().removesuffix(".")
    return f"[{bare}]" if ":" in bare else bare


def check_fetch(request: Request) -> None:
    """Refuse what another site's page fetches; following a link from there is allowed.

    Raises:
        Refused: the browser says that another site asks, and for more than a page to show.
    """
    site = request.headers.get("Sec-Fetch-Site", "none")
    followed = request.headers.get("Sec-Fetch-Mode") == "navigate" and request.method == "GET"
    shown = request.headers.get("Sec-Fetch-Dest") == "document"
    if site not in {"same-origin", "none"} and not (followed and shown):
        raise refuse(Kind.FOREIGN, "a page of another site asks for this")


def _check_sizes(environ: WSGIEnvironment) -> None:
    if len(environ.get("PATH_INFO", "")) + len(environ.get("QUERY_STRING", "")) > MOST_URL:
        raise refuse(Kind.LONG_URL, f"the URL is longer than {MOST_URL:,} bytes")
    headers = sum(len(key) + len(value) for key, value in environ.items() if key[:5] == "HTTP_")
    if headers > MOST_HEADERS:
        raise refuse(Kind.LARGE_HEADERS, f"the headers are larger than {MOST_HEADERS:,} bytes")
    length = environ.get("CONTENT_LENGTH", "")
    if length.isdecimal() and int(length[:20]) > MOST_BODY:
        raise too_large()


def bound_chunks(environ: WSGIEnvironment) -> None:
    """Read a body that comes in chunks, so that it has a length from now on.

    Werkzeug would cut a longer one off without a word, and what is left might still be a form.

    Raises:
        Refused: it is too large, or its chunks cannot be read.
    """
    if not environ.get("wsgi.input_terminated"):
        return
    try:
        body = environ["wsgi.input"].read(MOST_BODY + 1)
    except OSError as error:
        raise refuse(Kind.BAD_REQUEST, "the chunks of the body cannot be read") from error
    if len(body) > MOST_BODY:
        raise too_large()
    environ["wsgi.input"] = io.BytesIO(body)
    environ["wsgi.input_terminated"] = False
    environ["CONTENT_LENGTH"] = str(len(body))


def too_large() -> Refused:
    """Return the refusal of a body that is too large."""
    return refuse(Kind.TOO_LARGE, f"the body is larger than {MOST_BODY:,} bytes")


def _host_name(request: Request) -> str:
    text = request.environ.get("HTTP_HOST", "").lower()
    found = _HOST.fullmatch(text)
    if found is None:
        raise refuse(Kind.BAD_REQUEST, "the Host header is missing or is no host")
    return found["name"].removesuffix(".")


def _check_origin(request: Request) -> None:
    if request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        raise refuse(Kind.FOREIGN, "a page of another site sends this")
    origin = request.headers.get("Origin")
    if origin is not None and _origin_host(origin) != request.headers.get("Host", "").lower():
        raise refuse(Kind.FOREIGN, "the Origin is another site")


def _origin_host(origin: str) -> str:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ""
    return parts.netloc.lower() if parts.scheme in {"http", "https"} else ""


def _token(request: Request) -> str:
    """Return the token that a request carries in a header or a form, or nothing."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if "X-Hookproof-Token" in request.headers:
        return request.headers["X-Hookproof-Token"]
    return request.form.get("token", "") if request.mimetype in _FORMS else ""
