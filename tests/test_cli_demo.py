"""`demo` shows a pass and a finding, and leaves something running to be tried."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from pathlib import Path

from support.command_line import COMMAND, environment, hookproof_command


def test_demo_ends_well_when_both_were_judged_rightly(tmp_path: Path) -> None:
    result = hookproof_command("demo", "--once", "-q", secret=None, cwd=tmp_path)
    out = result.stdout.decode()
    assert result.returncode == 0, out
    assert "1. replay-race: Twenty copies at once have one effect [MUST, fail]" in out
    assert "The correct receiver passed, and the bug was found." in out


def test_demo_leaves_a_sender_running_until_it_is_told_to_end(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "demo", "-q"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(PYTHONUNBUFFERED="1"),
        cwd=tmp_path,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = ""
        for line in process.stdout:
            found = re.fullmatch(r"  (http://127\.0\.0\.1:\d+/)\n", line)
            address = found[1] if found else address
            if "--forge replay-exact" in line:
                break
        with urllib.request.urlopen(f"{address}api/webhooks", timeout=30) as answer:
            assert [one["signed"] for one in json.load(answer)["items"]] == [True]
        process.terminate()
        _, error = process.communicate(timeout=30)
        assert (process.returncode, error) == (0, "")
    finally:
        process.kill()
        process.communicate()
