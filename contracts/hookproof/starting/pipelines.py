"""The job that runs the contract where a project's other checks run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import final

from hookproof.starting.choosing import Choice
from hookproof.starting.frameworks import Kind
from hookproof.starting.rendering import rendered
from hookproof.starting.survey import Survey


class Pipeline(StrEnum):
    """Who runs the job. Only a file of the first is written, where it is not there yet."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"
    OTHER = "other"


GITHUB_FILE = ".github/workflows/hookproof.yml"
_OTHERS = (
    "Jenkinsfile",
    ".circleci",
    ".travis.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    ".drone.yml",
    ".woodpecker.yml",
    ".woodpecker",
    ".forgejo",
    ".gitea",
    ".buildkite",
)


@final
@dataclass(frozen=True, slots=True)
class Step:
    """A command of the job, and what is said above it."""

    line: str
    remark: str = ""


def pipeline_of(found: Survey) -> Pipeline:
    """Return who runs a project's checks, GitHub where nothing tells."""
    if found.holds(".github"):
        return Pipeline.GITHUB
    if found.holds(".gitlab-ci.yml"):
        return Pipeline.GITLAB
    return Pipeline.OTHER if any(map(found.holds, _OTHERS)) else Pipeline.GITHUB


def below_repository(folder: Path) -> str:
    """Return where a folder lies in the repository that holds it; "" where it is its top."""
    here = folder.resolve()
    for parent in (here, *here.parents):
        if (parent / ".git").exists():
            return "" if parent == here else here.relative_to(parent).as_posix()
    return ""


def job(pipeline: Pipeline, found: Survey, choice: Choice, tests: str) -> str:
    """Return the text of the job that runs the tests of a file."""
    steps = tuple(_steps(found, choice, tests))
    if pipeline is Pipeline.OTHER:
        return "".join(f"{step.line}\n" for step in steps)
    values = {
        "commands": [{"line": step.line, "remark": step.remark} for step in steps],
        "secret": choice.secret,
        "below": below_repository(found.folder),
    }
    return rendered(f"{pipeline}.yml", values)


def packages(kind: Kind) -> str:
    """Return what the tests need beside the project."""
    return "hookproof pytest pytest-django" if kind is Kind.DJANGO else "hookproof pytest"


def _steps(found: Survey, choice: Choice, tests: str) -> Iterator[Step]:
    installs = list(found.manifests.pip_installs())
    if choice.kind is Kind.URL:
        yield from map(Step, found.manifests.npm_installs())
    yield from map(Step, installs)
    install = f"python -m pip install {packages(choice.kind)}"
    missing = choice.kind is not Kind.URL and not installs
    yield Step(install, "FILL IN what installs the project itself." if missing else "")
    if choice.kind is Kind.URL:
        yield from _starting(found, choice)
    yield Step(f"python -m pytest {tests}")


def _starting(found: Survey, choice: Choice) -> Iterator[Step]:
    if choice.url is not None and not choice.is_local:
        return
    if (start := found.manifests.start) is not None:
        yield Step(f"{start} &")
    else:
        yield Step(
            "echo 'say in this job how the receiver is started' && exit 1",
            "FILL IN what starts the receiver, with an & behind it.",
        )
    wait = "curl --silent --output /dev/null --retry 30 --retry-delay 1 --retry-connrefused"
    yield Step(f"{wait} {shlex.quote(choice.address)}")
