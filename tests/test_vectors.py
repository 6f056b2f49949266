"""The language-neutral vectors hold here, and are what their own schema says."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import NotRequired, TypedDict

import jsonschema_rs
import pytest

import hookproof_spec
from hookproof_spec.filters import FILTERS
from hookproof_spec.placeholders import Place
from hookproof_spec.request import Request
from hookproof_spec.scheme import SignatureScheme, Where
from hookproof_spec.scheme_reader import read_scheme
from hookproof_spec.signing import Signer, Verifier
from hookproof_spec.templates import Template

HOME = Path(hookproof_spec.__file__).parent
MAKER = Path(__file__).parent / "vectors" / "make.php"


class RequestVector(TypedDict):
    method: str
    url: str
    headers: list[tuple[str, str]]
    body_base64: str


class Signing(TypedDict):
    name: str
    secret: str
    timestamp: float
    nonce: str
    url: NotRequired[str]
    body_base64: str
    request: RequestVector


class Verifying(TypedDict):
    name: str
    request: RequestVector
    secrets: list[str]
    now: float
    accepted: bool
    reason: str | None


class VectorFile(TypedDict):
    title: str
    extension: object
    sign: list[Signing]
    verify: list[Verifying]


def read(path: Path) -> VectorFile:
    vectors: VectorFile = json.loads(path.read_text(encoding="utf-8"))
    return vectors


PATHS = sorted(p for p in (HOME / "vectors").glob("*.json") if not p.name.endswith(".schema.json"))
FILES = {path.stem: read(path) for path in PATHS}
SIGN = [(stem, v) for stem, vectors in FILES.items() for v in vectors["sign"]]
VERIFY = [(stem, v) for stem, vectors in FILES.items() for v in vectors["verify"]]


def scheme_of(stem: str) -> SignatureScheme:
    scheme, problems = read_scheme(FILES[stem]["extension"], pointer="/extension")
    assert scheme is not None, problems
    return scheme


def request_of(vector: RequestVector) -> Request:
    headers = tuple((name, value) for name, value in vector["headers"])
    body = base64.b64decode(vector["body_base64"])
    return Request(vector["method"], vector["url"], headers, body)


def label(case: tuple[str, Signing] | tuple[str, Verifying]) -> str:
    return f"{case[0]}: {case[1]['name']}"


@pytest.mark.parametrize("case", SIGN, ids=label)
def test_signing_makes_the_vectors_request(case: tuple[str, Signing]) -> None:
    scheme, vector = scheme_of(case[0]), case[1]
    expected = request_of(vector["request"])
    own = len(expected.headers) - len(scheme.headers)
    plain = Request(
        method=expected.method,
        url=vector.get("url", expected.url),
        headers=expected.headers[:own],
        body=base64.b64decode(vector["body_base64"]),
    )
    signer = Signer(scheme, vector["secret"])
    delivery = signer.sign(plain, timestamp=vector["timestamp"], nonce=vector["nonce"])
    assert delivery.request == expected
    if not scheme.inside:
        assert plain.body == expected.body


@pytest.mark.parametrize("case", VERIFY, ids=label)
def test_verifying_gives_the_vectors_verdict(case: tuple[str, Verifying]) -> None:
    vector = case[1]
    verifier = Verifier(scheme_of(case[0]), vector["secrets"])
    verdict = verifier.verify(request_of(vector["request"]), vector["now"])
    assert (verdict.accepted, verdict.reason) == (vector["accepted"], vector["reason"])


@pytest.mark.parametrize("stem", FILES)
def test_every_file_has_the_declared_form(stem: str) -> None:
    extension = json.loads((HOME / "schemas/x-webhook-signature.json").read_text(encoding="utf-8"))
    schema = json.loads((HOME / "vectors/vector.schema.json").read_text(encoding="utf-8"))
    registry = jsonschema_rs.Registry([(extension["$id"], extension)])
    validator = jsonschema_rs.Draft202012Validator(schema, registry=registry, offline=True)
    assert [error.message for error in validator.iter_errors(FILES[stem])] == []


def test_vectors_cover_each_word() -> None:
    schema = json.loads((HOME / "schemas/x-webhook-signature.json").read_text(encoding="utf-8"))
    properties = schema["properties"]
    schemes = [scheme_of(stem) for stem in FILES]
    assert {s.algorithm for s in schemes} == set(properties["algorithm"]["enum"])
    assert {s.encoding for s in schemes} == set(properties["encoding"]["enum"])
    assert {s.key.text for s in schemes} == set(properties["key"]["properties"]["text"]["enum"])
    units = {s.timestamp.unit for s in schemes if s.timestamp}
    assert units == set(properties["timestamp"]["properties"]["unit"]["enum"])
    assert "sha256" in {s.key.digest for s in schemes}
    assert {place.where for s in schemes for place in s.carried} == set(Where)
    names = {name for s in schemes for name in s.content.names}
    bases = {Template.parse(f"{{{name}}}").bases[0] for name in names}
    assert bases == {*Place.CONTENT.value, *Place.CONTENT.arguments}
    names |= {name for s in schemes for place in s.carried for name in place.template.names}
    assert {word for name in names for word in name.split("|")[1:]} == set(FILTERS)


@pytest.mark.skipif(shutil.which("php") is None, reason="PHP is not installed")
def test_php_still_makes_the_same_file() -> None:
    made = subprocess.run(["php", str(MAKER)], capture_output=True, check=True, timeout=30)
    assert made.stdout == (HOME / "vectors" / "php.json").read_bytes()
