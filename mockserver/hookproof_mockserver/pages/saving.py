"""Bytes as a file to be saved, never to be shown: they may hold anything."""

from __future__ import annotations

from werkzeug import Response


def saved(body: bytes, name: str) -> Response:
    """Return bytes that a browser saves under a name and does not open."""
    response = Response(body, content_type="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "no-store"
    return response
