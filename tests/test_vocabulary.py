"""Every word of the vocabulary, against code that is written out here and knows no scheme."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
import unicodedata
import zlib
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hookproof_spec.errors import SecretError
from hookproof_spec.filters import FILTERS
from hookproof_spec.json_body import encode
from hookproof_spec.placeholders import Place
from hookproof_spec.request import Header, Request
from hookproof_spec.scheme import Algorithm, Where
from hookproof_spec.scheme_reader import read_scheme
from hookproof_spec.signing import Reason, Signer, Verifier
from hookproof_spec.templates import Template
from hookproof_spec.webhook import JsonValue
from support.vocabulary import (
    CURVE_KEY,
    EDWARDS_KEY,
    EVENT,
    FIELDS,
    FORM,
    WORDS,
    Words,
    rsa_key,
)

NOW = 1_660_338_149.0
URL = "https://example.org/hook?data.id=4711&x=%C3%A9+1"
SECRET = "canary-secret-4711"
NONCES = {"in-json": "ab" * 25, "in-fields": "ab" * 25, "url-and-nonce": "12345678901234567890"}
NONCE = "0123456789abcdef"
UUID = "6f1c1b9e-3f0a-4c56-9d2b-0a1b2c3d4e5f"


def nonce_of(name: str) -> str:
    return NONCES.get(name, UUID if name == "checksum" else NONCE)


def body_of(words: Words) -> bytes:
    if words.media_type != FORM:
        return encode(dict(words.event))
    return b"MessageSid=SM1&Body=gr%C3%B6%C3%9Fer+%26+sch%C3%B6ner&To=%2B44+20&To=%2B44+20"


def request(body: bytes, *headers: Header, url: str = URL) -> Request:
    lines = (("Content-Type", "x"), ("X-Request-Id", "bb56a2f1"), *headers)
    return Request("POST", url, lines, body)


def signed(name: str, body: bytes | None = None, *, now: float = NOW) -> Request:
    words = WORDS[name]
    plain = request(body_of(words) if body is None else body)
    signer = Signer(words.scheme, words.secret)
    return signer.signed(plain, timestamp=now, nonce=nonce_of(name))


def verdict_of(name: str, received: Request, now: float = NOW) -> Reason | None:
    words = WORDS[name]
    return Verifier(words.scheme, words.secret).verify(received, now).reason


def header(received: Request, name: str) -> str:
    [value] = received.header_values(name)
    return value


def hmac_base64(hash_name: str, content: bytes, key: bytes = SECRET.encode()) -> str:
    return base64.b64encode(hmac.digest(key, content, hash_name)).decode()


# --- the laws, for every word ---------------------------------------------------------------------

NAMES = st.sampled_from(sorted(WORDS))
BESIDE = "beside-the-signature"
"""The one whose signature covers neither its timestamp nor its nonce."""


@pytest.mark.parametrize("name", WORDS)
def test_what_is_signed_is_accepted(name: str) -> None:
    assert verdict_of(name, signed(name)) is None


@pytest.mark.parametrize("name", WORDS)
def test_a_delivery_writes_what_the_quick_way_writes(name: str) -> None:
    words = WORDS[name]
    signer, plain = Signer(words.scheme, words.secret), request(body_of(words))
    delivery = signer.sign(plain, timestamp=NOW, nonce=nonce_of(name))
    if not words.scheme.algorithm.value.startswith("ecdsa"):  # which signs anew each time
        assert delivery.request == signer.signed(plain, timestamp=NOW, nonce=nonce_of(name))
    assert verdict_of(name, delivery.request) is None


@pytest.mark.parametrize("name", WORDS)
def test_a_signature_has_a_length_of_its_algorithm(name: str) -> None:
    scheme, secret = WORDS[name].scheme, WORDS[name].secret
    raw = scheme.encoding.read(Signer(scheme, secret).signature(b"content")) or b""
    assert scheme.algorithm.may_have_made(raw)
    assert not scheme.algorithm.may_have_made(raw[:7])


@pytest.mark.parametrize("name", WORDS)
def test_signing_again_replaces_what_was_carried(name: str) -> None:
    words, first = WORDS[name], signed(name)
    again = Signer(words.scheme, words.secret).sign(first, timestamp=NOW + 5, nonce=nonce_of(name))
    assert verdict_of(name, again.request, NOW + 5) is None
    assert len(again.request.headers) == len(first.headers)


@pytest.mark.parametrize("name", WORDS)
def test_another_signature_is_refused(name: str) -> None:
    words = WORDS[name]
    delivery = Signer(words.scheme, words.secret).sign(
        request(body_of(words)), timestamp=NOW, nonce=nonce_of(name)
    )
    other = words.scheme.encoding.write(bytes(words.scheme.algorithm.signature_size))
    forged = delivery.with_signature(other).request
    assert verdict_of(name, forged) is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize("name", [name for name in WORDS if WORDS[name].scheme.covers("body")])
def test_another_body_is_refused(name: str) -> None:
    words = WORDS[name]
    delivery = Signer(words.scheme, words.secret).sign(
        request(body_of(words)), timestamp=NOW, nonce=nonce_of(name)
    )
    changed = delivery.with_body(delivery.body.replace(b"sch", b"Sch"))
    assert changed.body != delivery.body
    assert verdict_of(name, changed.request) is Reason.WRONG_SIGNATURE


TIMED = [name for name in WORDS if WORDS[name].scheme.timestamp]


@pytest.mark.parametrize("name", TIMED)
def test_the_timestamp_is_signed_and_judged(name: str) -> None:
    words = WORDS[name]
    scheme = words.scheme
    assert scheme.covers("timestamp") == (name != BESIDE)
    assert verdict_of(name, signed(name, now=NOW - 86_400)) is Reason.STALE
    delivery = Signer(scheme, words.secret).sign(
        request(body_of(words)), timestamp=NOW - 86_400, nonce=nonce_of(name)
    )
    assert scheme.timestamp
    refreshed = delivery.with_timestamp(scheme.timestamp.unit.write(NOW)).request
    assert verdict_of(name, refreshed) is (Reason.WRONG_SIGNATURE if name != BESIDE else None)


@pytest.mark.parametrize("name", [name for name in WORDS if WORDS[name].scheme.nonce])
def test_the_nonce_is_read_and_signed(name: str) -> None:
    words = WORDS[name]
    received = signed(name)
    found = Verifier(words.scheme, words.secret).verify(received, NOW)
    assert found.nonce == nonce_of(name)
    assert words.scheme.covers("nonce") == (name != BESIDE)


BODIES = (
    st.binary(max_size=60)
    | st.sampled_from(
        [
            b"",
            b"{}",
            b"[1]",
            b'{"a":1,"a":2}',
            b'{"signature":{"timestamp":1660338149,"token":true,"signature":null}}',
            b'{"signature":{"timestamp":"1","token":"\\ud800","signature":"x"}}',
            b'{"sentAt":1e999,"eventId":"\xff"}',
            b'{"additionalData":{"hmacSignature":"\\u00e9"},"id":' + b"9" * 5000 + b"}",
            b"[" * 100_000,
            b"timestamp=1660338149&token=%FF&signature=%zz&sig=&sig=",
            b"&&=&timestamp&token=a=b&%=&signature=\xff",
        ]
    )
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["signature", "id", "sentAt"]), inner, max_size=2)
        ),
        max_leaves=5,
    ).map(lambda value: json.dumps(value).encode())
)
URLS = st.text(max_size=20) | st.sampled_from(
    ["", "/", "//", "http://[", "https://h?sig=a&sig=b", "https://h/?t=%FF&n=a&sig=b", "?sig#f?"]
)
HEADER_NAMES = sorted({header.name for words in WORDS.values() for header in words.scheme.headers})
VALUES = st.text(max_size=20) | st.sampled_from(
    ["", " ", "keyId=key-one,signature=", "SHA-256=\udfff", "1660338149", "ts=1,v1=é", "v1="]
)
LINES = st.lists(st.tuples(st.sampled_from(HEADER_NAMES), VALUES), max_size=5)


@settings(deadline=None)
@given(NAMES, BODIES, URLS, LINES, st.floats())
@example(name="in-json", body=b"[" * 100_000, url="", lines=[], now=0.0)
def test_verifying_never_raises(
    name: str, body: bytes, url: str, lines: list[Header], now: float
) -> None:
    words = WORDS[name]
    received = Request("POST", url, tuple(lines), body)
    found = Verifier(words.scheme, words.secret).verify(received, now)
    assert not found.accepted
    assert SECRET not in str(found)


@settings(deadline=None)
@given(NAMES, BODIES, URLS, st.text(max_size=8), st.text(max_size=8))
def test_signing_never_raises(name: str, body: bytes, url: str, timestamp: str, nonce: str) -> None:
    words = WORDS[name]
    signer = Signer(words.scheme, words.secret)
    delivery = signer.sign(Request("POST", url, (), body), timestamp=timestamp, nonce=nonce)
    assert isinstance(delivery.request.body, bytes)
    assert isinstance(delivery.signed_bytes, bytes)


JSON_NAMES = [name for name in WORDS if WORDS[name].media_type != FORM]


@settings(deadline=None)
@given(
    st.sampled_from(JSON_NAMES),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(), max_size=4),
    st.sampled_from([None, 1, 4]),
)
def test_any_json_object_can_be_signed(
    name: str, event: dict[str, JsonValue], indent: int | None
) -> None:
    body = json.dumps(event, indent=indent, ensure_ascii=indent is None).encode(
        "utf-8", "backslashreplace"
    )
    assert verdict_of(name, signed(name, body)) is None


@pytest.mark.parametrize("name", WORDS)
def test_a_delivery_knows_what_was_signed(name: str) -> None:
    words = WORDS[name]
    signer = Signer(words.scheme, words.secret)
    delivery = signer.sign(request(body_of(words)), timestamp=NOW, nonce=nonce_of(name))
    assert SECRET.encode() not in delivery.signed_bytes
    if words.scheme.algorithm.is_keyed:
        made = signer.signature(delivery.signed_bytes)
        assert (made,) == delivery.signatures
        assert made in signer.expected(delivery.request)


# --- each word, computed by other means -----------------------------------------------------------


def test_method_url_body_and_time_are_signed() -> None:
    received = signed("method-url-body-time")
    time = header(received, "X-HubSpot-Request-Timestamp")
    content = b"POST" + URL.encode() + received.body + time.encode()
    assert time == "1660338149000"
    assert header(received, "X-HubSpot-Signature-v3") == hmac_base64("sha256", content)


def test_url_is_signed_before_or_behind_the_body() -> None:
    before, behind = signed("url-and-body"), signed("body-and-url")
    body, url = before.body, URL.encode()
    assert header(before, "x-square-hmacsha256-signature") == hmac_base64("sha256", url + body)
    assert header(behind, "X-Trello-Webhook") == hmac_base64("sha1", body + url)


def test_fields_are_sorted_and_decoded() -> None:
    received = signed("fields")
    fields = dict(parse_qsl(received.body.decode()))
    content = URL + "".join(name + fields[name] for name in sorted(fields))
    expected = hmac_base64("sha1", content.encode())
    assert fields["Body"] == FIELDS["Body"]
    assert header(received, "X-Twilio-Signature") == expected


def test_body_digest_in_the_query_is_signed_with_it() -> None:
    received = signed("digest-in-query")
    digest = dict(parse_qsl(urlsplit(received.url).query))["bodySHA256"]
    assert received.url.startswith(f"{URL}&")
    assert digest == hashlib.sha256(received.body).hexdigest()
    assert header(received, "X-Twilio-Signature") == hmac_base64("sha1", received.url.encode())


def test_values_travel_in_json() -> None:
    received = signed("in-json")
    carried = json.loads(received.body)["signature"]
    content = (carried["timestamp"] + carried["token"]).encode()
    assert carried["signature"] == hmac.digest(SECRET.encode(), content, "sha256").hex()
    assert json.loads(received.body) == {**EVENT, "signature": carried}


def test_values_travel_in_a_form() -> None:
    received = signed("in-fields")
    fields = dict(parse_qsl(received.body.decode()))
    content = (fields["timestamp"] + fields["token"]).encode()
    assert fields["signature"] == hmac.digest(SECRET.encode(), content, "sha256").hex()


def test_curve_signature_is_der_over_time_and_body() -> None:
    received = signed("ecdsa")
    time = header(received, "X-Twilio-Email-Event-Webhook-Timestamp")
    raw = base64.b64decode(header(received, "X-Twilio-Email-Event-Webhook-Signature"))
    content = time.encode() + received.body
    CURVE_KEY.public_key().verify(raw, content, ec.ECDSA(hashes.SHA256()))


def test_two_keys_make_two_signatures() -> None:
    received = signed("two-keys")
    time = header(received, "BOX-DELIVERY-TIMESTAMP")
    content = received.body + time.encode()
    for name in ("primary", "secondary"):
        expected = hmac_base64("sha256", content, f"{name}-4711".encode())
        assert header(received, f"BOX-SIGNATURE-{name.upper()}") == expected


@pytest.mark.parametrize("name", ["BOX-SIGNATURE-PRIMARY", "BOX-SIGNATURE-SECONDARY"])
def test_either_of_two_signatures_is_enough(name: str) -> None:
    received = signed("two-keys").with_header(name, base64.b64encode(bytes(32)).decode())
    assert verdict_of("two-keys", received) is None


def test_second_signature_may_be_missing_but_not_the_first() -> None:
    received = signed("two-keys")
    alone = received.without_header("BOX-SIGNATURE-SECONDARY")
    assert verdict_of("two-keys", alone) is None
    headless = received.without_header("BOX-SIGNATURE-PRIMARY")
    assert verdict_of("two-keys", headless) is Reason.MISSING_HEADER


def test_edwards_signature_is_over_time_and_body() -> None:
    received = signed("edwards")
    content = header(received, "X-Signature-Timestamp").encode() + received.body
    raw = bytes.fromhex(header(received, "X-Signature-Ed25519"))
    EDWARDS_KEY.public_key().verify(raw, content)


def test_parts_of_json_are_signed() -> None:
    received = signed("json-parts")
    given = json.loads(received.body)["additionalData"]["hmacSignature"]
    content = b"evt_1:Ada / Grace:1250::invoice.paid"
    key = bytes.fromhex(WORDS["json-parts"].secret)
    assert given == hmac_base64("sha256", content, key)


def test_a_checksum_is_a_decimal_number() -> None:
    received = signed("checksum")
    content = "|".join(
        [UUID, "2022-08-12T21:02:29.000Z", "WH-4711", str(zlib.crc32(received.body))]
    ).encode()
    raw = base64.b64decode(header(received, "PAYPAL-TRANSMISSION-SIG"))
    rsa_key().public_key().verify(raw, content, padding.PKCS1v15(), hashes.SHA256())


def test_header_and_query_are_signed() -> None:
    received = signed("parts-of-the-request")
    content = b"id:4711;request-id:bb56a2f1;ts:1660338149000;"
    digest = hmac.digest(SECRET.encode(), content, "sha256").hex()
    assert header(received, "X-Signature") == f"ts=1660338149000,v1={digest}"
    moved = received.with_header("X-Request-Id", "other")
    assert verdict_of("parts-of-the-request", moved) is Reason.WRONG_SIGNATURE


def test_digest_in_a_header_is_signed_and_checked() -> None:
    received = signed("digest-in-header")
    digest = base64.b64encode(hashlib.sha256(received.body).digest()).decode()
    content = (
        f"(request-target): post /hook?data.id=4711&x=%C3%A9+1\n"
        f"date: {header(received, 'Date')}\ndigest: SHA-256={digest}"
    )
    raw = base64.b64decode(header(received, "Signature").partition("signature=")[2])
    rsa_key().public_key().verify(raw, content.encode(), padding.PKCS1v15(), hashes.SHA1())
    other = received.with_body(b"{}")
    assert verdict_of("digest-in-header", other) is Reason.WRONG_SIGNATURE


def test_key_name_travels_and_chooses_the_key() -> None:
    received = signed("key-name")
    assert header(received, "X-Pusher-Key") == "key-one"
    expected = hmac.digest(SECRET.encode(), received.body, "sha256").hex()
    assert header(received, "X-Pusher-Signature") == expected
    renamed = received.with_header("X-Pusher-Key", "key-two")
    assert verdict_of("key-name", renamed) is Reason.WRONG_SIGNATURE
    both = Verifier(WORDS["key-name"].scheme, ["key-two:other", WORDS["key-name"].secret])
    assert both.verify(received, NOW).accepted


def test_secret_is_part_of_a_plain_hash() -> None:
    received = signed("plain-hash")
    expected = hashlib.sha256(received.body + SECRET.encode()).hexdigest()
    assert header(received, "X-Signature") == f"sha256={expected}"
    form = signed("plain-hash-of-fields").body
    fields = dict(parse_qsl(form.decode()))
    given = fields.pop("sig")
    hashed = hashlib.md5(SECRET.encode()).hexdigest()
    content = hashed + "".join(name + fields[name] for name in sorted(fields))
    assert given == hashlib.sha1(content.encode()).hexdigest()


def test_a_later_time_stands_for_the_timestamp() -> None:
    received = signed("later-time")
    sha512 = base64.urlsafe_b64encode(hashlib.sha512(received.body).digest()).rstrip(b"=")
    md5 = base64.b64encode(hashlib.md5(received.body).digest())
    content = b"1660338449\n" + sha512 + b"\n" + md5
    raw = hmac.digest(SECRET.encode(), content, "sha384")
    assert header(received, "X-Expires") == "1660338449"
    expected = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    assert header(received, "X-Signature") == expected
    found = Verifier(WORDS["later-time"].scheme, SECRET).verify(received, NOW + 9)
    assert (found.timestamp, found.age) == (NOW, 9)


def test_a_later_time_must_fit_the_timestamp() -> None:
    received = signed("both-times")
    digest = hashlib.sha1(received.body).hexdigest()
    content = f"1660338149.1660338209.{digest}".encode()
    signature = hmac.digest(SECRET.encode(), content, "sha512").hex()
    assert header(received, "X-Signature") == f"t=1660338149;e=1660338209;s={signature}"
    later = received.with_header("X-Signature", f"t=1660338149;e=1660399999;s={signature}")
    assert verdict_of("both-times", later) is Reason.WRONG_SIGNATURE


def test_signature_in_the_query_signs_the_rest_of_it() -> None:
    received = signed("in-query")
    rest, _, given = received.url.partition("&sig=")
    assert rest == f"{URL}&t=1660338149&n={NONCE}"
    content = f"POST {rest}\n".encode() + received.body
    assert given == hmac.digest(SECRET.encode(), content, "sha256").hex()
    moved = received.with_url(received.url.replace("4711", "4712"))
    assert verdict_of("in-query", moved) is Reason.WRONG_SIGNATURE


def test_key_is_normalised_stripped_and_hashed() -> None:
    received = signed("number-in-json")
    text = unicodedata.normalize("NFKC", WORDS["number-in-json"].secret).removeprefix("whsec_")
    key = hashlib.sha256(text.encode()).digest()
    assert text.startswith("fine")
    assert json.loads(received.body)["sentAt"] == 1_660_338_149
    expected = hmac.digest(key, received.body, "sha256").hex()
    assert header(received, "X-Signature") == f"v1={expected}"


# --- judges from other languages ------------------------------------------------------------------

PHP = r"""
$r = json_decode(stream_get_contents(STDIN), true);
$body = base64_decode($r['body']);
parse_str($body, $fields); ksort($fields);
$form = $r['url']; foreach ($fields as $k => $v) { $form .= $k . $v; }
$parts = json_decode($body, true);
$joined = $parts ? implode(':', [$parts['id'], $parts['customer']['name'], $parts['amount'], '',
    $parts['type']]) : '';
echo json_encode([
  'fields' => base64_encode(hash_hmac('sha1', $form, $r['key'], true)),
  'json-parts' => base64_encode(hash_hmac('sha256', $joined, hex2bin($r['hex']), true)),
  'plain-hash' => hash('sha256', $body . $r['key']),
  'checksum' => sprintf('%u', crc32($body)),
]);
"""
NODE = r"""
const crypto = require('node:crypto');
const r = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const body = Buffer.from(r.body, 'base64');
const fields = [...new URLSearchParams(body.toString())].sort((a, b) => a[0] < b[0] ? -1 : 1);
const form = r.url + fields.map(([k, v]) => k + v).join('');
const key = crypto.createHash('sha256').update(r.odd.normalize('NFKC').slice(6)).digest();
console.log(JSON.stringify({
  'fields': crypto.createHmac('sha1', r.key).update(form).digest('base64'),
  'plain-hash': crypto.createHash('sha256').update(body).update(r.key).digest('hex'),
  'number-in-json': crypto.createHmac('sha256', key).update(body).digest('hex'),
}));
"""


def judged(command: list[str], body: bytes) -> dict[str, str]:
    given = {
        "url": URL,
        "body": base64.b64encode(body).decode(),
        "key": SECRET,
        "hex": WORDS["json-parts"].secret,
        "odd": WORDS["number-in-json"].secret,
    }
    told = subprocess.run(
        command, input=json.dumps(given).encode(), capture_output=True, check=True, timeout=30
    )
    found: dict[str, str] = json.loads(told.stdout)
    return found


FORM_BODY = b"MessageSid=SM1&Body=gr%C3%B6%C3%9Fer+%26+sch%C3%B6ner&To=%2B44+20"


@pytest.mark.skipif(shutil.which("php") is None, reason="PHP is not installed")
def test_php_makes_the_same_signatures() -> None:
    form = judged(["php", "-r", PHP], FORM_BODY)
    assert header(signed("fields", FORM_BODY), "X-Twilio-Signature") == form["fields"]
    received = signed("json-parts")
    parts = judged(["php", "-r", PHP], received.body)
    assert json.loads(received.body)["additionalData"]["hmacSignature"] == parts["json-parts"]
    plain = judged(["php", "-r", PHP], signed("plain-hash").body)
    assert header(signed("plain-hash"), "X-Signature") == f"sha256={plain['plain-hash']}"


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_node_makes_the_same_signatures() -> None:
    form = judged(["node", "-e", NODE], FORM_BODY)
    assert header(signed("fields", FORM_BODY), "X-Twilio-Signature") == form["fields"]
    received = signed("number-in-json")
    made = judged(["node", "-e", NODE], received.body)
    assert header(received, "X-Signature") == f"v1={made['number-in-json']}"


# --- secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "secret", "message"),
    [
        ("key-name", SECRET, "the key's name is missing"),
        ("key-name", f":{SECRET}", "the key's name is missing"),
        ("key-name", "name:", "the secret is empty"),
        ("two-keys", "canary", "the second secret is missing"),
        ("two-keys", "canary:", "the secret is empty"),
        ("two-keys", ":canary", "the secret is empty"),
        ("plain-hash", "", "the secret is empty"),
        ("number-in-json", "whsec_", "the secret is empty"),
        ("ecdsa", "canary", "is not a key on the curve P-256"),
        ("ecdsa", WORDS["checksum"].secret.removeprefix("WH-4711:"), "is not a key on the curve"),
        ("digest-in-header", f"a:{WORDS['ecdsa'].secret}", "is not an RSA key"),
    ],
)
def test_a_secret_of_another_form_is_told_unseen(name: str, secret: str, message: str) -> None:
    with pytest.raises(SecretError, match=message) as caught:
        Verifier(WORDS[name].scheme, secret)
    assert "canary" not in str(caught.value)
    assert "BEGIN" not in str(caught.value)


def test_fixtures_use_every_word() -> None:
    schemes = [words.scheme for words in WORDS.values()]
    names = {name for scheme in schemes for name in scheme.content.names}
    names |= {name for scheme in schemes for p in scheme.carried for name in p.template.names}
    bases = {base for name in names for base in Template.parse(f"{{{name}}}").bases}
    filters = {word for name in names for word in name.split("|")[1:]}
    every = {*Place.CONTENT.value, *Place.CONTENT.arguments, *Place.CARRY.value}
    assert bases == every
    assert filters == set(FILTERS)
    assert {place.where for scheme in schemes for place in scheme.carried} == set(Where)
    assert {scheme.algorithm for scheme in schemes} == set(Algorithm)
    assert all(read_scheme(words.extension, pointer="")[0] for words in WORDS.values())
