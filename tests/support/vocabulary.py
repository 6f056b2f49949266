"""Small documents that use every word of `x-webhook-signature`, none of them in the catalogue.

Each is one declaration, the secret of its sender and of its receiver, and a payload. Most are what
a provider publishes of its webhooks; the others join words that no single provider needs at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import final

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hookproof_spec import load
from hookproof_spec.scheme import SignatureScheme
from hookproof_spec.scheme_reader import read_scheme
from hookproof_spec.webhook import JsonValue, Webhook

FORM = "application/x-www-form-urlencoded"
EVENT: dict[str, JsonValue] = {
    "id": "evt_1",
    "type": "invoice.paid",
    "amount": 1250,
    "note": "größer & schöner",
    "customer": {"name": "Ada / Grace", "plan": "gold"},
}
FIELDS: dict[str, JsonValue] = {"MessageSid": "SM1", "Body": "größer & schöner", "To": "+44 20"}


@final
@dataclass(frozen=True, slots=True)
class Words:
    """One declaration, in YAML, and what its tests need."""

    yaml: str
    secret: str = "canary-secret-4711"
    event: dict[str, JsonValue] = field(default_factory=lambda: EVENT)
    media_type: str = "application/json"
    schema: dict[str, JsonValue] | None = None

    @property
    def extension(self) -> JsonValue:
        """The value of `x-webhook-signature`."""
        value: JsonValue = yaml.safe_load(self.yaml)
        return value

    @property
    def scheme(self) -> SignatureScheme:
        """The scheme; its warnings are others' matter."""
        scheme, found = read_scheme(self.extension, pointer="")
        assert scheme is not None, found
        return scheme

    def document(self) -> dict[str, JsonValue]:
        """The whole OpenAPI document."""
        properties: dict[str, JsonValue] = {name: _schema_of(v) for name, v in self.event.items()}
        schema: dict[str, JsonValue] = {
            "type": "object",
            "required": list(self.event),
            "properties": properties,
        }
        content: JsonValue = {self.media_type: {"schema": schema, "example": self.event}}
        return {
            "openapi": "3.1.0",
            "info": {"title": "Vocabulary", "version": "1"},
            "webhooks": {
                "happened": {
                    "post": {
                        "security": [{"signed": []}],
                        "requestBody": {"content": content},
                        "responses": {"200": {"description": "taken"}},
                    }
                }
            },
            "components": {
                "securitySchemes": {
                    "signed": {
                        "type": "apiKey",
                        "in": "header",
                        "name": "Signature",
                        "x-webhook-signature": self.extension,
                    }
                }
            },
        }

    def webhook(self, folder: Path) -> Webhook:
        """Write the document and load its webhook."""
        path = folder / "document.yaml"
        path.write_text(yaml.safe_dump(self.document()), encoding="utf-8")
        return load(path).webhook()


def _schema_of(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        inner: dict[str, JsonValue] = {name: _schema_of(item) for name, item in value.items()}
        return {"type": "object", "required": list(value), "properties": inner}
    return {"type": "integer" if isinstance(value, int) else "string"}


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Ed25519PrivateKey) -> str:
    """Write a private key as PKCS #8."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """Make one RSA key for all tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


CURVE_KEY = ec.derive_private_key(0x4711, ec.SECP256R1())
EDWARDS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

WORDS: dict[str, Words] = {
    # HubSpot, version 3
    "method-url-body-time": Words("""
algorithm: hmac-sha256
content: "{method}{url}{body}{timestamp}"
encoding: base64
carry: {header: {X-HubSpot-Signature-v3: "{signature}", X-HubSpot-Request-Timestamp: "{timestamp}"}}
timestamp: {unit: ms, tolerance: 300}
"""),
    # Square
    "url-and-body": Words("""
algorithm: hmac-sha256
content: "{url}{body}"
encoding: base64
carry: {header: {x-square-hmacsha256-signature: "{signature}"}}
"""),
    # Twilio, forms
    "fields": Words(
        """
algorithm: hmac-sha1
content: "{url}{fields}"
encoding: base64
carry: {header: {X-Twilio-Signature: "{signature}"}}
""",
        event=FIELDS,
        media_type=FORM,
    ),
    # Twilio, JSON
    "digest-in-query": Words("""
algorithm: hmac-sha1
content: "{url}"
encoding: base64
carry:
  header: {X-Twilio-Signature: "{signature}"}
  query: {bodySHA256: "{body|sha256|hex}"}
"""),
    # Mailgun
    "in-json": Words(
        """
algorithm: hmac-sha256
content: "{timestamp}{nonce}"
carry:
  json:
    /signature/timestamp: "{timestamp}"
    /signature/token: "{nonce}"
    /signature/signature: "{signature}"
timestamp: {tolerance: 300}
nonce: {pattern: "[0-9a-f]{50}"}
uncovered: body
""",
        event=EVENT | {"signature": {"timestamp": "1", "token": "a", "signature": "b"}},
    ),
    # Mailgun's older routes
    "in-fields": Words(
        """
algorithm: hmac-sha256
content: "{field:timestamp}{field:token}"
carry: {field: {timestamp: "{timestamp}", token: "{nonce}", signature: "{signature}"}}
timestamp: {tolerance: 300}
nonce: {pattern: "[0-9a-f]{50}"}
uncovered: body
""",
        event=FIELDS | {"timestamp": "1", "token": "a", "signature": "b"},
        media_type=FORM,
    ),
    # SendGrid
    "ecdsa": Words(
        """
algorithm: ecdsa-p256-sha256
content: "{timestamp}{body}"
encoding: base64
carry:
  header:
    X-Twilio-Email-Event-Webhook-Signature: "{signature}"
    X-Twilio-Email-Event-Webhook-Timestamp: "{timestamp}"
timestamp: {tolerance: 300}
""",
        secret=pem(CURVE_KEY),
    ),
    # Box
    "two-keys": Words(
        """
algorithm: hmac-sha256
content: "{body}{timestamp}"
encoding: base64
carry:
  header:
    BOX-SIGNATURE-PRIMARY: "{signature}"
    BOX-SIGNATURE-SECONDARY: "{signature2}"
    BOX-DELIVERY-TIMESTAMP: "{timestamp}"
timestamp: {unit: iso8601, tolerance: 600}
""",
        secret="primary-4711:secondary-4711",
    ),
    # Discord
    "edwards": Words(
        """
algorithm: ed25519
key: {text: hex}
content: "{timestamp}{body}"
carry: {header: {X-Signature-Ed25519: "{signature}", X-Signature-Timestamp: "{timestamp}"}}
timestamp: {tolerance: 300}
""",
        secret=pem(EDWARDS_KEY),
    ),
    # Trello
    "body-and-url": Words("""
algorithm: hmac-sha1
content: "{body}{url}"
encoding: base64
carry: {header: {X-Trello-Webhook: "{signature}"}}
"""),
    # Plivo
    "url-and-nonce": Words("""
algorithm: hmac-sha256
content: "{url}{nonce}"
encoding: base64
carry: {header: {X-Plivo-Signature-V2: "{signature}", X-Plivo-Signature-V2-Nonce: "{nonce}"}}
nonce: {pattern: "[0-9]{20}", on-retry: same}
uncovered: body
"""),
    # Zendesk
    "written-time": Words("""
algorithm: hmac-sha256
content: "{timestamp}{body}"
encoding: base64
carry:
  header:
    X-Zendesk-Webhook-Signature: "{signature}"
    X-Zendesk-Webhook-Signature-Timestamp: "{timestamp}"
timestamp: {unit: iso8601, tolerance: 300}
"""),
    # as Adyen signs the parts of an event
    "json-parts": Words(
        """
algorithm: hmac-sha256
key: {text: hex}
content: "{json:/id}:{json:/customer/name}:{json:/amount}:{json:/missing}:{json:/type}"
encoding: base64
carry: {json: {/additionalData/hmacSignature: "{signature}"}}
uncovered: body
""",
        secret="44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
        event=EVENT | {"additionalData": {"hmacSignature": "b"}},
    ),
    # PayPal: the webhook's id is signed and not sent
    "checksum": Words(
        """
algorithm: rsa-sha256
content: "{nonce}|{timestamp}|{key-id}|{body|crc32}"
encoding: base64
carry:
  header:
    PAYPAL-TRANSMISSION-ID: "{nonce}"
    PAYPAL-TRANSMISSION-TIME: "{timestamp}"
    PAYPAL-TRANSMISSION-SIG: "{signature}"
timestamp: {unit: iso8601, tolerance: 300}
nonce: {pattern: "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"}
""",
        secret="WH-4711:" + pem(rsa_key()),
    ),
    # Mercado Pago
    "parts-of-the-request": Words("""
algorithm: hmac-sha256
content: "id:{query:data.id};request-id:{header:X-Request-Id};ts:{timestamp};"
carry: {header: {X-Signature: "ts={timestamp},v1={signature}"}}
timestamp: {unit: ms, tolerance: 300}
uncovered: body
"""),
    # Pusher
    "key-name": Words(
        """
algorithm: hmac-sha256
content: "{body}"
carry: {header: {X-Pusher-Key: "{key-id}", X-Pusher-Signature: "{signature}"}}
""",
        secret="key-one:canary-secret-4711",
    ),
    # HTTP signatures in the manner of the old draft
    "digest-in-header": Words(
        """
algorithm: rsa-sha1
content: "(request-target): post {path}\\ndate: {header:Date}\\ndigest: {header:Digest}"
encoding: base64
carry:
  header:
    Date: "{timestamp}"
    Digest: "SHA-256={body|sha256|base64}"
    Signature: "keyId={key-id},signature={signature}"
timestamp: {unit: http-date, tolerance: 300}
""",
        secret="key-one:" + pem(rsa_key()),
    ),
    # as GitHub names its deliveries: what travels beside the signature is not covered by it
    "beside-the-signature": Words("""
algorithm: hmac-sha256
content: "{body}"
carry: {header: {X-Signature: "sha256={signature}", X-Time: "{timestamp}", X-Id: "{nonce}"}}
timestamp: {tolerance: 300}
nonce: {}
"""),
    "plain-hash": Words("""
algorithm: sha256
content: "{body}{secret}"
carry: {header: {X-Signature: "sha256={signature}"}}
"""),
    "plain-hash-of-fields": Words(
        """
algorithm: sha1
content: "{secret|md5|hex}{fields}"
carry: {field: {sig: "{signature}"}}
""",
        event=FIELDS | {"sig": "b"},
        media_type=FORM,
    ),
    "later-time": Words("""
algorithm: hmac-sha384
content: "{timestamp:+300}\\n{body|sha512|base64url}\\n{body|md5|base64}"
encoding: base64url
carry: {header: {X-Expires: "{timestamp:+300}", X-Signature: "{signature}"}}
timestamp: {tolerance: 300}
"""),
    "both-times": Words("""
algorithm: hmac-sha512
content: "{timestamp}.{timestamp:+60}.{body|sha1|hex}"
carry: {header: {X-Signature: "t={timestamp};e={timestamp:+60};s={signature}"}}
timestamp: {tolerance: 300}
"""),
    "in-query": Words("""
algorithm: hmac-sha256
content: "{method} {url}\\n{body}"
carry: {query: {t: "{timestamp}", n: "{nonce}", sig: "{signature}"}}
timestamp: {tolerance: 300}
nonce: {pattern: "[0-9a-f]{16}"}
"""),
    "number-in-json": Words(
        """
algorithm: hmac-sha256
key: {without: "whsec_", normalize: NFKC, digest: sha256}
content: "{body}"
carry:
  json: {/sentAt: "{timestamp}", /eventId: "{nonce}"}
  numbers: [/sentAt]
  header: {X-Signature: "{signatures}"}
repeat: {item: "v1={signature}", separator: ","}
timestamp: {tolerance: 300}
nonce: {pattern: "[0-9a-f]{16}"}
""",
        secret="whsec_ﬁne-canary-4711",
        event=EVENT | {"sentAt": 1, "eventId": "a"},
    ),
}
