"""A configuration file gives defaults, says where it is wrong, and never holds a secret."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from hookproof.config import Config, find
from hookproof.config_keys import KEYS, ConfigError, Place, schema


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
        url = "http://127.0.0.1/webhook"
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
        skip = {replay-race = "one process, one thread"}
        strict = true
        ruleset = 1
        baseline = "accepted.toml"
        seed = 7
        ca-file = "ca.pem"
        insecure = false
        allow-host = "receiver.example"
        color = "never"
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
        "url": "http://127.0.0.1/webhook",
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
        "ruleset": 1,
        "baseline": str(tmp_path / "accepted.toml"),
        "seed": 7,
        "ca_file": str(tmp_path / "ca.pem"),
        "insecure": False,
        "allow_host": ["receiver.example"],
        "color": "never",
        "examples": 50,
        "timeout": 2.5,
        "rate": 10,
        "header": ["X-A: 1"],
        "report": [f"json={tmp_path / 'out/report.json'}"],
    }
    assert config.reasons == {"replay-race": "one process, one thread"}


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
            "skip = ['replay-race']",
            "skip: it must be a table from rules to reasons;"
            ' say why each is left out: skip = {replay-race = "…"}',
        ),
        ("skip = {replay-race = ' '}", "skip.replay-race: it must be the reason, as a text"),
        ("ruleset = 0", "ruleset: it must be a whole number from 1 to 1000"),
        ("receivers = 3", "receivers: it must be a table of tables"),
        ("receivers.shop = 3", "receivers.shop: it must be a table"),
        ("receivers.shop.timout = 3", "receivers.shop.timout: unknown key; did you mean timeout?"),
        (
            "receivers.'http://shop'.timeout = 3",
            "receivers.http://shop: it could be taken for a URL; take a name without / and :",
        ),
        ("receiver.shop.timeout = 3", "receiver: unknown key; did you mean receivers?"),
        (
            "[receivers.shop]\nsecret-env = 'A'\nsecret-file = 'b'",
            "receivers.shop: secret-env and secret-file exclude each other; keep one",
        ),
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


def test_receiver_has_its_own_values_over_the_common_ones(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        timeout = 3
        secret-env = "COMMON"
        skip = {load = "not here"}
        [receivers.shop]
        url = "http://127.0.0.1/shop"
        secret-file = "shop.txt"
        [receivers.billing]
        timeout = 9
        skip = {replay-race = "one process"}
        """,
    )
    shop, billing = find(path, tmp_path).receiver("shop"), find(path, tmp_path).receiver("billing")
    assert shop.values == {
        "timeout": 3,
        "skip": ["load"],
        "url": "http://127.0.0.1/shop",
        "secret-file": str(tmp_path / "shop.txt"),
    }
    assert shop.reasons == {"load": "not here"}
    assert shop.origin == {"url": "shop", "secret-file": "shop"}
    assert (billing.values["timeout"], billing.reasons) == (9, {"replay-race": "one process"})


def test_unknown_receiver_is_told_with_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path, "receivers.shop.timeout = 3")
    with pytest.raises(ConfigError, match=r"no receiver 'shpo'; did you mean shop\?"):
        find(path, tmp_path).receiver("shpo")
    with pytest.raises(ConfigError, match=r"write \[tool.hookproof.receivers.NAME\]"):
        Config({}).receiver("shop")


def test_texts_take_values_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PORT", "8123")
    path = written(
        tmp_path,
        'url = "http://127.0.0.1:${SHOP_PORT}/a$$b"\nheader = ["X-Port: ${SHOP_PORT}"]',
    )
    assert find(path, tmp_path).values == {
        "url": "http://127.0.0.1:8123/a$b",
        "header": ["X-Port: 8123"],
    }


def test_unset_variable_concerns_only_who_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_HERE", raising=False)
    path = written(tmp_path, 'receivers.a.url = "${NOT_HERE}"\nreceivers.b.timeout = 3')
    config = find(path, tmp_path)
    assert config.receiver("b").values == {"timeout": 3}
    with pytest.raises(ConfigError, match=r"receivers.a.url: .* NOT_HERE is not set; set it"):
        config.receiver("a")


def test_schema_and_reader_agree_on_what_is_right(tmp_path: Path) -> None:
    """The editor's schema accepts what the command accepts, one key at a time."""
    jsonschema.Draft202012Validator.check_schema(schema())
    validator = jsonschema.Draft202012Validator(schema())
    values: list[object] = ["either", "x", "", 3, 0, -1, 1.5, True, ["a"], [""], [1], {"a": "b"}]
    place = Place(tmp_path / "hookproof.toml", "key")
    for name, key in KEYS.items():
        for value in values:
            try:
                key.read(value, place)
                right = True
            except ConfigError:
                right = False
            for table in ({name: value}, {"receivers": {"shop": {name: value}}}):
                assert validator.is_valid(table) is right, (name, value)


def test_schema_refuses_what_the_reader_refuses_of_the_whole() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    assert not validator.is_valid({"tolerence": 3})
    assert not validator.is_valid({"secret-env": "A", "secret-file": "b"})
    assert validator.is_valid({"receivers": {"shop": {"url": "http://127.0.0.1/"}}})
