"""Signing, verifying and judging one event of the shipped document, beside the same by hand.

.venv/bin/python benchmarks/signing.py [--json FILE]
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from measuring import Row, calls, in_environment, report

if TYPE_CHECKING:
    from hookproof_spec.webhook import Webhook

PEERS = ["standardwebhooks", "stripe", "orjson", "jsonschema", "openapi-core", "werkzeug"]
SECRET = "a-secret-of-32-characters-length"
EVENT = {
    "_event": "Spare part was out of stock",
    "_date": "2024-07-29T15:51:28.071Z",
    "_metadata": [None],
    "stock": {"location": {"locationId": "loc-0412", "name": "Main workshop, shelf 7"}},
    "sparePart": {
        "sparePartId": "part-20931",
        "name": "Deep groove ball bearing 6204",
        "articleCode": "BRG-6204-2RS",
    },
    "movement": {"on": "2024-07-29T15:51:28.071Z"},
}
HEADER = "X-MW-Signature"


def main() -> None:
    from hookproof_spec import load

    webhook = load("mobility-work").webhook()
    body = json.dumps(EVENT, separators=(",", ":")).encode()
    rows = [_signing(webhook, body), _verifying(webhook, body), _judging(webhook, body)]
    report([*rows, _explaining(webhook)], PEERS)


def _by_hand(key: bytes, body: bytes) -> str:
    stamp = str(int(time.time()))
    nonce = secrets.token_hex(20)
    content = stamp.encode() + b"." + nonce.encode() + b"." + body
    return f"t={stamp},nonce={nonce},signature={hmac.digest(key, content, 'sha256').hex()}"


def _signing(webhook: Webhook, body: bytes) -> Row:
    from standardwebhooks import Webhook

    from hookproof.fresh import fresh_nonce
    from hookproof_spec.request import Request
    from hookproof_spec.signing import Signer

    signer = Signer(webhook.scheme, SECRET)
    request = Request("POST", "http://h/", (("Content-Type", "application/json"),), body)
    nonce = webhook.scheme.nonce
    peer = Webhook("whsec_" + base64.b64encode(SECRET.encode()).decode())
    text = body.decode()
    key = SECRET.encode()
    return calls(
        "sign: fresh time and nonce to header",
        {
            "by hand": lambda: _by_hand(key, body),
            "hookproof": lambda: signer.headers(
                request, timestamp=time.time(), nonce=fresh_nonce(nonce)
            ),
            "hookproof, the whole request": lambda: signer.signed(
                request, timestamp=time.time(), nonce=fresh_nonce(nonce)
            ),
            "standardwebhooks": lambda: peer.sign(secrets.token_hex(20), datetime.now(UTC), text),
        },
        goal="at most 1.0 x by hand",
    )


def _verifying(webhook: Webhook, body: bytes) -> Row:
    from standardwebhooks import Webhook
    from stripe import WebhookSignature

    from hookproof_spec.request import Request
    from hookproof_spec.signing import Verifier

    key = SECRET.encode()
    value = _by_hand(key, body)
    now = time.time()
    headers = (("Content-Type", "application/json"), (HEADER, value))
    request = Request("POST", "http://h/", headers, body)
    verifier = Verifier(webhook.scheme, [SECRET])
    peer = Webhook("whsec_" + base64.b64encode(key).decode())
    text = body.decode()
    moment = datetime.now(UTC)
    theirs = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": peer.sign("msg_1", moment, text),
    }
    stamp = str(int(now))
    mac = hmac.new(key, f"{stamp}.{text}".encode(), hashlib.sha256).hexdigest()
    stripes = f"t={stamp},v1={mac}"

    def by_hand() -> bool:
        parts = dict(part.split("=", 1) for part in value.split(","))
        content = f"{parts['t']}.{parts['nonce']}.".encode() + body
        expected = hmac.digest(key, content, "sha256").hex()
        fresh = abs(now - int(parts["t"])) < 3600
        return hmac.compare_digest(expected, parts["signature"]) and fresh

    return calls(
        "verify: header to verdict",
        {
            "by hand": by_hand,
            "hookproof": lambda: verifier.verify(request, now),
            "standardwebhooks": lambda: peer.verify(text, theirs),
            "stripe": lambda: WebhookSignature.verify_header(text, stripes, SECRET, 300),
        },
        goal="at most 1.3 x by hand",
    )


def _judging(webhook: Webhook, body: bytes) -> Row:
    import jsonschema
    import jsonschema_rs
    import orjson

    from hookproof.explanations import Explainer
    from hookproof.validators import RequestValidator
    from hookproof_spec.request import Request
    from hookproof_spec.signing import Verifier

    key = SECRET.encode()
    now = time.time()
    headers = (("Content-Type", "application/json"), (HEADER, _by_hand(key, body)))
    request = Request("POST", "http://h/", headers, body)
    verifier = Verifier(webhook.scheme, [SECRET])
    fast = jsonschema_rs.Draft202012Validator(dict(webhook.schema), validate_formats=True)
    slow = jsonschema.Draft202012Validator(webhook.schema)
    validator = RequestValidator(webhook, [SECRET], nonces=None)
    explainer = Explainer.of(webhook)

    def by_hand() -> bool:
        return verifier.verify(request, now).accepted and fast.is_valid(orjson.loads(body))

    return calls(
        "a good request judged whole: signature, age, schema",
        {
            "by hand: verify, orjson, jsonschema-rs": by_hand,
            "hookproof": lambda: validator.check(request, now),
            "jsonschema, the schema alone": lambda: slow.is_valid(json.loads(body)),
            "openapi-core, without a signature": lambda: explainer.problems(body),
        },
        goal="at most 1.5 x by hand",
    )


def _explaining(webhook: Webhook) -> Row:
    import jsonschema

    from hookproof.explanations import Explainer
    from hookproof_spec import payloads

    bad = json.loads(json.dumps(EVENT))
    bad["movement"]["on"], bad["sparePart"]["name"] = "yesterday", 7
    body = json.dumps(bad, separators=(",", ":")).encode()
    formats = jsonschema.Draft202012Validator.FORMAT_CHECKER
    slow = jsonschema.Draft202012Validator(webhook.schema, format_checker=formats)
    explainer = Explainer.of(webhook)
    return calls(
        "a bad payload with its problems as text",
        {
            "jsonschema": lambda: [str(e.message) for e in slow.iter_errors(json.loads(body))],
            "hookproof": lambda: [str(problem) for problem in payloads.validate(webhook, body)],
            "openapi-core": lambda: explainer.problems(body),
        },
        goal="at most 0.15 x jsonschema",
    )


if __name__ == "__main__":
    in_environment("signing", PEERS)
    main()
