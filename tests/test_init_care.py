"""`hookproof init`: what it leaves alone, odd projects, and mistakes."""

from __future__ import annotations

import ast
import os
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hookproof.cli import main
from hookproof.starting import walking
from support.command_line import CANARY
from support.starting import (
    CONFTEST,
    FLASK,
    SETTINGS,
    TEST,
    WORKFLOW,
    files_in,
    laid,
    started,
)

ALL = ("hookproof.toml", SETTINGS, "conftest.py", CONFTEST, TEST, WORKFLOW)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The folder of a project, which is a repository."""
    folder = tmp_path / "shop"
    (folder / ".git").mkdir(parents=True)
    return folder


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the one line in which a mistake is told."""
    assert main(["init", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    return captured.err.removeprefix("hookproof: ").rstrip("\n")


@settings(max_examples=25, deadline=None)
@given(there=st.dictionaries(st.sampled_from(ALL), st.binary(max_size=20), max_size=len(ALL)))
def test_what_is_there_is_never_changed(there: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = laid(Path(name), {**there, "app.py": FLASK, ".git/HEAD": ""})
        before = files_in(folder)
        status = main(["init", name])
        after = files_in(folder)
        assert {file: after[file] for file in before} == before
        assert status == 0 or after == before
        assert main(["init", name]) == status
        assert files_in(folder) == after


def test_dry_run_writes_nothing_and_shows_all(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_in(laid(shop, {"app.py": FLASK}))
    started(shop, "--dry-run")
    shown = capsys.readouterr().out
    assert files_in(shop) == before
    started(shop)
    for name, data in files_in(shop).items():
        if name not in before:
            assert f"would write {name}:" in shown
            assert all(line in shown for line in data.decode().splitlines())


def test_fixture_joins_the_test_where_there_is_a_conftest(shop: Path) -> None:
    started(laid(shop, {"app.py": FLASK, "conftest.py": "X = 1\n"}))
    assert not (shop / CONFTEST).exists()
    text = (shop / TEST).read_text()
    assert "def webhook_receiver():" in text
    assert f'"{TEST}: fill in effects' in text
    ast.parse(text)


def test_fixture_that_is_there_is_used(shop: Path) -> None:
    own = "import pytest\n@pytest.fixture\ndef webhook_receiver(): ...\n"
    started(laid(shop, {"app.py": FLASK, CONFTEST: own}))
    assert "def webhook_receiver" not in (shop / TEST).read_text()


def test_configuration_that_holds_is_left_alone(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = '[tool.hookproof]\nsecret-env = "OUR_SECRET"\n[tool.pytest.ini_options]\n'
    laid(
        shop,
        {"pyproject.toml": table + 'testpaths = ["checks"]\n', "checks/x": "", "app.py": FLASK},
    )
    started(shop, "--spec", "svix")
    out = capsys.readouterr().out
    assert "left alone  pyproject.toml: it is there" in out
    assert "write into" in out
    assert 'spec = "svix"' in out
    assert "export OUR_SECRET=" in out
    assert "write pythonpath = . into pyproject.toml" in out
    assert (shop / "checks/test_webhook_contract.py").is_file()
    assert not (shop / "hookproof.toml").exists()
    assert not (shop / "pytest.ini").exists()


def test_secret_in_the_wrong_place_is_not_repeated(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started(laid(shop, {"hookproof.toml": f'secret-env = "{CANARY}"'}))
    assert CANARY not in capsys.readouterr().out
    assert CANARY not in (shop / WORKFLOW).read_text()


@pytest.mark.parametrize("file", ["tests", ".github", ".github/workflows"])
def test_all_is_written_or_nothing(
    file: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_in(laid(shop, {"app.py": FLASK, file: "a file, and no folder"}))
    assert "cannot be written: " in refused(capsys, str(shop))
    assert files_in(shop) == before
    assert not [
        path
        for path in shop.rglob("*")
        if path.is_dir() and not any(path.iterdir()) and path.name != ".git"
    ]


def test_link_that_leads_nowhere_is_left_alone(shop: Path, tmp_path: Path) -> None:
    (shop / "pytest.ini").symlink_to(tmp_path / "elsewhere")
    (shop / "app.py").write_text(FLASK)
    started(shop)
    assert not (tmp_path / "elsewhere").exists()


ODD: dict[str, dict[str, str | bytes]] = {
    "nothing at all": {},
    "syntax errors": {"app.py": "from flask import Flask\napp = Flask(\n"},
    "null bytes": {"app.py": b"from flask import Flask\0\n"},
    "Latin-1": {"app.py": "# -*- coding: latin-1 -*-\n# é\n".encode("latin-1") + FLASK.encode()},
    "Latin-1 undeclared": {"app.py": b"# \xe9\n" + FLASK.encode()},
    "deep expressions": {"app.py": FLASK + "x = " + "-" * 20_000 + "1\n"},
    "long chains": {"app.py": FLASK + "x = a" + ".b" * 5_000 + "()\n"},
    "deep parentheses": {"app.py": FLASK + "x = " + "(" * 5_000 + "\n"},
    "warnings": {"app.py": FLASK + 'x = "\\d"\n'},
    "broken manifests": {"package.json": "{", "pytest.ini": "x", "requirements.txt": b"\xff\xfe"},
    "odd manifests": {"package.json": "[1]", "pyproject.toml": "project = 1\n[tool]\npytest = 2\n"},
    "deep manifest": {"package.json": "[" * 100_000},
    "odd names": {"a b/c\nd/app.py": FLASK, "class/x-y.py": FLASK},
    "odd routes": {"app.py": FLASK + '@app.post("/hook\\"\\n")\ndef x(): ...\n'},
    "odd dependencies": {"pyproject.toml": "[project]\ndependencies = [1]\nname = '   '\n"},
}  # fmt: skip


@pytest.mark.parametrize("files", ODD.values(), ids=ODD)
@pytest.mark.parametrize("options", [(), ("--framework", "flask")], ids=["found", "told"])
def test_odd_project_gets_its_files(
    files: dict[str, str | bytes], options: tuple[str, ...], shop: Path
) -> None:
    started(laid(shop, files), *options)
    for name, data in files_in(shop).items():
        if name.startswith("tests/") and name.endswith(".py"):
            ast.parse(data)
    yaml.safe_load((shop / WORKFLOW).read_bytes())


def test_links_in_circles_and_pipes_are_passed_by(shop: Path) -> None:
    (shop / "inner").mkdir()
    (shop / "inner/again").symlink_to(shop)
    (shop / "self.py").symlink_to(shop / "self.py")
    os.mkfifo(shop / "pipe.py")
    os.mkfifo(shop / "package.json")
    os.mkfifo(shop / "requirements.txt")
    started(laid(shop, {"inner/app.py": FLASK}))
    assert "from inner.app import app" in (shop / CONFTEST).read_text()


@pytest.mark.parametrize(("name", "limit"), [("FILES", 3), ("ENTRIES", 6), ("MOST", 40)])
def test_huge_project_is_looked_at_in_part(
    name: str,
    limit: int,
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(walking, name, limit)
    deep = {f"a/b{number}/c.py": "# nothing\n" for number in range(20)}
    started(laid(shop, {**deep, "app.py": FLASK}))
    out = capsys.readouterr().out
    assert "Flask: app:app" in out
    assert "not all were looked at" in out


def test_folders_of_others_are_not_searched(shop: Path) -> None:
    others = ("node_modules/x", ".venv/lib", "tests", "v/lib", "docs")
    laid(shop, {f"{name}/app.py": FLASK for name in others} | {"v/pyvenv.cfg": ""})
    started(laid(shop, {"own.py": FLASK}))
    assert "from own import app" in (shop / CONFTEST).read_text()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--app", "nonsense"], "--app: 'nonsense' names nothing; write package.module:name"),
        (["--app", "a.class:app"], "names nothing"),
        (["--app", "a:b;c"], "names nothing"),
        (["--app", "shop:app"], "which framework shop:app is of; say so: --framework"),
        (["--framework", "flusk"], "--framework: "),
        (["--url", "127.0.0.1:80"], "did you mean http://127.0.0.1:80?"),
        (["--url", "http://h/", "--path", "/x"], "--url: it excludes --path"),
        (["--url", "http://h/", "--framework", "flask"], "not one of --framework flask"),
        (["--framework", "url", "--app", "a:b"], "--app: it excludes --framework url"),
        (["--path", "webhook"], "did you mean /webhook?"),
        (["--path", '/x"\n'], "percent-encode them"),
        (["--path", "/x/{y}"], "percent-encode them"),
        (["--spec", "mobility"], "mobility-work"),
        (["--webhook", "nope"], "nope"),
        (["--ci", "jenkins"], "--ci: "),
        (["--dry-rn"], "did you mean --dry-run?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistake_is_told_and_writes_nothing(
    options: list[str], expected: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert expected in refused(capsys, str(shop), *options)
    assert files_in(shop) == {}


def test_several_applications_are_for_the_user_to_choose_from(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    laid(shop, {"one.py": FLASK, "two.py": FLASK})
    told = refused(capsys, str(shop))
    assert "several applications: one:app, two:app; choose one with --app" in told
    started(shop, "--app", "two:app")
    assert "from two import app" in (shop / CONFTEST).read_text()


def test_folder_has_to_be_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "does not exist" in refused(capsys, str(tmp_path / "nowhere"))


def test_broken_configuration_is_told_with_its_place(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    laid(shop, {"pyproject.toml": "[tool.hookproof\n"})
    assert "pyproject.toml: it is not TOML" in refused(capsys, str(shop))


@pytest.mark.parametrize("framework", ["wsgi", "asgi", "flask", "django", "aiohttp"])
def test_application_that_is_named_need_not_be_found(framework: str, shop: Path) -> None:
    started(shop, "--framework", framework, "--app", "shop.main:make()", "--path", "/in?x=1")
    text = (shop / CONFTEST).read_text()
    assert "from shop.main import make" in text
    assert "make()" in text
    assert "/in?x=1" in text
