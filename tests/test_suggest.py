"""`hookproof spec suggest`: a proposal for a document that does not have the extension yet."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookproof.cli import main
from hookproof_spec import load, names
from hookproof_spec.documents import check
from hookproof_spec.documents.files import parse_file
from hookproof_spec.errors import DocumentError
from hookproof_spec.guessing import PLACES, from_sample
from hookproof_spec.scheme_reader import read_scheme
from hookproof_spec.suggest import Suggestion, known_schemes, suggest

OPERATION = """
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: {'200': {description: Received.}}
"""
HEX40, HEX64 = "752c14ea195c460bac3c3b7896975ee9fd15eeb7", "0b218e31" * 8


def document(tmp_path: Path, operation: str, components: str = "") -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(
        "openapi: 3.1.0\ninfo: {title: Shop, version: '1'}\nwebhooks:\n  paid:\n    post:\n"
        f"{operation}{OPERATION}{components}",
        "utf-8",
    )
    return path


def parameter(name: str, more: str = "") -> str:
    return f"      parameters: [{{name: {name}, in: header, schema: {{type: string}}{more}}}]"


def scheme(header: str, description: str) -> str:
    return (
        "components:\n  securitySchemes:\n    shop:\n"
        f"      {{type: apiKey, in: header, name: {header}, description: '{description}'}}\n"
    )


def only(path: Path) -> Suggestion:
    (suggestion,) = suggest(path)
    return suggestion


def test_every_shipped_scheme_is_recognised_by_its_header(tmp_path: Path) -> None:
    for known in known_schemes():
        suggestion = only(document(tmp_path, parameter(known.header.lower())))
        others = [one for one in known_schemes() if one.header.lower() == known.header.lower()]
        assert suggestion.extension in [one.extension for one in others]
        inside = suggestion.extension["carry"].keys() != {"header"}  # type: ignore[union-attr]
        assert suggestion.open == ((PLACES,) if inside else ())


def test_known_schemes_are_those_of_the_shipped_documents() -> None:
    in_no_header = {"mailgun"}
    assert {known.document for known in known_schemes()} == set(names()) - in_no_header


@pytest.mark.parametrize("title", sorted({known.title for known in known_schemes()}))
def test_scheme_of_another_sender_fits_another_header(title: str, tmp_path: Path) -> None:
    words = scheme("Shop-Signature", f"As {title} does.")
    extension = only(document(tmp_path, "      security: [{shop: []}]", words)).extension
    assert read_scheme(extension, pointer="")[0] is not None


def test_description_that_names_a_known_sender_is_enough(tmp_path: Path) -> None:
    path = document(
        tmp_path, "      security: [{shop: []}]", scheme("Shop-Signature", "Signed as Stripe does.")
    )
    suggestion = only(path)
    carry = {"header": {"Shop-Signature": "t={timestamp},{signatures}"}}
    assert suggestion.extension["carry"] == carry
    assert "Stripe" in suggestion.reason
    assert suggestion.missing == ()


def test_example_of_a_header_is_taken_apart(tmp_path: Path) -> None:
    sample = f"t=1660338149,nonce={HEX40},signature={HEX64}"
    suggestion = only(document(tmp_path, parameter("Shop-Sign", f", example: '{sample}'")))
    assert suggestion.reason == "made from its example"
    shipped = load("mobility-work").webhook().scheme
    made, problems = read_scheme(suggestion.extension, pointer="")
    assert not problems
    assert made is not None
    assert made.content == shipped.content
    assert made.nonce is not None
    assert made.nonce.pattern == "[0-9a-f]{40}"


def test_a_header_without_a_word_is_said_to_be_guessed(tmp_path: Path) -> None:
    suggestion = only(document(tmp_path, parameter("Shop-Signature")))
    assert suggestion.reason == "made from the header's name alone: everything is a guess"
    assert suggestion.open


def test_words_of_a_description_are_read(tmp_path: Path) -> None:
    words = scheme("Shop-Signature", "HMAC of the body with SHA-512, written in base64.")
    extension = only(document(tmp_path, "      security: [{shop: []}]", words)).extension
    assert (extension["algorithm"], extension["encoding"]) == ("hmac-sha512", "base64")


@pytest.mark.parametrize(
    ("sample", "template", "algorithm"),
    [
        (f"sha256={HEX64}", "sha256={signature}", "hmac-sha256"),
        (HEX40, "{signature}", "hmac-sha1"),
        (f"ts=1660338149;h1={HEX64}", "ts={timestamp};h1={signature}", "hmac-sha256"),
        (f"t=1660338149123, v1={HEX64}", "t={timestamp},v1={signature}", "hmac-sha256"),
        ("n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=", "{signature}", "hmac-sha256"),
    ],
)
def test_samples_of_other_senders_are_read(sample: str, template: str, algorithm: str) -> None:
    guess = from_sample("Shop-Signature", sample)
    assert guess is not None
    assert guess.extension["carry"] == {"header": {"Shop-Signature": template}}
    assert guess.extension["algorithm"] == algorithm


@given(st.text(max_size=120))
def test_any_sample_gives_a_sound_extension_or_none(sample: str) -> None:
    guess = from_sample("Shop-Signature", sample)
    assert guess is None or read_scheme(guess.extension, pointer="")[0] is not None


def test_proposal_can_be_pasted_as_it_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = document(tmp_path, parameter("X-Hub-Signature-256"))
    assert main(["spec", "suggest", str(path)]) == 0
    printed = capsys.readouterr().out
    assert f"# {path}#/webhooks/paid/post/parameters/0\n" in printed
    security = re.search(r"^#   (security: .*)$", printed, re.MULTILINE)
    assert security is not None
    operation = f"      {security[1]}\n{parameter('X-Hub-Signature-256')}"
    document(tmp_path, operation, printed)
    assert main(["spec", "check", str(path)]) == 0
    assert "usable: paid: hmac-sha256" in capsys.readouterr().out


def test_check_says_what_is_usable_and_what_would_help(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = document(tmp_path, parameter("Stripe-Signature"))
    assert main(["spec", "check", str(path)]) == 1
    printed = capsys.readouterr().out
    assert f"{path}: error: #/webhooks/paid/post: no signature is declared" in printed
    assert f"{path}: unusable: paid" in printed
    assert f"`hookproof spec suggest {path}`" in printed


def test_nothing_to_go_by_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = document(tmp_path, parameter("X-Request-Id"))
    assert main(["spec", "suggest", str(path)]) == 1
    printed = capsys.readouterr().out
    assert f"{path}#/webhooks/paid/post: it describes no header that may carry" in printed
    assert main(["spec", "check", str(path)]) == 1
    assert "spec suggest" not in capsys.readouterr().out


def test_finished_document_needs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spec", "suggest", "github"]) == 0
    assert "every webhook declares its signature" in capsys.readouterr().out


def test_mistake_in_an_extension_is_no_missing_extension(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "github.yaml"
    shipped = Path(load("github").path).read_text("utf-8")
    path.write_text(shipped.replace("hmac-sha256", "hmac-sha265"), "utf-8")
    assert main(["spec", "suggest", str(path)]) == 0
    assert "every webhook declares its signature" in capsys.readouterr().out


def test_files_of_other_kinds_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "old.json").write_text('{"openapi": "3.0.3"}')
    assert main(["spec", "suggest", str(tmp_path / "old.json")]) == 2
    assert "OpenAPI 3.0.3, which has no webhooks" in capsys.readouterr().err


MANY = """
openapi: 3.2.0
info: {title: Shop, version: '1'}
webhooks:
  paid:
    $ref: parts/paid.yaml
  shipped:
    post:
      security: [{second: []}]
      parameters: [{$ref: 'parts/headers.json#/sent'}]
      requestBody: {content: {application/json: {schema: {$ref: 'parts/headers.json#/body'}}}}
      responses: {'200': {description: Received.}}
components:
  securitySchemes:
    first: {type: apiKey, in: header, name: X-Hub-Signature-256}
    second: {type: apiKey, in: header, name: Stripe-Signature}
"""
PAID = """
post:
  security: [{first: []}]
  requestBody: {content: {application/json: {schema: {type: object}}}}
  responses: {'200': {description: Received.}}
"""
PARTS = {
    "sent": {"name": "X-Sent", "in": "header", "schema": {"type": "string"}},
    "body": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
}


@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_several_webhooks_schemes_and_files(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "paid.yaml").write_text(PAID)
    (tmp_path / "parts" / "headers.json").write_text(json.dumps(PARTS))
    path = tmp_path / f"shop.{kind}"
    value = yaml.safe_load(MANY)
    path.write_text(MANY if kind == "yaml" else json.dumps(value))
    suggestions = suggest(path)
    assert [one.scheme for one in suggestions] == ["first", "second"]
    assert all(one.missing == () for one in suggestions)
    for one in suggestions:
        declared = value["components"]["securitySchemes"][one.scheme]
        declared["x-webhook-signature"] = one.extension
    path.write_text(yaml.safe_dump(value) if kind == "yaml" else json.dumps(value))
    assert main(["spec", "check", str(path)]) == 0, capsys.readouterr().out
    assert set(load(path).webhooks) == {"paid", "shipped"}


@pytest.mark.parametrize("name", names())
def test_shipped_document_reads_the_same_as_json(name: str, tmp_path: Path) -> None:
    shipped = load(name)
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(parse_file(Path(shipped.path))))
    read = load(path)
    assert {key: one.scheme for key, one in read.webhooks.items()} == {
        key: one.scheme for key, one in shipped.webhooks.items()
    }


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("$ref"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=4,
)


@st.composite
def mutated(draw: st.DrawFn) -> object:
    """Return a document in which one place holds something else."""
    value = yaml.safe_load(MANY)
    value["webhooks"]["paid"] = yaml.safe_load(PAID)
    holder: object = value
    while True:
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))  # type: ignore[arg-type]
        if not keys:
            return value
        key = draw(st.sampled_from(list(keys)))
        inner = holder[key]  # type: ignore[index]
        if not isinstance(inner, dict | list) or draw(st.integers(0, 3)) == 0:
            holder[key] = draw(VALUES)  # type: ignore[index]
            return value
        holder = inner


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=mutated())
def test_broken_document_gives_problems_and_no_traceback(value: object, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(value))
    with contextlib.suppress(DocumentError):
        suggest(path)
    with contextlib.suppress(DocumentError):
        check(path)
