"""Schemathesis against the running control API, with all its checks.

    python3 -m venv /tmp/schemathesis && /tmp/schemathesis/bin/pip install schemathesis
    python tests/soak/schemathesis_api.py --executable /tmp/schemathesis/bin/schemathesis

Schemathesis lives in an environment of its own. What it registers is not delivered to: this
process opens no connection to anybody. Exit status 0 when it finds nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hookproof.forging import Forgeries
from hookproof_mockserver.app import create_app
from hookproof_mockserver.sender import MockSender, Setup
from hookproof_mockserver.server import serve
from hookproof_mockserver.stream import Limits
from hookproof_spec import load

SHORT_STREAMS = Limits(longest=0.2, heartbeat=0.05)
"""Schemathesis waits for the end of an answer; a stream has none of its own."""


def run(executable: str, asked: argparse.Namespace) -> int:
    """Run Schemathesis once and return its exit status, or 1 when a thread of ours broke."""
    errors: list[BaseException] = []
    setup = Setup(
        document=load(asked.spec),
        store=None,
        forge=Forgeries(),
        random=random.Random(asked.seed),
        on_error=errors.append,
    )
    with MockSender(setup) as sender:
        app = create_app(sender, report=errors.append, limits=SHORT_STREAMS, check_answers=True)
        with serve(app, report=errors.append) as running, tempfile.TemporaryDirectory() as folder:
            status = subprocess.run(
                [executable, *_arguments(running.url, app.token, asked)],
                cwd=folder,
                env={**os.environ, "SCHEMATHESIS_HOOKS": ""},
                check=False,
            ).returncode
    for error in errors:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return status or int(bool(errors))


def _arguments(url: str, token: str, asked: argparse.Namespace) -> list[str]:
    return [
        *("run", f"{url}/api/openapi.json", "--checks", "all", "--mode", "all"),
        *("--header", f"Authorization: Bearer {token}"),
        *("--max-examples", str(asked.examples), "--seed", str(asked.seed)),
        *("--workers", str(asked.workers), "--request-timeout", "20"),
        *("--continue-on-failure", "--no-color"),
        *(["--phases", asked.phases] if asked.phases else []),
    ]


def _connect_to_nobody(event: str, _arguments: tuple[object, ...]) -> None:
    """Refuse every connection of this process, as an audit hook."""
    if event == "socket.connect":
        raise ConnectionRefusedError(111, "this process delivers to nobody")


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and run Schemathesis."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--executable", default=os.environ.get("HOOKPROOF_SCHEMATHESIS", ""))
    parser.add_argument("--spec", default="mobility-work", help="a document's name or path")
    parser.add_argument("--examples", type=int, default=50, help="per operation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--phases", default="", help="examples,coverage,fuzzing,stateful")
    asked = parser.parse_args(arguments)
    if not Path(asked.executable).is_file():
        parser.error("name Schemathesis with --executable or HOOKPROOF_SCHEMATHESIS")
    sys.addaudithook(_connect_to_nobody)
    return run(str(Path(asked.executable).absolute()), asked)


if __name__ == "__main__":
    sys.exit(main())
