"""The files that are written, made of templates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def rendered(template: str, values: Mapping[str, object]) -> str:
    """Return a file's text, with one line end at its end."""
    return _environment().get_template(f"{template}.j2").render(values).strip("\n") + "\n"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Marks of our own: those of Jinja are also those of a workflow.
    environment = Environment(
        loader=PackageLoader("hookproof.starting"),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<{",
        variable_end_string="}>",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters["text"] = quoted
    return environment


def quoted(text: str) -> str:
    """Quote a text that prints on one line, as Python, TOML, YAML and JSON all read it."""
    return json.dumps(text, ensure_ascii=False)
