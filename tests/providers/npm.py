"""The packages of npm: one Node process asks them, request by request."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from hookproof_spec.request import Request
from providers.verdicts import headers, more

HERE = Path(__file__).parent
WAIT = 60.0
"""Seconds after which a Node process that does not answer is ended."""


class Node:
    """A running `verify.mjs`; one question at a time."""

    def __init__(self) -> None:
        node = shutil.which("node") or pytest.skip("node is not installed")
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [node, str(HERE / "verify.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, question: Mapping[str, object]) -> dict[str, str]:
        """Return the answer to a question; see `verify.mjs`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        guard = threading.Timer(WAIT, self._process.kill)
        with self._lock:
            guard.start()
            try:
                self._process.stdin.write(json.dumps(question) + "\n")
                answer: dict[str, str] = json.loads(self._process.stdout.readline())
            finally:
                guard.cancel()
        return answer


@dataclass(frozen=True, kw_only=True)
class NpmSdk:
    """A package of npm."""

    document: str
    package: str
    webhook: None = None

    def __str__(self) -> str:
        return f"npm:{self.package}"

    @property
    def version(self) -> str:
        """The installed version."""
        manifest = HERE / "node_modules" / self.package / "package.json"
        return str(json.loads(manifest.read_text("utf-8"))["version"])

    def require(self) -> None:
        """Skip the test where the package is not installed."""
        if not (HERE / "node_modules" / self.package).is_dir():
            pytest.skip(f"{self.package} is not installed: npm install in tests/providers")

    def verdict(self, node: Node, request: Request, secret: str) -> str:
        """Return `accepted`, `refused`, or the name of what the package raised undocumented."""
        answer = node.ask(
            {
                "sdk": self.package,
                "now": time.time(),
                "secret": secret,
                "headers": headers(request),
                "body": base64.b64encode(request.body).decode(),
            }
        )
        return answer["verdict"] if "verdict" in answer else answer["raised"]


NPM = (
    NpmSdk(document="github", package="@octokit/webhooks-methods"),
    NpmSdk(document="slack", package="@slack/bolt"),
    NpmSdk(document="shopify", package="@shopify/shopify-api"),
    NpmSdk(document="paddle", package="@paddle/paddle-node-sdk"),
    NpmSdk(document="line", package="@line/bot-sdk"),
    NpmSdk(document="discord", package="discord-interactions"),
    NpmSdk(document="zoom", package="@zoom/rivet"),
    NpmSdk(document="linear", package="@linear/sdk"),
    NpmSdk(document="sendgrid", package="@sendgrid/eventwebhook"),
    NpmSdk(document=more("mux"), package="@mux/mux-node"),
    NpmSdk(document=more("sanity"), package="@sanity/webhook"),
    NpmSdk(document=more("liveblocks"), package="@liveblocks/node"),
    NpmSdk(document=more("kontent-ai"), package="@kontent-ai/webhook-helper"),
    NpmSdk(document=more("webflow"), package="webflow-api"),
    NpmSdk(document=more("fintoc"), package="fintoc"),
    NpmSdk(document=more("onfido"), package="@onfido/api"),
)
