"""Projects of users in which `hookproof init` runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hookproof.cli import main

FLASK = "from flask import Flask\napp = Flask(__name__)\n"
POST = "@app.post('/hooks/stock')\ndef stock(): ...\n"
FACTORY = "from flask import Flask\ndef create_app({}):\n    app = Flask('x')\n    return app\n"
WORKFLOW = ".github/workflows/hookproof.yml"
TEST = "tests/test_webhook_contract.py"
CONFTEST = "tests/conftest.py"
SETTINGS = "pytest.ini"


def laid(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files into a folder, and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def files_in(folder: Path) -> dict[str, bytes]:
    """Return what every file at and below a folder holds."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def started(folder: Path, *options: str) -> None:
    """Run the command in this process."""
    assert main(["init", str(folder), *options]) == 0


def steps_of(folder: Path) -> list[str]:
    """Return the commands of the job that was written."""
    job: Any = yaml.safe_load((folder / WORKFLOW).read_text())["jobs"]["contract"]
    return [step["run"] for step in job["steps"] if "run" in step]
