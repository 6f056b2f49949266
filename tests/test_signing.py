"""The laws of signing and verifying, for any scheme and any bytes."""

from __future__ import annotations

import base64
import hmac

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hookproof_spec.errors import SecretError
from hookproof_spec.request import Header, Request
from hookproof_spec.scheme import Algorithm, SignatureScheme
from hookproof_spec.scheme_reader import read_scheme
from hookproof_spec.signing import CLOCK_SKEW, Reason, Signer, Verifier, keyed_hash, sign, verify
from hookproof_spec.webhook import JsonValue

SECRET = "canary-secret-4711"
NOW = 1_660_338_149.0
NONCE = "752c14ea195c460bac3c3b7896975ee9fd15eeb7"
TOLERANCE = 3600
NONCES = st.text("0123456789abcdef", min_size=40, max_size=40)


def scheme_of(**words: JsonValue) -> SignatureScheme:
    extension: dict[str, JsonValue] = {"algorithm": "hmac-sha256", "content": "{body}"}
    extension |= {"carry": {"header": {"X-Signature": "{signature}"}}}
    scheme, problems = read_scheme(extension | words, pointer="")
    assert scheme is not None, problems
    return scheme


MW = scheme_of(
    content="{timestamp}.{nonce}.{body}",
    carry={"header": {"X-MW-Signature": "t={timestamp},nonce={nonce},signature={signature}"}},
    timestamp={"tolerance": TOLERANCE},
    nonce={"pattern": "[0-9a-f]{40}"},
)
ROTATING = scheme_of(
    content="{timestamp}.{body}",
    carry={"header": {"X": "t={timestamp},{signatures}"}},
    repeat={"item": "v1={signature}", "separator": ","},
    timestamp={"tolerance": TOLERANCE},
)
THREE = scheme_of(
    content="{nonce}.{timestamp}.{body}",
    encoding="base64",
    carry={"header": {"id": "{nonce}", "time": "{timestamp}", "sig": "v1,{signature}"}},
    timestamp={"unit": "iso8601", "tolerance": TOLERANCE},
    nonce={},
)
DATED = scheme_of(
    algorithm="hmac-sha1",
    encoding="base64url",
    content="{timestamp}{body}",
    carry={"header": {"Date": "{timestamp}", "Authorization": "HMAC {signature}"}},
    timestamp={"unit": "http-date", "tolerance": TOLERANCE},
)
BODY_ONLY = scheme_of(algorithm="hmac-sha512")
SCHEMES = st.sampled_from([MW, ROTATING, THREE, DATED, BODY_ONLY])


def request(body: bytes = b"{}", *headers: Header) -> Request:
    return Request(
        "POST", "http://127.0.0.1/hook", (("Content-Type", "text/plain"), *headers), body
    )


def genuine(scheme: SignatureScheme = MW, body: bytes = b"{}") -> Request:
    return sign(scheme, request(body), SECRET, timestamp=NOW, nonce=NONCE)


@settings(deadline=None)
@given(SCHEMES, st.binary(), NONCES, st.floats(0, TOLERANCE - 1))
def test_what_is_signed_is_accepted(
    scheme: SignatureScheme, body: bytes, nonce: str, age: float
) -> None:
    signed = sign(scheme, request(body), SECRET, timestamp=NOW - age, nonce=nonce)
    verdict = verify(scheme, signed, [SECRET], NOW)
    assert verdict.accepted, verdict
    assert verdict.nonce == (nonce if scheme.nonce else None)


@settings(deadline=None)
@given(SCHEMES, st.binary(min_size=1), st.data())
def test_one_changed_byte_is_refused(
    scheme: SignatureScheme, body: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != body[place]))
    changed = body[:place] + bytes([other]) + body[place + 1 :]
    forged = genuine(scheme, body).with_body(changed)
    assert verify(scheme, forged, [SECRET], NOW).reason is Reason.WRONG_SIGNATURE


@settings(deadline=None)
@given(SCHEMES, st.text(min_size=1, max_size=20).filter(lambda text: text != SECRET))
def test_another_secret_is_refused(scheme: SignatureScheme, secret: str) -> None:
    try:
        verdict = verify(scheme, genuine(scheme), [secret], NOW)
    except SecretError:
        return
    assert verdict.reason is Reason.WRONG_SIGNATURE


NAMES = ["X-MW-Signature", "x-mw-signature", "X", "id", "time", "sig", "Date", "Authorization"]
HOSTILE = st.text() | st.sampled_from(
    [
        "t=1660338149,nonce=,signature=",
        "t=²,nonce=a,signature=a",
        "t=99999999999999999999,nonce=a,signature=a",
        "9999-12-31T23:59:59+00:00",
        "0001-01-01T00:00:00+23:59",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Fri, 32 Dec 9999 99:99:99 +9999",
        "v1,\ud800",
        "HMAC é",
        "t=1,v1=,v1=\x00",
    ]
)
HEADERS = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(), HOSTILE), max_size=6)


ODD = st.sampled_from([*" \t\r\n\x00\x1f\x85\xa0é\u0100,=", "", "a", ",t=1", " , "])


@settings(deadline=None)
@given(SCHEMES, st.data())
def test_space_that_means_nothing_changes_no_verdict(
    scheme: SignatureScheme, data: st.DataObject
) -> None:
    """Headers as a sender writes them take a quick way, and with a space at the end a general."""
    given = genuine(scheme)
    name = data.draw(st.sampled_from([header.name for header in scheme.headers]))
    value = given.header(name) or ""
    place = data.draw(st.integers(0, len(value)))
    value = value[:place] + data.draw(ODD) + value[place + data.draw(st.integers(0, 1)) :]
    plain, spaced = (given.with_header(name, text) for text in (value, f"{value} "))
    assert verify(scheme, plain, [SECRET], NOW) == verify(scheme, spaced, [SECRET], NOW)


@pytest.mark.parametrize("scheme", [MW, ROTATING, THREE, DATED, BODY_ONLY])
@pytest.mark.parametrize("blank", [" ", "\t", " \t "])
def test_space_around_a_header_is_no_part_of_it(scheme: SignatureScheme, blank: str) -> None:
    given = genuine(scheme)
    for header in scheme.headers:
        spaced = f"{blank}{given.header(header.name)}{blank}"
        assert verify(scheme, given.with_header(header.name, spaced), [SECRET], NOW).accepted


def test_a_header_of_blanks_is_missing() -> None:
    for blank in ("", " ", "\t", "\x1f", "\x85"):
        verdict = verify(BODY_ONLY, request(b"{}", ("X-Signature", blank)), [SECRET], NOW)
        assert verdict.reason is Reason.MISSING_HEADER


@pytest.mark.parametrize("first", ["", "t=1,nonce=2,signature=3"])
def test_a_header_that_stands_twice_is_never_accepted(first: str) -> None:
    right = genuine().header("X-MW-Signature") or ""
    twice = request(b"{}", ("X-MW-Signature", first), ("x-mw-signature", right))
    assert not verify(MW, twice, [SECRET], NOW).accepted


@settings(deadline=None)
@given(SCHEMES, HEADERS, st.binary(), st.floats())
@example(scheme=THREE, headers=[("id", "a"), ("time", "é"), ("sig", "v1,=")], body=b"", now=0.0)
def test_verifying_never_raises(
    scheme: SignatureScheme, headers: list[Header], body: bytes, now: float
) -> None:
    verdict = verify(scheme, request(body, *headers), [SECRET], now)
    assert not verdict.accepted
    assert SECRET not in str(verdict)


@settings(deadline=None)
@given(st.binary(), st.binary(), st.sampled_from(["sha1", "sha256", "sha384", "sha512"]))
@example(key=b"k" * 64, content=b"", name="sha256")
@example(key=b"k" * 129, content=b"", name="sha512")
def test_keyed_hash_is_the_standard_one(key: bytes, content: bytes, name: str) -> None:
    digest = keyed_hash(key, name)
    assert digest(content) == hmac.digest(key, content, name)
    assert digest(content) == hmac.digest(key, content, name)


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (0, None),
        (TOLERANCE, None),
        (TOLERANCE + 1, Reason.STALE),
        (-CLOCK_SKEW, None),
        (-CLOCK_SKEW - 1, Reason.FROM_THE_FUTURE),
    ],
)
def test_age_is_judged_to_the_second(age: float, reason: Reason | None) -> None:
    assert verify(MW, genuine(), [SECRET], NOW + age).reason is reason


def test_a_given_tolerance_replaces_the_declared() -> None:
    assert verify(MW, genuine(), [SECRET], NOW + 11, tolerance=10).reason is Reason.STALE
    assert verify(MW, genuine(), [SECRET], NOW + 99_999, tolerance=1e9).accepted


def test_a_wrong_signature_outranks_its_age() -> None:
    forged = genuine().with_body(b"[]")
    assert verify(MW, forged, [SECRET], NOW + 99_999).reason is Reason.WRONG_SIGNATURE


def test_either_secret_counts_during_rotation() -> None:
    for secrets in (["new", SECRET], [SECRET, "new"]):
        assert verify(MW, genuine(), secrets, NOW).accepted
    assert not verify(MW, genuine(), ["new", "newer"], NOW).accepted


def test_either_signature_counts_during_rotation() -> None:
    delivery = Signer(ROTATING, SECRET).sign(request(), timestamp=NOW, nonce="")
    both = delivery.with_signature("0" * 64, *delivery.signatures).request
    assert verify(ROTATING, both, [SECRET], NOW).accepted
    neither = delivery.with_signature("0" * 64, "1" * 64).request
    assert verify(ROTATING, neither, [SECRET], NOW).reason is Reason.WRONG_SIGNATURE


def test_a_verifier_without_secrets_is_refused() -> None:
    with pytest.raises(SecretError, match="no secret"):
        verify(MW, genuine(), [], NOW)


def test_a_single_secret_is_not_taken_for_its_letters() -> None:
    assert verify(MW, genuine(), SECRET, NOW).accepted
    letter = sign(MW, request(b"{}"), SECRET[0], timestamp=NOW, nonce="0" * 40)
    assert not verify(MW, letter, SECRET, NOW).accepted


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ({}, ""),
        ({"without": "whsec_"}, "whsec_"),
        ({"text": "hex"}, ""),
        ({"text": "base64"}, "=="),
    ],
)
def test_an_empty_secret_is_refused(key: JsonValue, secret: str) -> None:
    with pytest.raises(SecretError):
        Verifier(scheme_of(key=key), ["00ff", secret])


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ({"text": "hex"}, "canary-4711"),
        ({"text": "hex"}, "abc"),
        ({"text": "base64"}, "canary-4711!"),
        ({"text": "base64"}, "é"),
        ({"text": "utf-8"}, "canary\ud800"),
    ],
)
def test_an_undecodable_secret_is_told_unseen(key: JsonValue, secret: str) -> None:
    with pytest.raises(SecretError) as caught:
        Signer(scheme_of(key=key), secret)
    assert secret not in str(caught.value)


def test_nothing_shows_the_secret() -> None:
    signer, verifier = Signer(MW, SECRET), Verifier(MW, [SECRET])
    delivery = signer.sign(request(), timestamp=NOW, nonce=NONCE)
    shown = repr([signer, verifier, delivery, delivery.request, verifier.verify(request(), NOW)])
    assert SECRET not in shown
    assert "canary" not in shown


def test_signing_replaces_carried_headers_only() -> None:
    plain = request(b"{}", ("x-mw-signature", "old"), ("X-Other", "kept"))
    signed = sign(MW, plain, SECRET, timestamp=NOW, nonce=NONCE)
    assert len(signed.header_values("X-MW-Signature")) == 1
    assert signed.header("X-Other") == "kept"
    assert signed.header("X-MW-Signature") != "old"


SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PRIVATE = Ed25519PrivateKey.from_private_bytes(SEED)
PUBLIC = PRIVATE.public_key()
PRIVATE_PEM = PRIVATE.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC_PEM = PUBLIC.public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
).decode()
PUBLIC_DER = base64.b64encode(
    PUBLIC.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
RAW = PUBLIC.public_bytes_raw()


def certificate() -> str:
    import datetime

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sender")])
    day = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(PUBLIC).serial_number(1)
    builder = builder.not_valid_before(day).not_valid_after(day + datetime.timedelta(days=1))
    return builder.sign(PRIVATE, None).public_bytes(serialization.Encoding.PEM).decode()


def elliptic(private: bool) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    if private:
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def ed25519(text: str) -> SignatureScheme:
    scheme = scheme_of(algorithm="ed25519", key={"text": text}, encoding="base64")
    assert scheme.algorithm is Algorithm.ED25519
    return scheme


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("hex", SEED.hex()),
        ("base64", base64.b64encode(SEED).decode()),
        ("base64", base64.b64encode(SEED).decode().rstrip("=")),
        ("utf-8", PRIVATE_PEM),
        ("hex", PRIVATE_PEM),
    ],
    ids=["hex", "base64", "unpadded", "pem", "pem-hex"],
)
@pytest.mark.parametrize(
    "public",
    ["raw", PUBLIC_PEM, PUBLIC_DER, PRIVATE_PEM, certificate()],
    ids=["raw", "pem", "der", "private", "certificate"],
)
def test_ed25519_takes_every_form_of_key(text: str, private: str, public: str) -> None:
    scheme = ed25519(text)
    if public == "raw":
        public = {"hex": RAW.hex(), "base64": base64.b64encode(RAW).decode()}.get(text, PUBLIC_DER)
    signed = sign(scheme, request(), private, timestamp=NOW, nonce="")
    assert verify(scheme, signed, [public], NOW).accepted
    assert not verify(scheme, signed.with_body(b"[]"), [public], NOW).accepted


BAD_KEYS = [
    "",
    "no key",
    "00" * 31,
    base64.b64encode(b"nothing").decode(),
    PUBLIC_PEM.replace("MCow", "MCox"),
    PUBLIC_PEM[:60],
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "\ud800",
    "é",
]


@pytest.mark.parametrize("text", ["hex", "base64", "utf-8"])
@pytest.mark.parametrize("key", BAD_KEYS, ids=range(len(BAD_KEYS)))
def test_a_bad_ed25519_key_is_refused(text: str, key: str) -> None:
    with pytest.raises(SecretError):
        Signer(ed25519(text), key)
    with pytest.raises(SecretError):
        Verifier(ed25519(text), [key])


@pytest.mark.parametrize("private", [True, False])
def test_a_key_of_another_kind_is_refused(private: bool) -> None:
    key = elliptic(private)
    with pytest.raises(SecretError):
        Signer(ed25519("utf-8"), key)
    with pytest.raises(SecretError):
        Verifier(ed25519("utf-8"), [key])


@settings(deadline=None)
@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_ed25519_verifying_never_raises(signature: str) -> None:
    verifier = Verifier(ed25519("hex"), [RAW.hex()])
    verdict = verifier.verify(request(b"{}", ("X-Signature", signature)), NOW)
    assert not verdict.accepted
