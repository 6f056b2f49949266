"""OpenAPI documents: finding, reading and checking them. Nothing here reaches a network.

`load` looks closely at what a webhook needs and leaves the rest of the document alone; `check`
also holds the whole document against OpenAPI's own description.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from hookproof_spec.documents.files import locate, names, parse_file
from hookproof_spec.documents.operations import operations, read_operation
from hookproof_spec.documents.outline import check_outline, duplicate_ids
from hookproof_spec.documents.references import reference_problems
from hookproof_spec.documents.resolve import Library, Place
from hookproof_spec.errors import Problem, Severity
from hookproof_spec.nodes import str_of
from hookproof_spec.webhook import Document

if TYPE_CHECKING:
    from hookproof_spec.webhook import Webhook

__all__ = ["check", "load", "names"]


def load(path_or_name: str | Path) -> Document:
    """Read a document that comes with hookproof, by its name, or a YAML or JSON file.

    A webhook in which something is wrong is listed as unusable with its problems.

    Raises:
        DocumentError: there is no such document, or it cannot be read, or has no webhooks.
    """
    return _read(locate(path_or_name))


def check(path_or_name: str | Path) -> tuple[Problem, ...]:
    """Return everything that is wrong with a document or deserves a look, warnings too.

    Raises:
        DocumentError: there is no such document, or it cannot be read, or has no webhooks.
    """
    # Imported here because it brings openapi-spec-validator, which nobody else needs.
    from hookproof_spec.documents.structure import structure_problems

    path = locate(path_or_name)
    value = parse_file(path)
    document = _read(path)
    found = [problem for problems in document.unusable.values() for problem in problems]
    found += document.warnings
    found += reference_problems(Place(path, "", value))
    sound = all(problem.severity is Severity.WARNING for problem in found)
    found += structure_problems(path, value, deep=sound)
    return tuple(dict.fromkeys(found))


def _read(path: Path) -> Document:
    root = Place(path, "", parse_file(path))
    check_outline(root)
    library = Library(root)
    usable: dict[str, Webhook] = {}
    unusable: dict[str, tuple[Problem, ...]] = {}
    warnings: list[Problem] = []
    for name, webhook, problems in _webhooks(root, library):
        if webhook is None:
            # What is named alone is the first, and a warning is not why.
            unusable[name] = tuple(sorted(problems, key=lambda p: p.severity is Severity.WARNING))
        else:
            usable[name] = webhook
            warnings += problems
    info = root.child("info")
    return Document(
        name=path.stem,
        path=str(path),
        title=str_of(info.child("title").value),
        version=str_of(info.child("version").value),
        openapi=str_of(root.child("openapi").value),
        webhooks=MappingProxyType(usable),
        unusable=MappingProxyType(unusable),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _webhooks(
    root: Place, library: Library
) -> list[tuple[str, Webhook | None, tuple[Problem, ...]]]:
    """Read every webhook; one with several methods is several, `name:method`."""
    read: list[tuple[str, Webhook | None, tuple[Problem, ...]]] = []
    twice = duplicate_ids(root)
    webhooks = root.child("webhooks")
    for name in webhooks.value if isinstance(webhooks.value, dict) else {}:
        found: list[Problem] = []
        item = library.settle(webhooks.child(name), found)
        listed = operations(item) if item is not None else []
        if item is not None and not listed:
            found.append(item.problem("the webhook has no operation", "add 'post'"))
        if not listed:
            read.append((name, None, tuple(found)))
        for method, operation in listed:
            full = name if len(listed) == 1 else f"{name}:{method}"
            webhook, problems = read_operation(full, method, operation, library)
            problems += twice.get(operation.pointer, ())
            errors = any(problem.severity is Severity.ERROR for problem in problems)
            read.append((full, None if errors else webhook, problems))
    return read
