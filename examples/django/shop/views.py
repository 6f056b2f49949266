"""A shop that hears from Mobility Work when a spare part is out of stock: Django."""

import hashlib
import hmac
import json
import os
import re
import time

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shop.models import Nonce, Order

BUG = os.environ.get("BUG", "")  # see README.md
TOLERANCE = 300
HEADER = re.compile(r"t=([0-9]{1,12}),nonce=([A-Za-z0-9_-]{8,128}),signature=([0-9a-f]{64})")


def webhook(request: HttpRequest) -> HttpResponse:
    try:
        body = request.body
    except RequestDataTooBig:
        return HttpResponse(status=413)
    found = HEADER.fullmatch(request.headers.get("X-MW-Signature", ""))
    if found is None:
        return HttpResponse(status=401)
    sent_at, nonce, signature = found.groups()
    if BUG == "claims-first" and not claim(nonce):
        return HttpResponse(status=409)
    if not genuine(sent_at, nonce, body, signature):
        return HttpResponse(status=401)
    part = part_of(body)
    if part is None:
        return HttpResponse(status=422)
    return ordered(nonce, part)


def ordered(nonce: str, part: str) -> HttpResponse:
    with transaction.atomic():  # claim and order, or neither
        if BUG not in ("claims-first", "no-nonces") and not claim(nonce):
            return HttpResponse(status=409)
        Order.objects.create(part=part)
    return HttpResponse(status=200)


def claim(nonce: str) -> bool:
    return Nonce.objects.get_or_create(value=nonce)[1]


def genuine(sent_at: str, nonce: str, body: bytes, signature: str) -> bool:
    content = f"{sent_at}.{nonce}.".encode() + body
    expected = hmac.new(settings.WEBHOOK_SECRET.encode(), content, hashlib.sha256).hexdigest()
    fresh = abs(time.time() - int(sent_at)) <= TOLERANCE
    return hmac.compare_digest(expected, signature) and fresh


def part_of(body: bytes) -> str | None:
    try:
        part = json.loads(body)["sparePart"]["sparePartId"]
        part.encode()  # a database has no lone surrogates
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return part


webhook = require_POST(webhook)
if BUG != "csrf":
    webhook = csrf_exempt(webhook)
