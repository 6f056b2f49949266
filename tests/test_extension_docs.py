"""`docs/x-webhook-signature.md` is true: its tables and snippets are executed, row by row."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import hookproof_spec
from hookproof_spec.content import content_writer
from hookproof_spec.documents import check, load
from hookproof_spec.documents.offering import FACTS
from hookproof_spec.errors import Problem, SecretError, Severity
from hookproof_spec.filters import FILTERS
from hookproof_spec.key_rule import KeyDigest, UnicodeForm
from hookproof_spec.notation import Encoding, KeyText, TimeUnit
from hookproof_spec.placeholders import Place
from hookproof_spec.request import Request
from hookproof_spec.scheme import Algorithm, OnRetry, SignatureScheme, Where
from hookproof_spec.scheme_reader import Uncovered, read_scheme
from hookproof_spec.signing import Signer, Verifier
from hookproof_spec.templates import Template, base_of
from hookproof_spec.webhook import JsonValue
from support.command_line import environment
from support.vocabulary import CURVE_KEY, EDWARDS_KEY, pem, rsa_key

HOME = Path(hookproof_spec.__file__).parent
PAGE = Path(__file__).parent.parent / "docs" / "x-webhook-signature.md"
TEXT = PAGE.read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCHEMA = json.loads((HOME / "schemas/x-webhook-signature.json").read_text("utf-8"))
NOW = 1_773_480_413
Row = tuple[str, ...]


def blocks(language: str) -> list[str]:
    return [body for found, body in BLOCK.findall(TEXT) if found == language]


def tables(title: str) -> Iterator[list[Row]]:
    """Yield the rows of every table whose first column has this title."""
    for table in re.findall(r"(?:^\|.*\n)+", TEXT, re.MULTILINE):
        head, _, *rows = [cells(line) for line in table.splitlines()]
        if head[0] == title:
            yield rows


def cells(line: str) -> Row:
    parts = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
    return tuple(part.strip().replace(r"\|", "|") for part in parts)


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]*)`", cell)


def code(cell: str) -> str:
    (found,) = codes(cell)
    return str(found)


DOCUMENT, SAMPLE = blocks("yaml")[0], yaml.safe_load(blocks("yaml")[2])
FIRST: dict[str, JsonValue] = yaml.safe_load(DOCUMENT)["components"]["securitySchemes"][
    "Acme-Signature"
]["x-webhook-signature"]
EXAMPLES: list[dict[str, JsonValue]] = [FIRST, *yaml.safe_load_all(blocks("yaml")[1])]
(WORDS,) = (rows for rows in tables("word") if len(rows[0]) == 4)
FILTERED, REFUSED, DOUBTFUL = tables("written")
PLACEHOLDERS, FORM_PLACEHOLDERS = tables("placeholder")


def read(extension: object) -> tuple[SignatureScheme | None, tuple[Problem, ...]]:
    return read_scheme(extension, pointer="")


def scheme_of(extension: object) -> SignatureScheme:
    scheme, problems = read(extension)
    assert scheme is not None, problems
    return scheme


# --- the document, and the declarations of providers ---------------------------------------------


def test_document_of_the_page_has_no_problems(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(DOCUMENT, "utf-8")
    assert check(path) == ()
    webhook = load(path).webhook()
    assert webhook.unsigned_allowed
    assert webhook.marker == "/part/name"
    assert (webhook.plans, webhook.other_plans) == (("Team",), ("Free",))
    assert webhook.stock == {"/part/name": "part.name", "/at": "movement.time"}
    assert len(webhook.assumptions) == 1


def test_operations_words_are_those_of_the_page(tmp_path: Path) -> None:
    (operation,) = (rows for rows in tables("word") if len(rows[0]) == 3)
    path = tmp_path / "acme.yaml"
    path.write_text(DOCUMENT.replace("x-webhook-marker:", "x-webhook-marke:"), "utf-8")
    (problem,) = load(path).warnings
    known = re.findall(r"x-webhook-\w+", problem.hint.partition("allowed: ")[2])
    assert sorted(code(row[0]) for row in operation) == sorted(known)
    (facts,) = re.findall(r"The facts are (.*?);", TEXT, re.DOTALL)
    assert tuple(codes(facts)) == FACTS


PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Ed25519PrivateKey


def private_key(algorithm: Algorithm) -> PrivateKey:
    if algorithm is Algorithm.ED25519:
        return EDWARDS_KEY
    return CURVE_KEY if algorithm is Algorithm.ECDSA_P256_SHA256 else rsa_key()


def secret_for(scheme: SignatureScheme) -> str:
    shared = scheme.key.without + "00ff" * 8
    own = shared if scheme.algorithm.is_shared else pem(private_key(scheme.algorithm))
    named = f"name:{own}" if scheme.has_key_id else own
    return f"{named}:{own}" if scheme.has_second_key else named


@pytest.mark.parametrize("extension", EXAMPLES, ids=lambda example: example["content"])
def test_declarations_sign_what_they_accept(extension: dict[str, JsonValue]) -> None:
    scheme = scheme_of(extension)
    assert [
        e.message for e in jsonschema_rs.Draft202012Validator(SCHEMA).iter_errors(extension)
    ] == []
    is_form = any(place.where is Where.FIELD for place in scheme.carried)
    bare = Request("POST", "https://a.example/?data.id=1", (), b"a=1" if is_form else b'{"a":1}')
    signer = Signer(scheme, secret_for(scheme))
    signed = signer.signed(bare, timestamp=NOW, nonce=nonce_of(extension))
    verifier = Verifier(scheme, secret_for(scheme))
    assert verifier.verify(signed, NOW).accepted
    assert not verifier.verify(signed.with_url("https://b.example/").with_body(b"{}"), NOW).accepted


def nonce_of(extension: Mapping[str, JsonValue]) -> str:
    pattern = dict(extension.get("nonce") or {}).get("pattern")  # type: ignore[arg-type]
    samples = ("4fb2c01d9e77", "ab" * 25, "msg_" + "a" * 27, "00000000-0000-0000-0000-000000000000")
    return next(text for text in samples if re.fullmatch(str(pattern or ".*"), text))


def test_declarations_use_every_word() -> None:
    assert {path for extension in EXAMPLES for path in paths_of(extension)} == set(schema_paths())


def paths_of(extension: Mapping[str, JsonValue]) -> Iterator[str]:
    for word, value in extension.items():
        if isinstance(value, dict):
            yield from (f"{word}.{inner}" for inner in value)
        else:
            yield word


def schema_paths() -> dict[str, dict[str, object]]:
    """Return every word of the schema, `key.text` for a word in a word, with what it may be."""
    found: dict[str, dict[str, object]] = {}
    for word, about in SCHEMA["properties"].items():
        inner = about.get("properties")
        found |= {f"{word}.{name}": of for name, of in inner.items()} if inner else {word: about}
    return found


# --- the page names all there is ------------------------------------------------------------------


def test_table_of_words_is_that_of_the_schema() -> None:
    known = schema_paths()
    assert [code(row[0]) for row in WORDS] == list(known)
    for word, values, default, _ in WORDS:
        about = known[code(word)]
        assert codes(default) == ([about["default"]] if about.get("default") else [])
        if "enum" in about:
            assert codes(values) == about["enum"]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("algorithm", Algorithm),
        ("encoding", Encoding),
        ("key.text", KeyText),
        ("key.digest", KeyDigest),
        ("key.normalize", UnicodeForm),
        ("timestamp.unit", TimeUnit),
        ("nonce.on-retry", OnRetry),
        ("uncovered", Uncovered),
    ],
)
def test_words_have_the_values_that_the_code_knows(word: str, kind: type[StrEnum]) -> None:
    (values,) = (row[1] for row in WORDS if code(row[0]) == word)
    assert codes(values) == [value.value for value in kind]


def test_every_algorithm_has_its_keys() -> None:
    (rows,) = tables("algorithm")
    told = [name for row in rows for name in codes(row[0])]
    hmacs = {algorithm.value for algorithm in Algorithm if algorithm.is_keyed}
    assert told[0] == "hmac-…"
    assert hmacs | set(told[1:]) == {algorithm.value for algorithm in Algorithm}


def test_every_placeholder_has_its_row() -> None:
    names = [code(row[0]).strip("{}") for row in (*PLACEHOLDERS, *FORM_PLACEHOLDERS)]
    plain = {name for name in names if ":" not in name}
    assert plain == set(Place.CONTENT.value)
    assert {base_of(name) for name in names if ":" in name} == set(Place.CONTENT.arguments)
    (travels,) = re.findall(
        r"^Under `carry` stand (.*?) and digests", TEXT, re.DOTALL | re.MULTILINE
    )
    expected = {f"{{{name}}}" for name in Place.CARRY.value} | {"{timestamp:+N}"}
    assert set(codes(travels)) == expected


def test_every_reason_is_told_in_order() -> None:
    vectors = json.loads((HOME / "vectors/vector.schema.json").read_text("utf-8"))
    known = vectors["$defs"]["verifying"]["properties"]["reason"]["enum"]
    (steps,) = tables("step")
    assert [None, *(row[1] for row in steps)] == known


def test_versions_are_those_of_the_schema() -> None:
    assert f"`{SCHEMA['$id']}`" in TEXT
    assert TEXT.startswith(f"# `x-webhook-signature`, version {SCHEMA['$id'].rpartition(':')[2]}\n")


# --- tables, row by row ---------------------------------------------------------------------------


def content(template: str, request: Request) -> bytes:
    facts = (b"%d" % NOW, b"4fb2c01d9e77", request.body, request, b"s3cret", b"key-one")
    return content_writer(Template.parse(template), TimeUnit.SECONDS)(facts)


@pytest.mark.parametrize("row", PLACEHOLDERS, ids=lambda row: row[0])
def test_placeholders_are_what_the_table_shows(row: Row) -> None:
    headers = tuple((name, value) for name, value in SAMPLE["headers"])
    request = Request(SAMPLE["method"], SAMPLE["url"], headers, SAMPLE["body"].encode())
    expected = "" if row[1] == "(nothing)" else code(row[1])
    assert content(code(row[0]), request).decode() == expected


@pytest.mark.parametrize("row", FORM_PLACEHOLDERS, ids=lambda row: row[0])
def test_forms_are_read_as_the_table_shows(row: Row) -> None:
    (form,) = re.findall(r"Of the form\n`(.*)`", TEXT)
    request = Request("POST", "https://a.example/", (), form.encode())
    assert content(code(row[0]), request).decode() == code(row[1])


def test_filters_make_what_the_table_shows() -> None:
    request = Request("POST", "https://a.example/", (), b"abc")
    used = set()
    for written, result, *_ in FILTERED:
        used |= set(code(written).strip("{}").split("|")[1:])
        start, more, _ = code(result).partition("…")
        made = content(code(written), request).decode()
        assert made.startswith(start) if more else made == start
    assert used == set(FILTERS)


@pytest.mark.parametrize("row", next(tables("header")), ids=lambda row: row[0])
def test_headers_get_the_verdict_of_the_table(row: Row) -> None:
    scheme = scheme_of(
        {
            "algorithm": "hmac-sha256",
            "content": "{timestamp}.{body}",
            "carry": {"header": {"A": "t={timestamp},{signatures}"}},
            "repeat": {"item": "v1={signature}", "separator": ","},
        }
    )
    delivery = Signer(scheme, "k").sign(
        Request("POST", "https://a.example/", (), b"{}"), timestamp=NOW, nonce=""
    )
    received = delivery.request.with_header("A", code(row[0]).replace("S", delivery.signatures[0]))
    assert (Verifier(scheme, "k").verify(received, NOW).reason or "accepted") == row[1]


def test_times_are_written_as_the_table_shows() -> None:
    (rows,) = tables("unit")
    assert [code(row[0]) for row in rows] == [unit.value for unit in TimeUnit]
    for unit, written, _ in rows:
        assert TimeUnit(code(unit)).write(NOW + 0.25) == code(written)
        assert int(TimeUnit(code(unit)).read(code(written)) or 0) == NOW


@pytest.mark.parametrize("row", next(tables("`key`")), ids=" ".join)
def test_secrets_become_the_keys_of_the_table(row: Row) -> None:
    rule = scheme_of(
        {
            "algorithm": "hmac-sha256",
            "key": yaml.safe_load(code(row[0])),
            "content": "{body}",
            "carry": {"header": {"A": "{signature}"}},
        }
    ).key
    if row[2] == "refused":
        with pytest.raises(SecretError):
            rule.key(code(row[1]))
    else:
        assert rule.key(code(row[1])).hex() == code(row[2])


@pytest.mark.parametrize("algorithm", [a for a in Algorithm if not a.is_shared])
@pytest.mark.parametrize("text", ["hex", "base64"])
def test_public_keys_are_taken_in_every_form(algorithm: Algorithm, text: str) -> None:
    key = private_key(algorithm)
    public = key.public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    der = public.public_bytes(serialization.Encoding.DER, spki)
    forms = [
        pem(key),
        public.public_bytes(serialization.Encoding.PEM, spki).decode(),
        base64.b64encode(der).decode(),
    ]
    if algorithm is Algorithm.ED25519:
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        forms.append(raw.hex() if text == "hex" else base64.b64encode(raw).decode())
    scheme = scheme_of(
        {
            "algorithm": algorithm.value,
            "key": {"text": text},
            "content": "{body}",
            "carry": {"header": {"A": "{signature}"}},
        }
    )
    request = Request("POST", "https://a.example/", (), b"{}")
    signed = Signer(scheme, pem(key)).signed(request, timestamp=NOW, nonce="")
    for form in forms:
        assert Verifier(scheme, form).verify(signed, NOW).accepted


def test_the_first_reason_that_applies_is_told() -> None:
    """A request in which everything is wrong is mended step by step."""
    scheme = scheme_of(
        FIRST | {"carry": {"header": {"S": "{signature}", "T": "{timestamp}", "N": "{nonce}"}}}
    )
    signer = Signer(scheme, "s3cret")
    bare = Request("POST", "https://a.example/", (), b"{}")
    good = signer.signed(bare, timestamp=NOW, nonce="4fb2c01d9e77")
    wrong = good.with_header("S", "00").with_header("N", "X").without_header("T")
    verify = Verifier(scheme, "s3cret").verify
    told = [verify(wrong, NOW + 301).reason]
    wrong = wrong.with_header("T", "soon")
    told.append(verify(wrong, NOW + 301).reason)
    wrong = wrong.with_header("T", str(NOW))
    told.append(verify(wrong, NOW + 301).reason)
    wrong = wrong.with_header("N", "4fb2c01d9e77")
    told.append(verify(wrong, NOW + 301).reason)
    told += [verify(good, NOW + late).reason for late in (301, -61)]
    (steps,) = tables("step")
    assert told == [row[1] for row in steps]
    assert all(verify(good, NOW + late).accepted for late in (300, -60))


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row[0])
def test_errors_are_told_as_the_table_says(row: Row) -> None:
    scheme, problems = read(FIRST | yaml.safe_load(code(row[0])))
    assert scheme is None
    errors = [problem.message for problem in problems if problem.severity is Severity.ERROR]
    assert any(row[1] in message for message in errors), errors


@pytest.mark.parametrize("row", DOUBTFUL, ids=lambda row: row[0])
def test_warnings_are_told_as_the_table_says(row: Row) -> None:
    scheme, problems = read(FIRST | yaml.safe_load(code(row[0])))
    assert scheme is not None
    assert any(row[1] in problem.message for problem in problems), problems


# --- snippets -------------------------------------------------------------------------------------


def run(*command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        command,
        env=environment(PATH=path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("snippet", blocks("python"))
def test_code_of_the_page_runs(snippet: str) -> None:
    done = run(sys.executable, "-W", "error", "-c", snippet)
    assert done.returncode == 0, done.stderr
    if "requests are signed alike" in snippet:
        assert int(done.stdout.split()[0]) >= 10


def test_commands_print_what_the_page_shows() -> None:
    (block,) = blocks("console")
    command, _, output = block.removeprefix("$ ").partition("\n")
    done = run("bash", "-c", command)
    assert done.returncode == 0, done.stderr
    pieces = [re.escape(piece) for piece in output.strip().split("…")]
    assert re.search(r"[\s\S]*?".join(pieces), done.stdout), done.stdout


def test_every_block_is_executed() -> None:
    kinds = [language for language, _ in BLOCK.findall(TEXT)]
    assert sorted(kinds) == ["console", "python", "python", "yaml", "yaml", "yaml"]


def test_links_lead_to_files_and_headings() -> None:
    headings = {line.lstrip("# ").lower() for line in TEXT.splitlines() if line.startswith("#")}
    for target in re.findall(r"\]\(([^):]+)\)", TEXT):
        assert target[1:] in headings if target[0] == "#" else (PAGE.parent / target).exists()
