"""Header parameters of a document: sent where their value is known, and told where it is wrong."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookproof.cli.app import main
from hookproof_mockserver.sender import GENERATE
from hookproof_spec.documents import check, load
from hookproof_spec.documents.files import HOME
from hookproof_spec.documents.yaml12 import parse_yaml
from hookproof_spec.errors import DocumentError
from hookproof_spec.request import Header
from hookproof_spec.webhook import JsonValue, Webhook
from support.mock_making import mock_sender, settled
from support.mock_receiving import receiving

TEXT = (HOME / "mobility-work.yaml").read_text(encoding="utf-8")
Loaded = Callable[..., Webhook]
Object = dict[str, JsonValue]


def written(folder: Path, *parameters: JsonValue) -> Path:
    document = parse_yaml(TEXT, "")
    assert isinstance(document, dict)
    webhooks = document["webhooks"]
    assert isinstance(webhooks, dict)
    item = webhooks["sparePartOutOfStock"]
    assert isinstance(item, dict)
    operation = item["post"]
    assert isinstance(operation, dict)
    operation["parameters"] = list(parameters)
    path = folder / "document.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    return lambda *parameters: load(written(tmp_path, *parameters)).webhook()


def header(name: str, *, required: bool = True, **more: JsonValue) -> Object:
    return {"name": name, "in": "header", "required": required, **more}


@pytest.mark.parametrize(
    ("parameter", "sent"),
    [
        (header("X-Topic", schema={"const": "orders/create"}), ("X-Topic", "orders/create")),
        (header("X-Topic", required=False, schema={"const": "a"}), ("X-Topic", "a")),
        (header("X-Topic", schema={"enum": ["only"]}), ("X-Topic", "only")),
        (header("X-Version", schema={"const": 2}), ("X-Version", "2")),
        (header("X-Live", schema={"const": True}), ("X-Live", "true")),
        (header("X-Shop", schema={"type": "string"}, example="a b"), ("X-Shop", "a b")),
        (header("X-Shop", schema={}, examples={"one": {"value": "x"}}), ("X-Shop", "x")),
        (header("X-Shop", schema={"type": "string", "default": "d"}), ("X-Shop", "d")),
        (header("X-Shop", schema={"type": "string", "examples": ["e"]}), ("X-Shop", "e")),
        (header("X-List", schema={"type": "array"}, example=["a", 1]), ("X-List", "a,1")),
    ],
)
def test_a_header_of_known_value_is_part_of_every_request(
    loaded: Loaded, parameter: Object, sent: Header
) -> None:
    webhook = loaded(parameter)
    assert webhook.headers == (sent,)
    request = webhook.unsigned("http://localhost/", b"{}", (("User-Agent", "me"),))
    assert request.headers == (("Content-Type", "application/json"), sent, ("User-Agent", "me"))


@pytest.mark.parametrize(
    "parameter",
    [
        header("X-Maybe", required=False, schema={"type": "string"}, example="x"),
        header("X-Choice", schema={"enum": ["a", "b"]}, required=False),
        header("content-type", schema={"const": "text/plain"}),
        header("Authorization", schema={"const": "Basic x"}),
        header("x-mw-SIGNATURE", schema={"type": "string"}, example="t=1"),
        {"name": "X-Topic", "in": "query", "required": True, "schema": {"const": "x"}},
        header("X-Topic", content={"text/plain": {"schema": {"const": "x"}}}),
        header("X-Topic", schema={"const": None}),
    ],
)
def test_what_is_optional_or_said_elsewhere_is_not_sent(loaded: Loaded, parameter: Object) -> None:
    assert loaded(parameter).headers == ()


def test_a_required_header_without_a_value_is_a_warning(tmp_path: Path) -> None:
    path = written(tmp_path, header("X-Shop", schema={"type": "string"}))
    assert load(path).webhook().headers == ()
    [problem] = [each for each in check(path) if "X-Shop" in each.message]
    assert problem.severity.value == "warning"
    assert problem.pointer.endswith("/post/parameters/0")
    assert "not sent" in problem.message
    assert "const" in problem.hint


@pytest.mark.parametrize(
    ("parameter", "problem"),
    [
        (header("X Topic", schema={"const": "x"}), "no name of a header"),
        (header("Host", schema={"const": "x"}), "cannot be chosen"),
        (header("content-LENGTH", schema={"const": "1"}), "cannot be chosen"),
        (header("X-Topic", schema={"const": "a\r\nX-Other: b"}), "cannot hold"),
        (header("X-Topic", schema={"const": " a"}), "cannot hold"),
        (header("X-Topic", schema={"const": ""}), "cannot hold"),
        (header("X-Topic", schema={"const": "é"}), "cannot hold"),
        (header("X-Topic", schema={"const": {"a": 1}}), "cannot hold"),
        (header("X-Topic", schema={"const": ["a", None]}), "cannot hold"),
        (header("X-Topic", schema={"type": "integer"}, example="x"), "integer"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused(
    loaded: Loaded, parameter: Object, problem: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        loaded(parameter)
    assert problem in str(caught.value)
    assert "parameters/0" in str(caught.value)


def test_a_header_twice_is_sent_once(loaded: Loaded) -> None:
    webhook = loaded(
        header("X-Topic", schema={"const": "a"}), header("x-topic", schema={"const": "b"})
    )
    assert webhook.headers == (("x-topic", "b"),)


def test_a_header_that_is_given_takes_the_documents_place(loaded: Loaded) -> None:
    webhook = loaded(header("X-Topic", schema={"const": "a"}))
    given_ = (("x-topic", "b"), ("content-type", "text/json"))
    assert webhook.unsigned("http://localhost/", b"", given_).headers == given_


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=20)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=20), VALUES)
def test_no_name_and_no_value_breaks_a_request(name: str, value: bool | int | str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), header(name, schema={"const": value}))
        found = load(path)
    for webhook in found.webhooks.values():
        for key, text in webhook.headers:
            assert (key, text) == (key.strip(), text.strip())
            assert not set(key + text) & set("\r\n\0")
            assert (key + text).isascii()


def test_sign_writes_it_unless_another_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, header("X-Topic", schema={"const": "stock"}))
    monkeypatch.setenv("HOOKPROOF_SECRET", "s3cret")
    for more, topic in (((), "stock"), (("--header", "X-Topic: parts"), "parts")):
        assert main(["sign", "--spec", str(path), "--format", "json", *more]) == 0
        headers = json.loads(capsys.readouterr().out)["headers"]
        assert [value for name, value in headers if name == "X-Topic"] == [topic]


def test_the_mock_sender_sends_it(tmp_path: Path) -> None:
    document = load(written(tmp_path, header("X-Topic", schema={"const": "stock"})))
    with receiving() as receiver, mock_sender(document=document) as sender:
        sender.register(url=receiver.url, secret=GENERATE)
        sender.trigger()
        settled(sender)
    assert receiver.received[0].header("x-topic") == "stock"
