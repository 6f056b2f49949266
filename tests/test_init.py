"""`hookproof init`: what it finds in a project, and what it writes for it."""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hookproof import config
from hookproof.pytest_support.contract_file import read
from support.command_line import CANARY
from support.starting import (
    CONFTEST,
    FACTORY,
    FLASK,
    POST,
    SETTINGS,
    TEST,
    WORKFLOW,
    files_in,
    laid,
    started,
    steps_of,
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The folder of a project, which is a repository."""
    folder = tmp_path / "shop"
    (folder / ".git").mkdir(parents=True)
    return folder


HOOKS = """
from fastapi import APIRouter
router = APIRouter(prefix="/hooks")
@router.post("/new")
async def new(): ...
"""
STARLETTE = """
from starlette.applications import Starlette as Site
from starlette.routing import Route
app = Site(routes=[Route("/hook", take, methods=["POST"]), Route("/", show)])
"""
FASTAPI = "import fastapi\nsite: object = fastapi.FastAPI()\n"
QUART = "import quart\napp = quart.Quart('x')\n"
AIOHTTP = "from aiohttp import web\nasync def make():\n    return web.Application()\n"
URLS = "from django.urls import path\nurlpatterns = [path('hook/', x), path('', y)]\n"
POETRY = "[tool.poetry.dependencies]\ndjango = '^5'\n"
FOUND: list[tuple[dict[str, str], str, str]] = [
    ({"app.py": FLASK + POST}, "Flask: app:app (app.py:2)", 'path="/hooks/stock",  # app.py:3'),
    ({"src/shop/__init__.py": FACTORY.format("db=1")}, "Flask: shop:create_app", "=create_app()"),
    ({"app.py": FACTORY.format("key, *, db")}, "app:create_app", "create_app(key=…, db=…)"),
    (
        {"app.py": FACTORY.format("secret")},
        "app:create_app",
        'create_app(secret=os.environ.get("HOOKPROOF_SECRET", ""))',
    ),
    ({"app.py": FACTORY.format("") + "site = create_app()\n"}, "app:site", "app=site"),
    ({"requirements.txt": "Flask==3.1\n"}, "Flask\n", "from my_shop import app"),
    ({"requirements.txt": "fastapi[all]\nstarlette\n"}, "FastAPI\n", "FILL IN where it takes"),
    (
        {"shop/hooks.py": HOOKS, "shop/main.py": FASTAPI},
        "FastAPI: shop.main:site",
        'path="/hooks/new",  # shop/hooks.py:4, without what its router puts before it',
    ),
    ({"app.py": STARLETTE}, "Starlette: app:app", 'path="/hook"'),
    ({"main.py": QUART}, "an ASGI application: main:app", "app=app"),
    ({"requirements.txt": "aiohttp"}, "aiohttp\n", "return web.Application()"),
    (
        {"app.py": AIOHTTP},
        "aiohttp: app:make (app.py:2)",
        "return app_loop.run_until_complete(make())",
    ),
    (
        {"app.py": FACTORY.format("secret").replace("def", "async def")},
        "app:create_app",
        'asyncio.run(create_app(secret=os.environ.get("HOOKPROOF_SECRET", "")))',
    ),
    ({"app.py": FLASK + POST.replace("stock'", "<int:id>'")}, "app:app", "FILL IN where it takes"),
    ({"manage.py": ""}, "Django\n", "app=get_wsgi_application()"),
    ({"pyproject.toml": POETRY, "shop/urls.py": URLS}, "Django\n", 'path="/hook/"'),
]


@pytest.mark.parametrize(("files", "found", "written"), FOUND)
def test_application_is_found_without_running_it(
    files: dict[str, str], found: str, written: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started(laid(shop, files))
    assert found in capsys.readouterr().out
    conftest = (shop / CONFTEST).read_text()
    assert written in conftest
    ast.parse(conftest)


@pytest.mark.parametrize(
    ("file", "neighbour", "module", "root"),
    [
        ("src/shop/app.py", "src/shop/__init__.py", "shop.app", "src"),
        ("shop/app.py", "shop/__init__.py", "shop.app", "."),
        ("shop/app.py", "shop/models.py", "shop.app", "."),
        ("back-end/app.py", "back-end/models.py", "app", "back-end"),
        ("backend/shop/app.py", "backend/shop/__init__.py", "shop.app", "backend"),
        ("backend/app.py", "backend/near.py", "app", "backend"),
    ],
)
def test_pytest_is_told_where_the_module_lies(
    file: str, neighbour: str, module: str, root: str, shop: Path
) -> None:
    imports = "import near\n" if "near" in neighbour else ""
    started(laid(shop, {file: imports + FLASK, neighbour: ""}))
    assert f"from {module} import app" in (shop / CONFTEST).read_text()
    parser = configparser.ConfigParser()
    parser.read(shop / SETTINGS)
    assert parser["pytest"]["pythonpath"] == root


def test_django_settings_are_those_of_manage_py(shop: Path) -> None:
    manage = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"
    started(laid(shop, {"manage.py": manage}))
    assert "DJANGO_SETTINGS_MODULE = shop.settings" in (shop / SETTINGS).read_text()
    assert "django_db(transaction=True)" in (shop / TEST).read_text()


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("app.py", "SECRET = os.environ['SHOP_HOOK_SECRET']"),
        ("app.js", "const secret = process.env.SHOP_HOOK_SECRET || '';"),
        ("main.go", 'secret := os.Getenv("SHOP_HOOK_SECRET")'),
        ("hook.rb", "secret = ENV.fetch('SHOP_HOOK_SECRET')"),
    ],
)
def test_secret_is_named_as_the_sources_name_it(file: str, line: str, shop: Path) -> None:
    started(laid(shop, {file: line}))
    assert config.find(None, shop).values["secret-env"] == "SHOP_HOOK_SECRET"
    assert "SHOP_HOOK_SECRET: ${{ secrets.SHOP_HOOK_SECRET }}" in (shop / WORKFLOW).read_text()


def test_path_of_a_router_is_not_taken_for_the_whole(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started(laid(shop, {"shop/hooks.py": HOOKS, "shop/main.py": FASTAPI}))
    line = "/hooks/new (shop/hooks.py:4), without what its router puts before it"
    assert f"path        {line}\n" in capsys.readouterr().out


def test_application_that_has_the_webhook_is_meant(shop: Path) -> None:
    started(laid(shop, {"one.py": FLASK, "two.py": FLASK + POST}))
    assert "from two import app" in (shop / CONFTEST).read_text()


def test_framework_may_be_named_by_its_interface(shop: Path) -> None:
    started(laid(shop, {"one.py": FLASK, "two.py": FASTAPI}), "--framework", "wsgi")
    assert "from one import app" in (shop / CONFTEST).read_text()


def test_nothing_of_the_project_is_run(shop: Path) -> None:
    trap = "import pathlib\npathlib.Path(__file__).with_suffix('.run').touch()\n"
    started(laid(shop, {"trap.py": trap + FLASK, "conftest.py": trap, "setup.py": trap}))
    assert not list(shop.rglob("*.run"))
    assert "trap" not in sys.modules


def test_receiver_by_url_has_a_contract_file(shop: Path) -> None:
    started(
        laid(shop, {"package.json": '{"name": "@acme/Shop!"}'}), "--url", "http://127.0.0.1:3000/in"
    )
    made = read(shop / "tests/acme-shop.hookproof.yaml")
    assert made.own == {"url": "http://127.0.0.1:3000/in"}
    assert made.common == {"effects-url": "http://127.0.0.1:3000/effects"}
    assert not (shop / SETTINGS).exists()


def test_host_that_is_named_is_allowed(shop: Path) -> None:
    started(shop, "--url", "https://shop.example.org/in?a=b")
    made = read(shop / "tests/shop.hookproof.yaml")
    assert made.own["allow-host"] == "shop.example.org"
    assert not any("curl" in step for step in steps_of(shop))


def test_document_that_is_named_is_configured(shop: Path) -> None:
    started(shop, "--spec", "svix")
    assert config.find(None, shop).values["spec"] == "svix"


def test_path_of_a_document_is_read_from_the_project(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Path(__file__).parent.parent / "spec/hookproof_spec/documents/mobility-work.yaml"
    (tmp_path / "own.yaml").write_bytes(source.read_bytes())
    monkeypatch.chdir(tmp_path)
    started(shop, "--spec", "own.yaml", "--webhook", "sparePartOutOfStock")
    values = config.find(None, shop).values
    assert Path(str(values["spec"])).resolve() == tmp_path / "own.yaml"
    assert values["webhook"] == "sparePartOutOfStock"


PIP = "python -m pip install"
JAVASCRIPT = {"package.json": '{"scripts": {"start": "node ."}}', "package-lock.json": ""}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"app.py": FLASK, "requirements.txt": ""}, f"{PIP} -r requirements.txt"),
        ({"app.py": FLASK, "pyproject.toml": "[build-system]\n"}, f"{PIP} --editable ."),
        ({"manage.py": ""}, f"{PIP} hookproof pytest pytest-django"),
        (JAVASCRIPT, "npm start &"),
    ],
)
def test_workflow_runs_commands_that_exist(
    files: dict[str, str], expected: str, shop: Path
) -> None:
    started(laid(shop, files))
    steps = steps_of(shop)
    assert expected in steps
    for step in steps:
        subprocess.run(["bash", "-n", "-c", step], check=True)
        words = step.split()
        assert words[0] in {"python", "npm", "curl", "echo"}
        assert words[:1] != ["python"] or words[1:3] in (["-m", "pip"], ["-m", "pytest"])
    assert (shop / steps[-1].removeprefix("python -m pytest ")).is_file()


def test_unknown_start_fails_the_job(shop: Path) -> None:
    started(shop)
    (start,) = [step for step in steps_of(shop) if step.startswith("echo")]
    assert subprocess.run(["bash", "-c", start], check=False, capture_output=True).returncode == 1


@pytest.mark.parametrize(
    ("file", "expected"),
    [(".gitlab-ci.yml", "webhook-contract:"), ("Jenkinsfile", "python -m pytest tests/")],
)
def test_other_pipelines_are_shown_what_to_run(
    file: str, expected: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started(laid(shop, {file: "", "app.py": FLASK}))
    out = capsys.readouterr().out
    assert expected in out
    assert (shop / file).read_bytes() == b""
    assert not (shop / ".github").exists()


def test_job_of_gitlab_can_be_read(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started(laid(shop, {"app.py": FLASK}), "--ci", "gitlab")
    shown = capsys.readouterr().out.partition("is changed:\n")[2].partition("\nnext")[0]
    job = yaml.safe_load(shown)["webhook-contract"]
    assert job["script"][-1] == f"python -m pytest {TEST}"


def test_job_of_a_folder_below_the_repository_is_shown(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started(laid(shop, {"parts/one/app.py": FLASK}) / "parts/one")
    assert 'working-directory: "parts/one"' in capsys.readouterr().out
    assert not list(shop.rglob("hookproof.yml"))


def test_no_pipeline_is_touched_where_none_is_wanted(shop: Path) -> None:
    started(shop, "--ci", "none")
    assert not (shop / ".github").exists()


def test_no_secret_is_written_or_shown(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = f"import os\nSECRET = os.environ.get('WEBHOOK_SECRET', '{CANARY}')\n"
    files = {"app.py": own + FLASK, ".env": f"WEBHOOK_SECRET={CANARY}"}
    before = files_in(laid(shop, files))
    started(shop)
    new = {name: data for name, data in files_in(shop).items() if name not in before}
    assert new
    assert not any(CANARY.encode() in data for data in new.values())
    assert CANARY not in capsys.readouterr().out
