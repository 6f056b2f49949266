"""A webhook receiver with Django behind gunicorn, whose workers share one SQLite file.

It answers 403 to whatever it cannot verify, 400 to what is no event, and 409 to what it has seen.

Settings: WEBHOOK_SECRET, STORE (SQLite file), TOLERANCE (seconds) and REPLAY (reject|ignore).
"""

# mypy: disable-error-code="import-untyped,untyped-decorator"

import hashlib
import hmac
import json
import os
import re
import time
from contextlib import suppress

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

SECRET = os.environ.get("WEBHOOK_SECRET", "").encode()
STORE = os.environ.get("STORE", "")
TOLERANCE = int(os.environ.get("TOLERANCE") or 3600)
SEEN = 200 if os.environ.get("REPLAY") == "ignore" else 409
FUTURE_SECONDS = 300

HEADER = re.compile("t=([0-9]{1,12}),nonce=([A-Za-z0-9_-]{8,128}),signature=([0-9a-f]{64})")

if not SECRET:
    raise RuntimeError("WEBHOOK_SECRET is empty")

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": STORE,
            # IMMEDIATE, because a lock that was taken for reading cannot always be upgraded.
            # A receiver under test survives no power cut, so it need not wait for the disk either.
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 10,
                "init_command": "PRAGMA synchronous = OFF",
            },
        }
    },
    DATA_UPLOAD_MAX_MEMORY_SIZE=1024 * 1024,
    LOGGING_CONFIG=None,
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
    ROOT_URLCONF=__name__,
)
django.setup()


def believed(header: str, body: bytes) -> str | None:
    """Return the nonce of a delivery that is genuine and fresh."""
    found = HEADER.fullmatch(header)
    if found is None:
        return None
    time_, nonce, signature = found.groups()
    content = f"{time_}.{nonce}.".encode() + body
    expected = hmac.new(SECRET, content, hashlib.sha256).hexdigest()
    age = time.time() - int(time_)
    genuine = hmac.compare_digest(expected, signature)
    return nonce if genuine and -FUTURE_SECONDS <= age <= TOLERANCE else None


def spare_part(body: bytes) -> str | None:
    with suppress(ValueError, TypeError, LookupError, RecursionError):
        event = json.loads(body)
        kind, part = event["_event"], event["sparePart"]["sparePartId"]
        if isinstance(kind, str) and isinstance(part, str):
            part.encode()  # a lone surrogate is legal JSON and no text that a database can keep
            return part
    return None


def process_once(nonce: str, part: str) -> bool:
    """Claim and effect in one transaction: a crash between them leaves neither."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT OR IGNORE INTO nonces VALUES (%s)", [nonce])
        is_first = bool(cursor.rowcount == 1)
        if is_first:
            cursor.execute("INSERT INTO effects (part) VALUES (%s)", [part])
    return is_first


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    nonce = believed(request.headers.get("X-MW-Signature", ""), request.body)
    if nonce is None:
        return HttpResponse(status=403)
    part = spare_part(request.body)
    if part is None:
        return HttpResponse(status=400)
    return HttpResponse(status=200 if process_once(nonce, part) else SEEN)


@require_GET
def effects(_: HttpRequest) -> HttpResponseBase:
    with connection.cursor() as cursor:
        cursor.execute("SELECT part FROM effects ORDER BY id")
        parts = [part for (part,) in cursor.fetchall()]
    return JsonResponse({"processed": len(parts), "ids": parts})


def create_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY)")
        cursor.execute("CREATE TABLE IF NOT EXISTS effects (id INTEGER PRIMARY KEY, part TEXT)")
    connection.close()  # workers must not inherit it


urlpatterns = [path("webhook", webhook), path("effects", effects)]
create_tables()
app = get_wsgi_application()
