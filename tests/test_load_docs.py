"""docs/load.md runs: its commands, and its scripts for other load generators."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from hookproof.cli.load import load as command
from hookproof.load.plan import BESIDE, NAMES, PREFIX
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.serving import serve
from hookproof_spec import load
from hookproof_spec.request import Request
from hookproof_spec.signing import Verifier
from support.command_line import environment, hookproof_command
from support.loaded import SECRET, receiver
from test_documentation import blocks_of, shown_in, steps

ROOT = Path(__file__).parent.parent
PATH = ROOT / "docs" / "load.md"
PAGE = list(blocks_of(PATH))
HERE = "http://127.0.0.1:8000"
K6 = {
    "k6/encoding": "export default {b64decode: (text) => Buffer.from(text, 'base64')};",
    "k6/execution": "export default {scenario: {iterationInTest: 0}};",
    "k6/http": "export default {request: (method, url, body, more) => { console.log(JSON.stringify("
    "{method, url, body: body.toString('base64'), ...more})); return {status: 200}; }};",
    "k6": "export const check = (answer, checks) => { if (!checks.accepted(answer)) throw 1; };",
    "k6/data": "export class SharedArray { constructor(_, make) { return make(); } }",
}
"""Of k6, as much as the script on the page uses."""


def only(language: str) -> str:
    (text,) = (block.text for block in PAGE if block.language == language)
    return text


def variables() -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return environment(HOOKPROOF_SECRET=SECRET, PATH=path)


def run(words: list[str], folder: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        words,
        cwd=folder,
        env=variables(),
        input=stdin,
        capture_output=True,
        timeout=60,
        check=True,
    )


@pytest.fixture
def signed() -> list[Request]:
    """Requests as `hookproof sign` prints them."""
    done = hookproof_command("sign", "--format", "json", "--count", "3", secret=SECRET)
    return [request(json.loads(line)) for line in done.stdout.splitlines()]


def request(told: Mapping[str, Any]) -> Request:
    headers = tuple((name, value) for name, value in told["headers"])
    return Request(told["method"], told["url"], headers, base64.b64decode(told["body_base64"]))


def as_lines(requests: list[Request]) -> bytes:
    told = [
        {
            "method": one.method,
            "url": one.url,
            "headers": one.headers,
            "body_base64": base64.b64encode(one.body).decode(),
        }
        for one in requests
    ]
    return "".join(json.dumps(one) + "\n" for one in told).encode()


@pytest.fixture(scope="module")
def listening() -> Iterator[str]:
    with receiver() as there:
        yield there.url.removesuffix("/webhook")


@pytest.mark.parametrize("block", [b for b in PAGE if b.language == "console"], ids=str)
def test_commands_print_what_the_page_shows(block: object, listening: str, tmp_path: Path) -> None:
    for line, output in steps(block):  # type: ignore[arg-type]
        done = run(["bash", "-c", line.replace(HERE, listening)], tmp_path)
        printed = done.stdout.decode().replace(listening, HERE)
        assert shown_in(output, printed), printed


def test_script_makes_targets_for_vegeta(signed: list[Request], tmp_path: Path) -> None:
    (tmp_path / "targets.py").write_text(only("python"))
    done = run([sys.executable, "-W", "error", "targets.py"], tmp_path, as_lines(signed))
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [
        Request(
            one["method"],
            one["url"],
            tuple((name, value) for name, values in one["header"].items() for value in values),
            base64.b64decode(one["body"]),
        )
        for one in told
    ] == signed


@pytest.mark.skipif(which("node") is None, reason="node is not installed")
def test_script_for_k6_sends_what_was_signed(signed: list[Request], tmp_path: Path) -> None:
    """Node runs the script; of k6 itself there are stand-ins, so its own behaviour is not tried."""
    for name, text in K6.items():
        folder = tmp_path / "node_modules" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.js").write_text(text)
        (folder / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules" / "k6" / "package.json").write_text(
        json.dumps(
            {
                "type": "module",
                "exports": {
                    "." + name.removeprefix("k6"): f".{name.removeprefix('k6')}/index.js"
                    for name in K6
                },
            }
        )
    )
    (tmp_path / "script.mjs").write_text(
        "import { readFileSync } from 'node:fs';\n"
        "globalThis.open = (path) => readFileSync(path, 'utf-8');\n"
        "const script = await import('./k6.mjs');\n"
        "script.default();\n"
    )
    (tmp_path / "k6.mjs").write_text(only("javascript"))
    (tmp_path / "requests.jsonl").write_bytes(as_lines(signed))
    told = json.loads(run(["node", "script.mjs"], tmp_path).stdout)
    sent = Request(
        told["method"], told["url"], tuple(told["headers"].items()), base64.b64decode(told["body"])
    )
    assert sent == signed[0]
    assert told["redirects"] == 0
    scheme = load("mobility-work").webhook().scheme
    assert Verifier(scheme, [SECRET]).verify(sent, time.time()).accepted


@pytest.mark.skipif(which("wrk") is None, reason="wrk is not installed")
def test_script_for_wrk_sends_each_request_once(tmp_path: Path) -> None:
    arrived: list[str | None] = []
    app = create_receiver(
        load("mobility-work").webhook(),
        [SECRET],
        nonces=MemoryNonceStore(),
        on_verdict=lambda _, verdict: arrived.append(verdict.reason and verdict.reason.value),
    )
    with serve(app) as server:
        signing = ("sign", "--url", f"{server.url}/webhook", "--format", "http", "--count", "100")
        done = hookproof_command(*signing, secret=SECRET)
        (tmp_path / "requests.http").write_bytes(done.stdout)
        (tmp_path / "requests.lua").write_text(only("lua"))
        run(["wrk", "-t1", "-c4", "-d3s", "-s", "requests.lua", server.url], tmp_path)
    accepted = arrived.count(None)
    assert 90 <= accepted <= 100
    assert len(arrived) - accepted <= 4, arrived  # as many as were under way at the end
    assert set(arrived) <= {None, "replayed"}


def test_every_option_and_variable_on_the_page_exists() -> None:
    text = PATH.read_text()
    options = {name for param in command.params for name in param.opts}
    for line in re.findall(r"hookproof load [^`]*?(?:\n|`)(?:  .*\n)*", text):
        for option in re.findall(r" (--[a-z-]+)", line.partition(" --headless")[0]):
            assert option in options, line
    told = re.search(r"begin with `HOOKPROOF_LOAD_`(.*?)\n\n", text, re.DOTALL)
    assert told is not None
    named = set(re.findall(r"`([A-Z_]+)`", told[1])) | {"URL", "EFFECTS_URL"}
    assert named == {*NAMES, *BESIDE} - {"PIPE"}
    assert f"export {PREFIX}URL=" in text


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    assert {block.language for block in PAGE} == {"console", "sh", "python", "javascript", "lua"}


def test_links_of_the_page_lead_to_files() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", PATH.read_text()):
        assert (PATH.parent / target).exists(), target
