"""The verdict on a request."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, final

from hookproof_spec.errors import Problem


class Reason(StrEnum):
    """Why a request was refused.

    "header" is the place in which a value travels; in some schemes it is a parameter of the query,
    a field or a member of the body.
    """

    MISSING_HEADER = "missing header"
    MALFORMED_HEADER = "malformed header"
    MALFORMED_NONCE = "nonce of the wrong shape"
    WRONG_SIGNATURE = "wrong signature"
    STALE = "stale"
    FROM_THE_FUTURE = "from the future"
    REPLAYED = "replayed"
    WRONG_MEDIA_TYPE = "wrong media type"
    INVALID_PAYLOAD = "payload breaks the schema"


@final
class Verification(NamedTuple):
    """The verdict on one request; a named tuple, which is made in a fifth of a data class's time.

    `reason` is None exactly when the request is accepted. `detail` says it in words and never
    holds a secret or an expected signature. `age` is in seconds, negative for the future.
    """

    reason: Reason | None = None
    detail: str = ""
    timestamp: float | None = None
    nonce: str | None = None
    age: float | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def accepted(self) -> bool:
        """Tell whether the request is genuine, fresh and well formed."""
        return self.reason is None
