"""Finding and reading the files of a document."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hookproof_spec.documents.yaml12 import parse_json, parse_yaml
from hookproof_spec.errors import DocumentError, did_you_mean
from hookproof_spec.nodes import shown
from hookproof_spec.pointers import token

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

HOME = Path(__file__).parent
_MAX_BYTES = 20_000_000


def names() -> tuple[str, ...]:
    """Return the names of the documents that come with hookproof."""
    return tuple(sorted(path.stem for path in HOME.glob("*.yaml")))


def locate(path_or_name: str | Path) -> Path:
    """Return the file of a shipped document's name, or of a path.

    Raises:
        DocumentError: there is neither.
    """
    if isinstance(path_or_name, str) and path_or_name in names():
        return HOME / f"{path_or_name}.yaml"
    path = Path(path_or_name)
    try:
        exists = path_or_name != "" and path.exists()
    except (OSError, ValueError):
        exists = False
    if exists:
        return path
    raise _unknown(str(path_or_name))


def _unknown(text: str) -> DocumentError:
    known = ", ".join(names())
    if not text or "/" in text or text.endswith((".yaml", ".yml", ".json")):
        return DocumentError(
            "no such file", where=shown(text), hint=f"give a path, or one of: {known}"
        )
    near = did_you_mean(text[:100], names())
    return DocumentError(
        f"no document is called {shown(text)}, and no such file exists",
        hint=" ".join(filter(None, (near, f"there are: {known}"))),
    )


def parse_file(path: Path) -> JsonValue:
    """Read a YAML or JSON file.

    Raises:
        DocumentError: it cannot be read, is not UTF-8, is empty, too large, or has a syntax
            error, a key that is no text, or half a character.
    """
    where = str(path)
    text = _read(path, where)
    if not text.strip():
        once = "" if path.is_file() else "a pipe is read only once: save it as a file"
        raise DocumentError("the file is empty", where=where, hint=once)
    parse = parse_json if path.suffix.lower() == ".json" else parse_yaml
    return _with_text_keys(parse(text, where), where, "")


def _read(path: Path, where: str) -> str:
    try:
        if path.is_dir():
            raise DocumentError("this is a directory", where=where, hint="name a file in it")
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)  # a device says no size, and may never end
        if len(data) > _MAX_BYTES:
            raise DocumentError(f"larger than {_MAX_BYTES:,} bytes", where=where)
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"not UTF-8: byte {error.start} is {error.object[error.start]:#04x}",
            where=where,
            hint="save the file as UTF-8",
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentError(f"cannot be read: {reason}", where=where) from error


def _with_text_keys(value: JsonValue, where: str, pointer: str) -> JsonValue:
    """Return a value with statuses such as `200` as texts; refuse what else is no whole text."""
    if isinstance(value, list):
        return [
            _with_text_keys(item, where, pointer + token(place)) for place, item in enumerate(value)
        ]
    if isinstance(value, str):
        return _whole_text(value, where, pointer)
    if not isinstance(value, Mapping):
        return value
    return {
        _text_key(key, where, pointer): _with_text_keys(item, where, pointer + token(key))
        for key, item in value.items()
    }


def _text_key(key: object, where: str, pointer: str) -> str:
    if isinstance(key, str):
        return _whole_text(key, where, pointer)
    if isinstance(key, int) and not isinstance(key, bool) and pointer.endswith("/responses"):
        return str(key)
    raise DocumentError(
        f"the key {shown(key)} is no text", where=f"{where}#{pointer}", hint="put it in quotes"
    )


def _whole_text(text: str, where: str, pointer: str) -> str:
    """Refuse what JSON can escape and UTF-8 cannot write; in YAML it is an error of syntax."""
    if text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    raise DocumentError(
        f"{shown(text)} holds half a surrogate pair",
        where=f"{where}#{pointer}",
        hint="write the whole character",
    )
