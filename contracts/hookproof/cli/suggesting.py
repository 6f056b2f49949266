"""A proposal for the signature extension, written as YAML that can be pasted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hookproof.reports.exchanges import escaped

if TYPE_CHECKING:
    from hookproof_spec.suggest import Suggestion
    from hookproof_spec.webhook import JsonValue


def proposal(path: str, suggestion: Suggestion) -> str:
    """Return a proposal as comments and YAML, with a line's end."""
    return "\n".join((*_remarks(path, suggestion), _yaml(_components(suggestion))))


def _remarks(path: str, suggestion: Suggestion) -> Iterator[str]:
    yield f"# {escaped(path)}#{escaped(suggestion.found_at)}"
    yield f"# {escaped(suggestion.reason)}"
    for point in suggestion.open:
        yield f"# fill in or confirm {escaped(point)}"
    if suggestion.missing:
        yield f"# and name it under 'security' of: {', '.join(map(escaped, suggestion.missing))}"
        yield f"#   security: [{{{escaped(suggestion.scheme)}: []}}]"


def _components(suggestion: Suggestion) -> dict[str, JsonValue]:
    scheme: dict[str, JsonValue] = {"type": "apiKey", "in": "header", "name": suggestion.header}
    if suggestion.declared:
        scheme = {}
    scheme["x-webhook-signature"] = dict(suggestion.extension)
    return {"components": {"securitySchemes": {suggestion.scheme: scheme}}}


def _yaml(value: dict[str, JsonValue]) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)
    return text
