"""Receivers as a team writes them with a provider's own package: verify, read, act, acknowledge.

They keep no memory and check no schema, because no package does. What the package raises beyond its
documented refusal reaches the server, which answers 500.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from hookproof.receiver import MIB, read_body, request_from_environ
from hookproof_spec import forms
from hookproof_spec.request import Request
from providers.verdicts import ACCEPTED, REFUSED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class RaisedError(Exception):
    """The package raised what it does not document."""


def receiver_with(
    verdict: Callable[[Request], str], events: list[object], responses: Sequence[str] = ("200",)
) -> WSGIApplication:
    """Return a receiver that asks a package for its verdict, and appends what it acted on.

    It acknowledges with the first status that its document declares.
    """
    received = f"{responses[0].replace('XX', '00')} Received"

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status = answer(environ)
        start_response(status, [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return []

    def answer(environ: WSGIEnvironment) -> str:
        if environ["REQUEST_METHOD"] != "POST":
            return "405 Method Not Allowed"
        body = read_body(environ, MIB)
        if body is None:
            return "413 Content Too Large"
        said = verdict(request_from_environ(environ, body))
        if said == REFUSED:
            return "401 Unauthorized"
        if said != ACCEPTED:
            raise RaisedError(said)
        try:
            form = environ.get("CONTENT_TYPE", "").startswith(forms.MEDIA_TYPE)
            events.append(forms.decode(body) if form else json.loads(body))
        except (ValueError, RecursionError):
            return "400 Bad Request"
        return received

    return app
