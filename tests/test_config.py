"""A configuration file gives defaults, says where it is wrong, and never holds a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from hookproof.config import KEYS, ConfigError, find


def written(directory: Path, text: str, name: str = "hookproof.toml") -> Path:
    path = directory / name
    path.write_text(text)
    return path


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        find(path, path.parent)
    return str(caught.value).removeprefix(f"{path}: ")


def test_every_key_is_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        spec = "mobility-work"
        webhook = "sparePartOutOfStock"
        secret-env = "MY_SECRET"
        unsigned = false
        other-secret-env = "OTHER_SECRET"
        effects-url = "http://127.0.0.1/effects"
        effect-timeout = 1.5
        also-url = "http://127.0.0.2/webhook"
        restart-command = "make restart"
        tolerance = 300
        replay = "rejects"
        forged = "ignores"
        only = ["core", "stale"]
        skip = "replay-race"
        strict = true
        examples = 50
        timeout = 2.5
        rate = 10
        header = ["X-A: 1"]
        report = ["json=out/report.json"]
        """,
    )
    config = find(path, tmp_path)
    assert set(config.values) == set(KEYS) - {"secret-file"}
    assert config.defaults() == {
        "spec": "mobility-work",
        "webhook": "sparePartOutOfStock",
        "secret_env": "MY_SECRET",
        "unsigned": False,
        "other_secret_env": "OTHER_SECRET",
        "effects_url": "http://127.0.0.1/effects",
        "effect_timeout": 1.5,
        "also_url": "http://127.0.0.2/webhook",
        "restart_command": "make restart",
        "tolerance": 300,
        "replay": "rejects",
        "forged": "ignores",
        "only": ["core", "stale"],
        "skip": ["replay-race"],
        "strict": True,
        "examples": 50,
        "timeout": 2.5,
        "rate": 10,
        "header": ["X-A: 1"],
        "report": [f"json={tmp_path / 'out/report.json'}"],
    }


def test_paths_are_read_from_where_the_file_lies(tmp_path: Path) -> None:
    path = written(tmp_path, 'spec = "docs/hook.yaml"\nsecret-file = "secret.txt"')
    values = find(path, Path("/")).values
    assert values == {
        "spec": str(tmp_path / "docs/hook.yaml"),
        "secret-file": str(tmp_path / "secret.txt"),
    }


def test_absolute_paths_stay(tmp_path: Path) -> None:
    path = written(tmp_path, 'secret-file = "/run/secrets/hook"')
    assert find(path, tmp_path).values == {"secret-file": "/run/secrets/hook"}


def test_nearest_file_above_is_found(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    written(tmp_path, '[tool.hookproof]\nreplay = "rejects"', "pyproject.toml")
    assert find(None, below).values == {"replay": "rejects"}
    written(below.parent, 'replay = "ignores"')
    assert find(None, below).values == {"replay": "ignores"}


def test_pyproject_without_our_table_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    written(tmp_path, "strict = true")
    written(tmp_path / "a", "[tool.other]\nx = 1", "pyproject.toml")
    assert find(None, tmp_path / "a").values == {"strict": True}


def test_own_file_outranks_the_project_file_beside_it(tmp_path: Path) -> None:
    written(tmp_path, "[tool.hookproof]\nstrict = false", "pyproject.toml")
    written(tmp_path, "strict = true")
    assert find(None, tmp_path).values == {"strict": True}


def test_no_file_at_all_is_no_mistake(tmp_path: Path) -> None:
    assert find(None, tmp_path).values == {}


@pytest.mark.parametrize("name", ["secret", "Secret"])
def test_secret_in_a_file_is_refused_and_not_repeated(tmp_path: Path, name: str) -> None:
    told = refused(written(tmp_path, f'{name} = "canary"'))
    assert told.startswith(f"{name}: ")
    assert "canary" not in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tolerence = 3", "tolerence: unknown key; did you mean tolerance?"),
        ("effects_url = 'x'", "effects_url: unknown key; did you mean effects-url?"),
        (
            "replay = 'reject'",
            "replay: unknown value 'reject'; did you mean rejects?",
        ),
        ("replay = 1", "replay: unknown value 1; allowed: rejects, ignores, either"),
        ("tolerance = '3'", "tolerance: it must be a number above 0"),
        ("tolerance = 0", "tolerance: it must be a number above 0"),
        ("rate = true", "rate: it must be a number above 0"),
        ("timeout = inf", "timeout: it must be a number above 0"),
        ("timeout = nan", "timeout: it must be a number above 0"),
        ("strict = 'yes'", "strict: it must be true or false"),
        ("only = [1]", "only: it must be a text or a list of texts"),
        ("spec = ''", "spec: it must be a text"),
        (
            "secret-env = 'A'\nsecret-file = 'b'",
            "secret-env and secret-file exclude each other; keep one",
        ),
    ],
)
def test_mistake_is_told_at_its_place(tmp_path: Path, text: str, told: str) -> None:
    assert refused(written(tmp_path, text)) == told


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    assert "it is not TOML: " in refused(written(tmp_path, "spec = "))
    assert "at line 2" in refused(written(tmp_path, "strict = true\nspec = =\n"))


def test_other_bytes_than_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "hookproof.toml"
    path.write_bytes(b"\xff")
    assert refused(path) == "it is not UTF-8"


def test_named_file_must_exist(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.toml") == "cannot be read: no such file or directory"


def test_named_project_file_must_have_our_table(tmp_path: Path) -> None:
    path = written(tmp_path, "[tool.other]", "pyproject.toml")
    assert refused(path) == "it has no [tool.hookproof]; add the table, or name another"


def test_our_entry_must_be_a_table(tmp_path: Path) -> None:
    path = written(tmp_path, "[tool]\nhookproof = 1", "pyproject.toml")
    assert refused(path) == "tool.hookproof: it must be a table"
