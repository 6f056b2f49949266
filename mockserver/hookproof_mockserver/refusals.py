"""The sender's own errors as refusals."""

from __future__ import annotations

from hookproof_mockserver.problems import Breach, Kind, Refusal
from hookproof_mockserver.sender_errors import (
    Closed,
    Conflict,
    Invalid,
    InvalidPayload,
    NotFound,
    PlanError,
    StoreError,
)
from hookproof_spec.errors import HookproofError


def refusal_of(error: HookproofError) -> Refusal:
    """Return what a client is told about an error of the sender."""
    match error:
        case NotFound():
            return _told(Kind.NOT_FOUND, error)
        case Conflict():
            return _told(Kind.CONFLICT, error)
        case PlanError():
            return _told(Kind.PLAN, error)
        case InvalidPayload():
            return _told(Kind.INVALID, error, breaches=_payload_breaches(error))
        case Invalid():
            return _told(
                Kind.INVALID, error, breaches=(Breach(detail=error.problem, pointer=error.field),)
            )
        case StoreError() | Closed():
            return _told(Kind.INTERNAL, error)
        case _:  # what the document or the sender's set-up does not allow
            return _told(Kind.CONFLICT, error)


def _payload_breaches(error: InvalidPayload) -> tuple[Breach, ...]:
    return tuple(
        Breach(detail=problem.message, pointer=f"/payload{problem.pointer}")
        for problem in error.problems
    )


def _told(kind: Kind, error: HookproofError, *, breaches: tuple[Breach, ...] = ()) -> Refusal:
    return Refusal(kind=kind, detail=error.problem, hint=error.hint, breaches=breaches)
