"""The whole document against OpenAPI's own description, by openapi-spec-validator.

The only module that imports it: that costs a third of a second, and `load` does not need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from hookproof_spec.documents.files import parse_file
from hookproof_spec.errors import Problem
from hookproof_spec.pointers import PointerError, get, join

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from openapi_spec_validator.validation.validators import SpecValidator

    from hookproof_spec.webhook import JsonValue

_MAX_MESSAGE = 240


def structure_problems(path: Path, value: JsonValue, *, deep: bool) -> tuple[Problem, ...]:
    """Return where a document breaks OpenAPI's description; nothing is fetched, none raises.

    Args:
        path: where the document lies, for files that it refers to.
        value: the document.
        deep: look at its schemas and parameters too, which is safe only where `load` found nothing
            wrong: the validator raises what it pleases for dangling references and bad schemas.
    """
    validator = _validator(path.resolve(), value)
    broken = [_problem(error, value) for error in validator.schema_validator.iter_errors(value)]
    if deep and not broken:
        broken = [*_guarded(validator, value)]
    return tuple(broken)


def _guarded(validator: SpecValidator, value: JsonValue) -> Iterator[Problem]:
    from referencing.exceptions import Unresolvable

    try:
        yield from (_problem(error, value) for error in validator.iter_errors())
    except (Unresolvable, LookupError, TypeError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())
        yield Problem("", f"the validator of OpenAPI gave up: {reason[:_MAX_MESSAGE]}")
    except RecursionError:
        yield Problem("", "the validator of OpenAPI gave up: the document refers to itself")


def _validator(path: Path, value: JsonValue) -> SpecValidator:
    from jsonschema_path import SchemaPath
    from openapi_spec_validator import OpenAPIV31SpecValidator, OpenAPIV32SpecValidator

    version = value.get("openapi") if isinstance(value, dict) else None
    kind = OpenAPIV32SpecValidator if str(version).startswith("3.2") else OpenAPIV31SpecValidator
    return kind(SchemaPath.from_dict(value, base_uri=path.as_uri(), handlers=_FilesOnly()))  # type: ignore[arg-type]


class _FilesOnly(dict[str, Callable[[str], object]]):
    """Handlers of addresses: every scheme has one, because an unknown one would be fetched."""

    def __contains__(self, scheme: object) -> bool:
        return True

    def __missing__(self, scheme: str) -> Callable[[str], object]:
        return _from_file if scheme == "file" else _refused


def _from_file(address: str) -> object:
    return parse_file(Path(unquote(urlsplit(address).path)))


def _refused(address: str) -> object:
    raise LookupError(f"{address} is not fetched")


def _problem(error: ValidationError, value: JsonValue) -> Problem:
    """Tell an error at its place; of alternatives, the part that came furthest."""
    while error.context:
        error = max(error.context, key=lambda part: len(part.absolute_path))
    names: Iterable[str | int] = error.absolute_path
    message = error.message.partition("\n")[0]
    short = message if len(message) <= _MAX_MESSAGE else message[: _MAX_MESSAGE - 1] + "…"
    return Problem(_existing(join(*names), value), f"not as OpenAPI describes it: {short}")


def _existing(pointer: str, value: JsonValue) -> str:
    """Return the pointer, or the root's where the validator counted from somewhere inside."""
    try:
        get(value, pointer)
    except PointerError:
        return ""
    return pointer
