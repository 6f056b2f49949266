"""What a run judges, as data: the scheme, and where the webhook stands in its document."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from hookproof_spec.documents.files import HOME, locate, names
from hookproof_spec.errors import DocumentError
from hookproof_spec.pointers import join
from hookproof_spec.scheme import SignatureScheme

if TYPE_CHECKING:
    import yaml

    from hookproof_spec.webhook import Webhook


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a webhook stands.

    `file` is a path, relative where the file lies below the working directory; of a document that
    comes with hookproof it is the bare name (`shipped`). `line` counts from 1; 0 when unknown.
    """

    file: str
    shipped: bool
    pointer: str
    line: int


@final
@dataclass(frozen=True, slots=True)
class Subject:
    """What reports can say of a webhook beyond a run's events; None where it is not known.

    `scheme` is also None where the receiver runs without a secret.
    """

    scheme: SignatureScheme | None = None
    place: Place | None = None

    @classmethod
    def of(cls, webhook: Webhook, spec: str, *, signed: bool = True) -> Subject:
        """Return the subject of a webhook from the document that `spec` names.

        Raises:
            DocumentError: there is no such document.
        """
        return cls(webhook.scheme if signed else None, place_of(locate(spec), webhook.name))

    @classmethod
    def named(cls, spec: str, webhook: str, scheme: str) -> Subject:
        """Return what is known of a run that gives names, or a document's path, alone.

        The scheme in words tells a document from another of the same name.
        """
        from hookproof_spec import load

        if spec not in names() and not Path(spec).is_file():
            return UNKNOWN
        try:
            known = load(spec).webhooks.get(webhook)
        except DocumentError:  # it has changed since the run
            return UNKNOWN
        if known is None or known.scheme.describe() != scheme:
            return UNKNOWN
        return cls.of(known, spec)


UNKNOWN = Subject()


def place_of(path: Path, name: str) -> Place:
    """Return where a document says a webhook of this name, `NAME` or `NAME:METHOD`."""
    root = _composed(path)
    places = [(_line_of(root, steps), steps) for steps in _steps(name)]
    line, steps = max(places, key=lambda place: place[0])
    shipped = path.parent == HOME
    return Place(
        file=_shown(path, shipped=shipped), shipped=shipped, pointer=join(*steps), line=line
    )


def _composed(path: Path) -> yaml.Node | None:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node: yaml.Node | None = yaml.compose(path.read_text("utf-8-sig"), loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return None  # it was read a moment ago: it has changed since, and the line is not known
    return node


def _steps(name: str) -> tuple[tuple[str, ...], ...]:
    """Return where a name may lead: a webhook of several methods is told as `name:method`."""
    bare, colon, method = name.rpartition(":")
    whole = ("webhooks", name)
    return (whole, ("webhooks", bare, method)) if colon else (whole,)


def _line_of(node: yaml.Node | None, steps: tuple[str, ...]) -> int:
    line = 0
    for step in steps:
        found = next((pair for pair in _pairs(node) if pair[0].value == step), None)
        if found is None:
            return 0
        key, node = found
        line = key.start_mark.line + 1
    return line


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    import yaml

    return list(node.value) if isinstance(node, yaml.MappingNode) else []


def _shown(path: Path, *, shipped: bool) -> str:
    if shipped:
        return path.name
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 (links stay as the user wrote them)
    here = Path.cwd()
    return (absolute.relative_to(here) if absolute.is_relative_to(here) else absolute).as_posix()
