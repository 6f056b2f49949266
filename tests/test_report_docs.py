"""What `docs/reports.md` shows is run in its order, against a receiver with the bug it tells of."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import yaml

from hookproof.cli.verify import verify
from hookproof.miniatures.broken_stale import IgnoresAge
from hookproof.reports.formats import FORMATS
from hookproof.reports.json_report import SCHEMA_FILE
from support.command_line import CANARY, environment
from support.reported import listening

TEXT = (Path(__file__).parent.parent / "docs" / "reports.md").read_text("utf-8")
DOCUMENTED = "http://127.0.0.1:8000/webhook"
STATUSES = {"verify": 1, "report junit.xml": 2, "replay": 1, "again.py": 1}
"""The exit statuses of commands that do not end with 0."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def steps() -> list[tuple[str, str]]:
    """Return each command with the output that the page shows for it."""
    parts = [re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE) for body in blocks("console")]
    return [pair for part in parts for pair in zip(part[1::2], part[2::2], strict=True)]


def shown_in(pattern: str, output: str) -> bool:
    pieces = [re.escape(piece) for piece in pattern.strip().split("…")]
    return re.fullmatch(r"[\s\S]*?".join(pieces), output.strip()) is not None


def test_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    variables = environment(HOOKPROOF_SECRET=CANARY)
    variables["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    with listening(IgnoresAge) as served:
        for command, expected in steps():
            result = subprocess.run(
                ["sh", "-c", command.replace(DOCUMENTED, served.url)],
                cwd=tmp_path,
                env=variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=60,
                check=False,
            )
            output = result.stdout.decode().replace(served.url, DOCUMENTED)
            assert shown_in(expected, output), f"{command}\n{output}"
            wanted = [status for word, status in STATUSES.items() if f" {word}" in command]
            assert result.returncode == (wanted[0] if wanted and ">" not in command else 0)


def test_every_format_is_in_the_table() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) == set(FORMATS)
    (option,) = [option for option in verify.params if option.name == "report"]
    told = getattr(option, "help", "")
    assert all(name in told for name in FORMATS)


def test_workflow_is_read_and_names_known_formats() -> None:
    (workflow,) = map(yaml.safe_load, blocks("yaml"))
    run = workflow["jobs"]["webhook"]["steps"][0]["run"]
    assert set(re.findall(r"--report (\w+)=", run)) <= set(FORMATS)


def test_sample_has_fields_of_the_schema() -> None:
    schema = json.loads((resources.files("hookproof") / "schemas" / SCHEMA_FILE).read_text("utf-8"))
    (sample,) = map(json.loads, blocks("json"))
    assert set(sample) <= set(schema["$defs"]["rule"]["properties"])
    assert set(sample["again"]) == set(schema["$defs"]["again"]["properties"])
