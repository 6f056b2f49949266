"""A script that sends a finding again and needs Python alone: its data and modules of ours."""

from __future__ import annotations

import pprint
from collections.abc import Iterable, Mapping
from importlib import resources

MODULES = ("telling.py", "resigning.py", "script_main.py")
"""What a script is made of, in this order; these import the standard library and each other."""
_HEAD = """\
#!/usr/bin/env python3
# {title}
# Signs anew what this finding stands on and sends it again. Needs Python 3.11 or later alone.
# export HOOKPROOF_SECRET=...; python3 THIS_FILE [URL]
# Exit status: 1 seen again, 0 not seen again, 3 cannot tell, 2 usage.

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # an error's exit status would say "seen again"
    sys.stderr.write("this needs Python 3.11 or later, and is " + sys.version.split()[0] + "\\n")
    sys.exit(2)

{imports}

CASE = {case}

{body}

if __name__ == "__main__":
    sys.exit(main(CASE))
"""


def script(title: str, case: Mapping[str, object]) -> str:
    """Return a script for a case, which `script_main.again` describes."""
    body, imports = _sources(*MODULES)
    return _HEAD.format(
        title=_plain(title),
        imports="\n".join(imports),
        case=pprint.pformat(case, width=96, sort_dicts=False),
        body=body,
    )


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _sources(*names: str) -> tuple[str, list[str]]:
    """Return the bodies of modules of this package, and their imports of the standard library."""
    bodies: list[str] = []
    imports: set[str] = set()
    for name in names:
        text = (resources.files("hookproof") / "reports" / name).read_text("utf-8")
        _, _, rest = text.partition("from __future__ import annotations\n")
        lines = rest.strip().splitlines()
        count = next(at for at, line in enumerate(lines) if line and not _is_import(line))
        imports |= {line for line in lines[:count] if line and "hookproof" not in line}
        bodies.append("\n".join(lines[count:]))
    return "\n\n\n".join(bodies), _merged(imports)


def _merged(imports: Iterable[str]) -> list[str]:
    """Return import lines with the names of each module in one."""
    whole = sorted(line for line in imports if line.startswith("import "))
    named: dict[str, set[str]] = {}
    for line in imports:
        start, _, names = line.partition(" import ")
        if start.startswith("from "):
            named.setdefault(start, set()).update(names.split(", "))
    return [
        *whole,
        *(f"{start} import {', '.join(sorted(named[start]))}" for start in sorted(named)),
    ]


def _is_import(line: str) -> bool:
    return line.startswith(("import ", "from "))
