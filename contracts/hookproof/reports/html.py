"""One page of HTML that works offline: a matrix by category, and each rule in full.

Everything stands in the one file. Its policy (CSP) allows the style and the script that are named
by their hashes, and nothing else: what a receiver answered is text, whatever it holds.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from hookproof.reports.html_view import LETTERS, categories, findings, run_views
from hookproof.reports.model import RunReport
from hookproof.verdicts import Level, Verdict
from hookproof_spec.errors import HookproofError

if TYPE_CHECKING:
    from jinja2 import Template

MARKS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.WARN: "!",
    Verdict.INFO: "i",
    Verdict.ACCEPTED: "~",
    Verdict.UNPROVEN: "?",
    Verdict.BLOCKED: "–",  # noqa: RUF001 (an en dash, as wide as the other marks)
    Verdict.SKIPPED: "–",  # noqa: RUF001
    Verdict.NOT_APPLICABLE: "·",
}


def rendered(run: RunReport) -> bytes:
    """Write one run as a page."""
    return page([run])


def page(runs: Sequence[RunReport]) -> bytes:
    """Write several runs side by side.

    Raises:
        HookproofError: there are more than a page can show.
    """
    if len(runs) > len(LETTERS):
        raise HookproofError(
            f"{len(runs)} runs do not fit side by side", hint=f"give at most {len(LETTERS)}"
        )
    style, script = _file("report.css"), _file("report.js")
    views = run_views(runs)
    parts = categories(runs, views)
    text = _template().render(
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        runs=views,
        categories=parts,
        findings=findings(parts),
        marks=MARKS,
        verdicts=list(Verdict),
        levels=list(Level),
    )
    return text.encode("utf-8", "backslashreplace")


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_file("report.html.j2"))


def _file(name: str) -> str:
    return (resources.files("hookproof") / "reports" / "page" / name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
