"""What a refusal says by itself: status, headers and words, without another request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import final
from urllib.parse import urljoin, urlsplit

from hookproof.targets.base import IN_PROCESS, TEST_HOST, Exchange, Failure
from hookproof_spec.webhook import JsonValue

READ = 8_000
"""How many bytes of an answer are looked at."""
MOST_NAMED = 3
"""An answer that names more members than these repeats the event and blames none of them."""
_SHOWN = 100
_EVERY_FIELD = re.compile(r"\b(field|required|missing|invalid|validat|expected|must|schema|null)")
_ASKED_HEADER = re.compile(r'"header"\s*,\s*"([A-Za-z0-9_-]{1,60})"')
_ERROR = re.compile(r"\b([A-Z][A-Za-z]{2,50}(?:Error|Exception))\b")


@final
@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a genuine event, and what is known of the event.

    `members` are the names of the payload's members, `header` that of the signature's header.
    """

    exchange: Exchange
    header: str
    members: frozenset[str]

    @property
    def status(self) -> int:
        """The status; 0 where there was no answer."""
        return self.exchange.status or 0

    @property
    def text(self) -> str:
        """The beginning of what the answer says."""
        return self.exchange.body[:READ].decode("utf-8", "replace")

    def says(self, *words: str) -> bool:
        """Tell whether one of these is in the answer, whatever its case."""
        text = self.text.lower()
        return any(word in text for word in words)


Telling = Callable[[Refusal], str | None]


def member_names(value: JsonValue) -> Iterator[str]:
    """Yield the names of all members of a payload."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from member_names(item)


# --- what leaves no doubt -------------------------------------------------------------------------


def _no_answer(refusal: Refusal) -> str | None:
    exchange = refusal.exchange
    if exchange.status is not None:
        return None
    if exchange.failure is Failure.TIMEOUT:
        return (
            "it does not answer within the time-out: acknowledge first, and work afterwards;"
            " a debugger or a lock may hold it"
        )
    if exchange.request.url.startswith("http:"):
        return (
            "it closes the connection or speaks no HTTP: if it speaks TLS on this port, say https;"
            " else see its log"
        )
    return "it closes the connection or speaks no HTTP: see its log, and what stands before it"


def _redirect(refusal: Refusal) -> str | None:
    if not 300 <= refusal.status < 400:
        return None
    location = refusal.exchange.header("Location")
    if not location:
        return "it redirects and does not say where: senders do not follow redirects"
    here = refusal.exchange.request.url
    there = _joined(here, location)
    if re.search(r"log[-_]?in|sign[-_]?in|/auth|/sso|oauth", there.partition("?")[0].lower()):
        return (
            "a guard sends whoever has not logged in to a log-in page: exempt the webhook's route"
            " from it, as the signature is its authentication"
        )
    why = _why(here, there)
    return f"senders do not follow redirects: register the final URL, {_cut(there)}{why}"


def _joined(here: str, location: str) -> str:
    try:
        return urljoin(here, location)
    except ValueError:  # what a receiver says need not be a URL
        return location


def _slash(refusal: Refusal) -> str | None:
    if refusal.status == HTTPStatus.INTERNAL_SERVER_ERROR and refusal.says(_NO_SLASH):
        return "its route ends in a slash: register the URL with the slash at its end"
    return None


_NO_SLASH = "but the url doesn't end in a slash"
"""What a framework says in place of a redirect, while it is being developed with."""


def _why(here: str, there: str) -> str:
    if here.rstrip("/") == there.rstrip("/"):
        return " (it differs in the slash at its end)"
    if here.replace("http:", "https:", 1) == there:
        return " (it wants https)"
    return ""


def _csrf(refusal: Refusal) -> str | None:
    words = ("csrf", "xsrf", "authenticity token", "authenticity_token", "antiforgery")
    if refusal.status not in (400, 403, 419, 422):
        return None
    if refusal.status == 419 or refusal.says(*words, "page expired"):
        return "a CSRF guard stands before the route: exempt it, as no sender has a token"
    return None


def _credentials(refusal: Refusal) -> str | None:
    asked = (refusal.exchange.header("WWW-Authenticate") or "").split(" ")[0].lower()
    if refusal.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return "a proxy asks for credentials: the way to the receiver leads through it"
    if refusal.status != HTTPStatus.UNAUTHORIZED or asked not in _AUTHENTICATIONS:
        return None
    return (
        f"a guard before the route asks for {asked.title()} credentials: exempt the route, or give"
        " them with --header if the sender will send them too"
    )


_AUTHENTICATIONS = ("basic", "bearer", "digest", "negotiate", "ntlm")


def _plain_http(refusal: Refusal) -> str | None:
    if refusal.says("plain http request was sent to https", "http request to an https server"):
        return "it speaks TLS on this port: register the address with https"
    return None


def _host(refusal: Refusal) -> str | None:
    words = (
        *("invalid host", "invalid http_host", "disallowedhost", "blocked host"),
        *("host not allowed", "allowed_hosts", "untrusted host"),
    )
    if 400 <= refusal.status < 500 and refusal.says(*words):
        host = urlsplit(refusal.exchange.request.url).netloc
        named = TEST_HOST if host == IN_PROCESS else _cut(host)
        return f"it serves other host names than {named}: allow this one, or use its own"
    return None


def _other_header(refusal: Refusal) -> str | None:
    """Frameworks that bind headers to parameters name the one they miss."""
    found = _ASKED_HEADER.search(refusal.text) if 400 <= refusal.status < 500 else None
    if found is None or found[1].lower().replace("_", "-") == refusal.header.lower():
        return None
    return (
        f"it asks for a header {found[1]}, and the document's signature is in {refusal.header}:"
        " read that one"
    )


def _member(refusal: Refusal) -> str | None:
    """A check of the payload names what it refuses."""
    text = refusal.text
    if refusal.status not in (400, 406, 409, 422) or not _EVERY_FIELD.search(text.lower()):
        return None
    named = sorted(name for name in refusal.members - _ORDINARY if _names(text, name))
    if not 0 < len(named) <= MOST_NAMED:
        return None
    listed = ", ".join(repr(name) for name in named)
    return (
        f"its own check of the payload names {listed}, though the payload is what the document"
        " describes: compare its model with the document's schema"
    )


_ORDINARY = frozenset(
    (
        *("body", "code", "data", "date", "detail", "error", "event", "id", "message", "name"),
        *("on", "reason", "status", "text", "time", "timestamp", "title", "type", "url", "value"),
    )
)
"""Names of members that answers use for things of their own."""


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def _method(refusal: Refusal) -> str | None:
    if refusal.status != HTTPStatus.METHOD_NOT_ALLOWED:
        return None
    method = refusal.exchange.request.method
    allowed = refusal.exchange.header("Allow")
    takes = f" takes {_cut(allowed)}, and not" if allowed else " does not take"
    return f"this path{takes} the webhook's {method}: the route is another, or of another method"


_STATUSES: Mapping[int, str] = {
    408: "it did not read the request in time: see what it waits for",
    409: "it takes an event with a new nonce for one that it has processed: see by what it tells"
    " events apart, and whether that comes from the nonce",
    410: "it says that this endpoint is gone: register the one that took its place",
    411: "it asks for a Content-Length, which the request has: see what takes it away",
    413: "its limit for bodies is below an ordinary event: raise it",
    414: "its limit for addresses is below this URL",
    421: "another server is meant by this address: see its host name and certificate",
    426: "it asks for another protocol: register its https address",
    431: "its limit for headers is below those of an ordinary event",
    501: "it does not know the webhook's method",
    502: "a gateway answers in its place: the application behind it is down or elsewhere",
    504: "a gateway answers in its place: the application behind it took too long",
    507: "it has no room left to store the event",
}


def _status(refusal: Refusal) -> str | None:
    return _STATUSES.get(refusal.status)


CERTAIN: Sequence[Telling] = (
    _no_answer,
    _redirect,
    _slash,
    _plain_http,
    _csrf,
    _credentials,
    _host,
    _other_header,
    _member,
    _method,
    _status,
)


def certain(refusal: Refusal) -> str | None:
    """Return the cause that an answer leaves no doubt about."""
    return next((told for tell in CERTAIN if (told := tell(refusal)) is not None), None)


# --- what is likely, when nothing else explains it ------------------------------------------------


def _crash(refusal: Refusal) -> str | None:
    if refusal.status < 500:
        return None
    named = _ERROR.search(refusal.text)
    what = f" with {named[1]}" if named else ""
    return f"the receiver fails inside{what}: see its log"


def _lost(refusal: Refusal) -> str | None:
    if refusal.status == HTTPStatus.NOT_FOUND:
        return "no webhook is served at this path: compare it with the route"
    if refusal.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        return "it does not take the document's media type"
    return None


def _words(refusal: Refusal) -> str | None:
    for words, meaning in _MEANINGS:
        if refusal.says(*words):
            return meaning
    return None


_GUARDED = (
    "its answer asks for credentials: if a guard stands before the route, exempt it, or give them"
    " with --header if the sender will send them too"
)
_MEANINGS: Sequence[tuple[Sequence[str], str]] = (
    (
        ("expired", "too old", "stale", "timestamp", "clock skew", "tolerance"),
        "its answer speaks of the time: compare its clock, the unit and the time zone",
    ),
    (
        ("replay", "already processed", "already received", "already used", "duplicate"),
        "its answer speaks of a repetition, though the nonce is new: see where it keeps nonces",
    ),
    (
        ("nonce",),
        "its answer speaks of the nonce: compare what it takes for one with what the document"
        " declares, and see where it keeps them",
    ),
    (
        ("missing signature", "signature missing", "no signature", "signature required"),
        "it does not find the signature's header: see under which name it looks, and whether"
        " something on the way takes the header out",
    ),
    (
        ("authorization header", "bearer", "api key", "api-key", "apikey", "access token"),
        _GUARDED,
    ),
    (
        ("authentication credentials", "authentication is required", "unauthenticated"),
        _GUARDED,
    ),
)

LIKELY: Sequence[Telling] = (_lost, _crash, _words)


def likely(refusal: Refusal) -> str | None:
    """Return the cause that an answer makes likely."""
    return next((told for tell in LIKELY if (told := tell(refusal)) is not None), None)


def likely_dropped(exchange: Exchange) -> str:
    """Say why an event that was acknowledged may have had no effect."""
    text = exchange.body[:READ].decode("utf-8", "replace").lower()
    if "html" in (exchange.header("Content-Type") or "").lower() or "<!doctype html" in text:
        return "a web page came back, as a site gives for any path: is this the webhook's URL?"
    for word in _DISAPPROVING:
        if word in text:
            return f"its answer says {word!r}, so it may drop what it acknowledges"
    return "either it is dropped, or the probe looks elsewhere"


_DISAPPROVING = ("invalid", "error", "fail", "ignored", "rejected", "denied", "unauthorized")


def _cut(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
