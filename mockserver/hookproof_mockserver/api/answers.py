"""Whether an answer is one that the API's document promises."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from werkzeug import Response

    from hookproof_mockserver.api.contract import Operation


class BrokenPromise(Exception):
    """An answer that the document does not have, and why."""


def check(operation: Operation, response: Response) -> None:
    """Check an answer's status, headers, media type and body.

    Raises:
        BrokenPromise: it is none of those that the document has for this operation.
    """
    where = f"{operation.name} answered {response.status_code}"
    media = operation.answers.get(str(response.status_code))
    if media is None:
        raise BrokenPromise(f"{where}, which the document does not have")
    for name in operation.required_headers[str(response.status_code)]:
        if name not in response.headers:
            raise BrokenPromise(f"{where} without the header {name}")
    kind = response.mimetype or ""
    if media and kind not in media:
        raise BrokenPromise(f"{where} with {kind}")
    if kind.endswith("json"):
        for breach in media[kind].breaches(json.loads(response.get_data())):
            raise BrokenPromise(f"{where}, and at #{breach.pointer} {breach.detail}")
