"""All packages, and what `docs/providers.md` says of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hookproof_spec import load
from hookproof_spec.webhook import Webhook
from providers.npm import NPM, NpmSdk
from providers.pypi import PYPI
from providers.pypi_guided import GUIDED
from providers.verdicts import Sdk

Judge = Sdk | NpmSdk

JUDGES: tuple[Judge, ...] = (*PYPI, *GUIDED, *NPM)
PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
_ROW = re.compile(r"^\| (\S+) \| (\S+) \| `([^`]+)` \| (.*) \| (.*) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Facts:
    """A row of the page: the version that was tried, and the rules that a receiver with it breaks.

    `musts` are broken as MUST rules, `shoulds` as SHOULD rules.
    """

    version: str
    document: str
    musts: frozenset[str]
    shoulds: frozenset[str]


@cache
def page() -> dict[str, Facts]:
    """Return the rows of the page by the package's name."""
    rows = _ROW.findall(PAGE.read_text("utf-8"))
    return {
        name: Facts(version, document, _ids(musts), _ids(shoulds))
        for name, version, document, musts, shoulds in rows
    }


def _ids(cell: str) -> frozenset[str]:
    return frozenset(re.findall(r"`([a-z0-9-]+)`", cell))


def webhooks_of(judge: Judge) -> tuple[Webhook, ...]:
    """Return the webhooks that a package judges."""
    document = load(judge.document)
    if judge.webhook is not None:
        return (document.webhook(judge.webhook),)
    return tuple(document.webhooks.values())
