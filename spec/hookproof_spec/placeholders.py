"""Reading a template out of a document: which placeholders there are, and which come later."""

from __future__ import annotations

import re
from collections.abc import Collection

from hookproof_spec.nodes import Node, nearest, shown
from hookproof_spec.templates import Template, TemplateError

CORE = ("body", "timestamp", "nonce", "signature", "signatures")
FILTERS = ("md5", "sha1", "sha256", "sha512", "crc32", "hex", "base64", "base64url")
_LATER = re.compile(
    r"method|url|path|secret|key-id|signature2|fields"
    r"|(?:header|query|field):[^|]+|json:(?:/[^|]*)?|timestamp:\+[0-9]+"
)
_BRACES = re.compile(r"\{([^{}]*)\}")


def read_template(node: Node, what: str, filled: Collection[str]) -> Template | None:
    """Read a template in which only the `filled` placeholders have a value.

    Returns:
        The template, or None when a problem was noted.
    """
    text = node.text(what)
    if text is None:
        return None
    noted = len(node.found)
    for name in _BRACES.findall(text):
        if name not in filled:
            _refuse(node, name, filled)
    if len(node.found) > noted:
        return None
    try:
        return Template.parse(text)
    except TemplateError as error:
        node.error(str(error), "braces stand around placeholders only")
        return None


def _refuse(node: Node, name: str, filled: Collection[str]) -> None:
    allowed = [f"{{{word}}}" for word in filled]
    written = f"{{{name}}}"
    base, *filters = name.split("|")
    unknown = next((word for word in filters if word not in FILTERS), None)
    if unknown is not None:
        node.error(
            f"unknown filter {shown(unknown)} in {shown(written)}", nearest(unknown, FILTERS)
        )
    elif _LATER.fullmatch(base) or (filters and base in CORE):
        node.error(f"{shown(written)} is not supported yet", nearest("", allowed))
    elif base in CORE:
        node.error(f"{written} has no value here", nearest("", allowed))
    else:
        node.error(f"unknown placeholder {shown(written)}", nearest(written, allowed))
