"""Which files are written for a receiver, which are left alone, and what remains to be done."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from hookproof.cli.options import DEFAULT_SPEC
from hookproof.config import OWN_FILE
from hookproof.starting.choosing import Choice
from hookproof.starting.frameworks import Kind
from hookproof.starting.manifests import PytestSettings
from hookproof.starting.modules import module_text
from hookproof.starting.pipelines import (
    GITHUB_FILE,
    Pipeline,
    below_repository,
    job,
    packages,
    pipeline_of,
)
from hookproof.starting.rendering import quoted, rendered
from hookproof.starting.survey import Survey
from hookproof.starting.walking import read_text

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_FIXTURE = re.compile(r"^\s*(?:async\s+)?def\s+webhook_receiver\b", re.MULTILINE)


@final
@dataclass(frozen=True, slots=True)
class File:
    """A file by its path below the project: its text, or why it is left alone."""

    path: str
    text: str | None = None
    reason: str = ""


@final
@dataclass(frozen=True, slots=True)
class Plan:
    """Files, a job to be pasted into a pipeline (None: there is nothing to paste), and steps."""

    files: tuple[File, ...]
    pasted: str | None
    steps: tuple[str, ...]


def plan(found: Survey, choice: Choice, pipeline: Pipeline | None) -> Plan:
    """Return what to do for a receiver."""
    folder = _tests_folder(found)
    contract, *others = _tests(found, choice, folder)
    runner = pipeline or pipeline_of(found)
    written = runner is Pipeline.GITHUB and not below_repository(found.folder)
    text = "" if runner is Pipeline.NONE else job(runner, found, choice, contract.path)
    workflow = [_new(found, GITHUB_FILE, text)] if written else []
    files = (_configuration(found, choice), contract, *others, *workflow)
    pasted = text if text and not written else None
    return Plan(files, pasted, tuple(_steps(found, choice, files)))


def _new(found: Survey, path: str, text: str) -> File:
    return File(path, reason="it is there") if found.holds(path) else File(path, text)


def _configuration(found: Survey, choice: Choice) -> File:
    held = found.config.path
    if held is not None:
        here = held.parent == found.folder.resolve()
        reason = "it is there" if here else "it holds for this folder, too"
        return File(held.name if here else str(held), reason=reason)
    values = {
        "spec": choice.spec or DEFAULT_SPEC,
        "webhook": choice.webhook,
        "secret": choice.secret,
    }
    return _new(found, OWN_FILE, rendered("hookproof.toml", values))


def _tests(found: Survey, choice: Choice, folder: str) -> Iterator[File]:
    """Yield the file with the contract, and what it needs beside it."""
    if choice.kind is Kind.URL:
        yield _by_url(found, choice, folder)
        return
    contract = f"{folder}/test_webhook_contract.py"
    conftests = [name for name in ("conftest.py", f"{folder}/conftest.py") if found.holds(name)]
    known = [name for name in conftests if _FIXTURE.search(read_text(found.folder / name))]
    here = bool(conftests) and not known
    test = _new(found, contract, module_text(choice, contract, fixture=here, contract=True))
    yield test
    if known:
        yield File(known[0], reason="it has the fixture webhook_receiver")
    elif conftests:
        place = f", so that the fixture is in {contract}" if test.text is not None else ""
        yield File(conftests[0], reason=f"it is there{place}")
    else:
        path = f"{folder}/conftest.py"
        yield File(path, module_text(choice, path, fixture=True, contract=False))
    yield _pytest_settings(found, choice)


def _by_url(found: Survey, choice: Choice, folder: str) -> File:
    there = sorted((found.folder / folder).glob("*.hookproof.yaml"))
    if there and there[0].name.isprintable():
        return File(f"{folder}/{there[0].name}", reason="it is a contract already")
    values = {
        "url": choice.address,
        "is_url_known": choice.url is not None,
        "allowed": None if choice.is_local else choice.host,
        "effects_url": choice.effects_address,
    }
    path = f"{folder}/{found.manifests.name}.hookproof.yaml"
    return _new(found, path, rendered("contract.yaml", values))


def _pytest_settings(found: Survey, choice: Choice) -> File:
    """Let pytest find the application, where nothing says yet how pytest is to run."""
    settings = found.manifests.pytest()
    if settings is not None:
        return File(settings.file, reason="pytest is configured there")
    values = {
        "settings": found.settings if choice.kind is Kind.DJANGO else None,
        "root": shlex.quote(_root(choice)),
    }
    return _new(found, "pytest.ini", rendered("pytest.ini", values))


def _root(choice: Choice) -> str:
    return choice.application.module.root if choice.application is not None else "."


def _tests_folder(found: Survey) -> str:
    settings = found.manifests.pytest()
    told = settings.testpaths if settings is not None else ()
    for path in (path.rstrip("/") for path in told):
        if _PLAIN.fullmatch(path) and (found.folder / path).is_dir():
            return path
    return "test" if found.holds("test") and not found.holds("tests") else "tests"


def _steps(found: Survey, choice: Choice, files: tuple[File, ...]) -> Iterator[str]:
    yield f"pip install {packages(choice.kind)}, where your tests run"
    marked = [file.path for file in files if file.text is not None and "FILL IN" in file.text]
    if marked:
        yield f"fill in what says FILL IN: {', '.join(marked)}"
    yield from _configuration_steps(found, choice)
    yield from _settings_steps(found, choice)
    if choice.kind is Kind.DJANGO:
        yield "let the test database be a file or a server: the race is run by threads"
    yield f"export {choice.secret}=…: the secret that your receiver has in tests, not the real one"
    if choice.kind is Kind.URL and choice.is_local:
        yield f"start your receiver at {choice.address}"
    yield f"pytest {files[1].path}"


def _configuration_steps(found: Survey, choice: Choice) -> Iterator[str]:
    """Say what was asked for and stands in no file, as there is a configuration already."""
    asked = {"spec": choice.spec, "webhook": choice.webhook}
    lines = [f"{key} = {quoted(value)}" for key, value in asked.items() if value is not None]
    if found.config.path is not None and lines:
        yield f"write into {found.config.path}: {', '.join(lines)}"


def _settings_steps(found: Survey, choice: Choice) -> Iterator[str]:
    settings = found.manifests.pytest()
    if choice.kind is Kind.URL or settings is None:
        return
    root = _root(choice)
    if choice.application is not None and not _finds(settings, root, found):
        module = choice.application.module.name
        yield f"if pytest does not find {module}: write pythonpath = {root} into {settings.file}"
    if choice.kind is Kind.DJANGO and not settings.django:
        yield f"write DJANGO_SETTINGS_MODULE = {found.settings or '…'} into {settings.file}"


def _finds(settings: PytestSettings, root: str, found: Survey) -> bool:
    """Tell whether pytest has a folder on the path for imports, by what it is told or by itself."""
    paths = {path.rstrip("/") for path in settings.pythonpath}
    packages = ("conftest.py", f"{_tests_folder(found)}/__init__.py")
    return root in paths or (root == "." and any(map(found.holds, packages)))
