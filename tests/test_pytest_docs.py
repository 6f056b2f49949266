"""What `docs/pytest.md` shows is what there is."""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path
from textwrap import dedent

import pytest

from hookproof import config
from hookproof.catalogue import BY_ID
from hookproof.pytest_support.contract_file import read
from support.suites import Suite, text

pytest_plugins = ["pytester"]
TEXT = (Path(__file__).parent.parent / "docs" / "pytest.md").read_text("utf-8")
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [dedent(body) for _, found, body in BLOCK.findall(TEXT) if found == language]


def block_with(word: str) -> str:
    (found,) = [body for body in blocks("python") if word in body]
    return found


def test_python_is_valid() -> None:
    for body in blocks("python"):
        compile(body, "docs/pytest.md", "exec")


def test_tables_are_read(tmp_path: Path) -> None:
    for body in blocks("toml"):
        assert tomllib.loads(body)["tool"]["hookproof"]
        (tmp_path / "pyproject.toml").write_text(body)
        assert config.find(None, tmp_path).values["tolerance"] == 300


def test_ini_values_exist(pytester: pytest.Pytester) -> None:
    known = text(Suite(pytester).run("--help"))
    for body in blocks("ini"):
        parser = configparser.ConfigParser()
        parser.read_string(body)
        assert all(f"\n  {name} (" in known for name in parser["pytest"])


def test_contract_file_is_read(tmp_path: Path) -> None:
    for body in blocks("yaml"):
        (tmp_path / "shop.hookproof.yaml").write_text(body)
        assert read(tmp_path / "shop.hookproof.yaml").common["only"] == ["core", "stale"]


def test_rules_that_are_named_exist() -> None:
    kinds = "valid|forged|stale|replay|header|payload|http|load|property|model"
    named = set(re.findall(rf"`((?:{kinds})-[a-z0-9-]+)`", TEXT))
    assert named
    assert named <= set(BY_ID)


def test_first_steps_work_as_they_are_shown(pytester: pytest.Pytester) -> None:
    suite = Suite(pytester).ini("pythonpath = .", "hookproof_examples = 3")
    conftest, contract = blocks("python")[:2]
    suite.file("conftest.py", conftest.replace("the secret of your tests", "s3cret-s3cret"))
    suite.file("test_webhook.py", contract).file(
        "my_app.py",
        "from hookproof.miniatures.base import Miniature\n"
        "app = Miniature('s3cret-s3cret')\nprocessed = app.names\n",
    )
    result = suite.run("-k", "valid-basic or replay-exact")
    assert result.parseoutcomes()["passed"] == 2


SHOP = """
from hookproof.miniatures.base import Miniature
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

class Base(DeclarativeBase):
    pass

class Event(Base):
    __tablename__ = "event"
    nonce: Mapped[str] = mapped_column(primary_key=True)

class Shop(Miniature):
    engine = None

    def claim(self, stamp, body):
        try:
            with Session(self.engine) as session, session.begin():
                session.add(Event(nonce=stamp.nonce))
        except IntegrityError:
            return False
        return True

def create_app(engine):
    shop = Shop("…")
    shop.engine = engine
    return shop
"""


def test_receiver_over_sqlalchemy_is_judged_as_shown(pytester: pytest.Pytester) -> None:
    pytest.importorskip("sqlalchemy")
    suite = Suite(pytester).ini("pythonpath = .").file("my_shop.py", SHOP)
    suite.file("conftest.py", block_with("sqlalchemy"))
    suite.file("test_webhook.py", block_with("rule.check(webhook_receiver)"))
    result = suite.run_apart("-k", "valid-basic or replay-exact or replay-race", "-W", "error")
    assert result.parseoutcomes()["passed"] == 3, text(result)


def test_strategies_work_as_they_are_shown(pytester: pytest.Pytester) -> None:
    suite = Suite(pytester)
    suite.file(
        "test_own.py",
        "import json\nfrom hypothesis import given, settings, strategies as st\n"
        "from hookproof_spec.payloads import encode, validate\n"
        "settings.register_profile('few', max_examples=10, deadline=None, database=None)\n"
        "settings.load_profile('few')\n"
        + block_with("negative_payloads")
        + "\nmy_parser = json.loads\n"
        "def my_check(value): return not validate(webhook, encode(value))\n",
    )
    suite.run_apart("-W", "error").assert_outcomes(passed=2)
