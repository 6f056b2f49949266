"""Changes as they happen, as server-sent events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug import Response

if TYPE_CHECKING:
    from hookproof_mockserver.api.calls import Call


def stream(call: Call) -> Response:
    """Answer with a stream; asked for its head alone, with none."""
    parts = () if call.head else call.streams.open()
    response = Response(parts, content_type="text/event-stream", direct_passthrough=True)
    response.headers["Cache-Control"] = "no-store"
    return response
