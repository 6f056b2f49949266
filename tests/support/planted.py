"""The table of the mistakes that the receivers of `tests/receivers` make when they are told to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

PLANTABLE = ("php", "flask", "flask-gthread", "fastapi", "express")
"""The kinds of receiver that can be told to make one; others are right and no more."""

Unseen = Literal["never", "where replays are ignored", "always"]
"""Where status alone does not show a bug: a copy that is acknowledged may have been acted on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One planted mistake: who can make it, and the ids of the rules that find it, and no others.

    `exposed_by` are rules whose breach is a MUST; `warned_by` those where it is a SHOULD. What
    stands on one of them is blocked and not named. Where languages differ, `instead` holds the
    first list for that kind. `or_else` names rules of which one alone may fail in their place, as a
    matter of luck. `unseen` says where only an effects probe tells.
    """

    exposed_by: tuple[str, ...] = ()
    warned_by: tuple[str, ...] = ()
    kinds: tuple[str, ...] = PLANTABLE
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    or_else: tuple[str, ...] = ()
    unseen: Unseen = "never"


_PYTHON = ("flask", "flask-gthread", "fastapi")
_FLASK = ("flask", "flask-gthread")

# What is lost when the HMAC goes over a document written anew: PHP escapes all that PHP escapes,
# Python's json escapes letters but no slashes, FastAPI and JavaScript escape nothing. Of a member
# that stands twice one is left, whichever language writes it.
_ONE_OF_TWO = "forged-duplicate-json-key"
_ESCAPES_ALL = ("valid-utf8", "valid-whitespace", _ONE_OF_TWO)
_ESCAPES_LETTERS = ("valid-php-escapes", "valid-utf8", "valid-whitespace", _ONE_OF_TWO)
_ESCAPES_NOTHING = ("valid-php-escapes", "valid-whitespace", _ONE_OF_TWO)
_ORDER = ("valid-key-order",)
_BASIC = ("valid-basic",)

BUGS: Mapping[str, Bug] = MappingProxyType(
    {
        # The raw body.
        "reserialize": Bug(
            exposed_by=_ESCAPES_NOTHING,
            warned_by=("forged-reformatted",),
            instead={
                "php": _ESCAPES_ALL,
                "flask": _ESCAPES_LETTERS,
                "flask-gthread": _ESCAPES_LETTERS,
            },
        ),
        "reserialize-spaced": Bug(exposed_by=_BASIC, kinds=_PYTHON),
        "ascii-body": Bug(exposed_by=("valid-utf8",)),
        "trim-body": Bug(warned_by=("valid-whitespace", "forged-reformatted")),
        "minify": Bug(exposed_by=("valid-whitespace",), warned_by=("forged-reformatted",)),
        "sort-keys": Bug(
            exposed_by=(*_ESCAPES_NOTHING, *_ORDER),
            warned_by=("forged-reformatted",),
            instead={
                "php": (*_ESCAPES_ALL, *_ORDER),
                "flask": (*_ESCAPES_LETTERS, *_ORDER),
                "flask-gthread": (*_ESCAPES_LETTERS, *_ORDER),
            },
        ),
        # The signature.
        "no-header-ok": Bug(exposed_by=("forged-no-header",)),
        "no-verify": Bug(exposed_by=("forged-signature",)),
        "empty-secret-ok": Bug(exposed_by=("forged-empty-secret",)),
        "body-unsigned": Bug(
            exposed_by=("forged-body-changed",), warned_by=("replay-nonce-new-timestamp",)
        ),
        "timestamp-unsigned": Bug(exposed_by=("forged-timestamp-refreshed",)),
        "nonce-unsigned": Bug(exposed_by=("forged-nonce-refreshed",)),
        # Where two lines of a header are joined, the one comes out of the other. FastAPI reads the
        # first line; Node joins them with a space, behind which this Express receiver sees no item.
        "two-parsers": Bug(
            exposed_by=("forged-param-duplicated", "forged-header-duplicated"),
            instead={
                "fastapi": ("forged-param-duplicated",),
                "express": ("forged-param-duplicated",),
            },
        ),
        # PHP makes a number of anything; FastAPI's team decodes the signature before it looks.
        "crash-on-garbage": Bug(
            exposed_by=("header-garbage", "header-timestamp-shape"),
            instead={
                "php": ("header-garbage",),
                "fastapi": (
                    *("header-garbage", "header-non-ascii"),
                    *("header-signature-shape", "header-timestamp-shape"),
                ),
            },
        ),
        # Age and replay.
        "no-age": Bug(exposed_by=("stale-old",)),
        "no-replay": Bug(exposed_by=("replay-exact",), unseen="always"),
        "per-process-nonces": Bug(
            exposed_by=("replay-repeated",), or_else=("replay-exact",), kinds=_FLASK
        ),
        "check-then-set": Bug(exposed_by=("replay-race",), unseen="where replays are ignored"),
        "burn-nonce-first": Bug(
            exposed_by=("replay-nonce-poisoned",), unseen="where replays are ignored"
        ),
        "unsigned-replay-key": Bug(
            exposed_by=("replay-request-rewritten",), unseen="where replays are ignored"
        ),
        # The way there.
        "csrf": Bug(exposed_by=_BASIC),
        "redirect": Bug(exposed_by=_BASIC),
        "hang": Bug(exposed_by=_BASIC),
        "garbage": Bug(exposed_by=_BASIC, kinds=("flask", "flask-gthread", "express")),
        "refuse-all": Bug(exposed_by=_BASIC),
        "wrong-secret": Bug(exposed_by=_BASIC),
    }
)


def exposed_by(kind: str, bug: str) -> frozenset[str]:
    """The ids of the rules at MUST that fail on this kind of receiver with this bug."""
    planted = BUGS[bug]
    return frozenset(planted.instead.get(kind, planted.exposed_by))


def warned_by(bug: str) -> frozenset[str]:
    """The ids of the rules whose SHOULD this bug breaks, whatever the kind."""
    return frozenset(BUGS[bug].warned_by)
