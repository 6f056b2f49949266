"""Receivers go by name, and `config` shows what holds and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookproof.cli import main
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.serving import serve
from hookproof_spec import load
from support.command_line import CANARY, hookproof_command


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_SECRET", CANARY)
    monkeypatch.delenv("HOOKPROOF_SECRET", raising=False)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[str]:
    """The URL of a receiver that the configuration calls `shop`."""
    app = create_receiver(load("mobility-work").webhook(), [CANARY], nonces=MemoryNonceStore())
    with serve(app) as server:
        url = f"{server.url}/webhook"
        (tmp_path / "hookproof.toml").write_text(
            f"""
            timeout = 3
            only = "valid-basic"
            [receivers.shop]
            url = "{url}"
            secret-env = "SHOP_SECRET"
            skip = {{valid-utf8 = "our database is Latin-1"}}
            """
        )
        yield url


def test_receiver_is_verified_by_its_name(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "shop"]) == 0
    assert f"target   {shop}" in capsys.readouterr().out


def test_name_may_stand_before_or_after_the_file(shop: str) -> None:
    assert main(["verify", "--config", "hookproof.toml", "shop"]) == 0
    assert main(["verify", "shop", "--config", "hookproof.toml"]) == 0
    assert main(["send", "shop", "-q"]) == 0
    assert shop


def test_command_line_wins_over_the_receiver(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "shop", "--secret-env", "NOT_SET"]) == 2
    assert "NOT_SET" in capsys.readouterr().err
    assert shop


def test_skipped_rule_says_the_reason_of_the_configuration(
    shop: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "shop"]) == 0
    assert "left out: our database is Latin-1" in capsys.readouterr().out
    assert main(["verify", "shop", "--skip", "valid-utf8"]) == 0
    assert "left out by --skip" in capsys.readouterr().out
    assert shop


def test_no_receiver_at_all_asks_for_one(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify"]) == 2
    assert "which receiver? name a receiver of the configuration: shop" in capsys.readouterr().err
    assert shop


def test_address_of_the_configuration_needs_no_argument(
    shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("URL", shop)
    (tmp_path / "hookproof.toml").write_text(
        'url = "${URL}"\nonly = "valid-basic"\nsecret-env = "SHOP_SECRET"'
    )
    assert main(["verify", "-q"]) == 0


def test_what_holds_is_shown_with_where_it_comes_from(
    shop: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "show", "shop", "--format", "json"]) == 0
    told = {one["key"]: (one["value"], one["from"]) for one in json.loads(capsys.readouterr().out)}
    assert told["url"] == (shop, "receivers.shop")
    assert told["timeout"] == (3, "hookproof.toml")
    assert told["examples"] == (30, "default")
    assert told["skip"] == ({"valid-utf8": "our database is Latin-1"}, "receivers.shop")
    assert told["secret"] == ("set", "environment variable SHOP_SECRET")


def test_shown_configuration_keeps_the_secret(shop: str, tmp_path: Path) -> None:
    for form in ("text", "json"):
        result = hookproof_command(
            "config", "show", "shop", "--format", form, cwd=tmp_path, env={"SHOP_SECRET": CANARY}
        )
        assert result.returncode == 0
        assert CANARY.encode() not in result.stdout + result.stderr
    assert shop


def test_configuration_that_is_not_there_is_shown_as_such(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["config", "show"]) == 0
    out = capsys.readouterr().out
    assert "file       none was found" in out
    assert "not set" in out


def test_schema_is_printed_for_editors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["receivers"]


def test_unknown_command_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "shwo"]) == 2
    assert "did you mean show?" in capsys.readouterr().err
