"""Print the rows of `docs/providers.md` as they are today.

Run it after a package was renewed: `PYTHONPATH=tests python -m providers.table [PACKAGE …]`.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping

import time_machine

from hookproof.events import RuleResult
from hookproof.verdicts import Verdict
from providers.conftest import NOW
from providers.judges import JUDGES, Judge, webhooks_of
from providers.keys import made_for
from providers.npm import Node
from providers.test_receivers import results
from providers.verdicts import MORE


def main(wanted: list[str]) -> None:
    """Print a row for each package, and on the other channel what was found."""
    with Node() as node:
        for judge in JUDGES:
            if not wanted or str(judge) in wanted:
                print(row(judge, node))


def row(judge: Judge, node: Node) -> str:
    """Run the contract against a receiver that uses a package; return what it breaks."""
    webhook = webhooks_of(judge)[0]
    with time_machine.travel(NOW, tick=False), contextlib.redirect_stdout(sys.stderr):
        found = results(judge, node, webhook, made_for(webhook.scheme))
        for id, result in found.items():
            if result.verdict in (Verdict.FAIL, Verdict.WARN):
                print(f"{judge}: {id}: {result.message}")
    document = judge.document.replace(f"{MORE}/", "more/")
    musts, shoulds = (_listed(found, verdict) for verdict in (Verdict.FAIL, Verdict.WARN))
    return f"| {judge} | {judge.version} | `{document}` | {musts} | {shoulds} |"


def _listed(found: Mapping[str, RuleResult], verdict: Verdict) -> str:
    ids = sorted(id for id, result in found.items() if result.verdict is verdict)
    return ", ".join(f"`{id}`" for id in ids) or "none"


if __name__ == "__main__":
    main(sys.argv[1:])
