"""Receivers that refuse genuine requests, each in another way, and what has to be said of each.

Each is a correct miniature with one step done wrongly, as teams do it wrongly.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import datetime
from email.utils import formatdate
from typing import TYPE_CHECKING, ClassVar

from hookproof.miniatures.base import HEADER, Miniature, RefusedError, Stamp
from hookproof_spec.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


class Refusing(Miniature):
    """A receiver that wrongly refuses; `told` has to stand at the head of its diagnosis.

    `secret_given` is the secret that its team gives to hookproof. `answer_headers` and
    `answer_text` are part of its refusals, after which comes a number that is never the same.
    """

    told: ClassVar[str]
    secret_given: ClassVar[str] = "hookproof-secret-0001"
    answer_headers: ClassVar[tuple[tuple[str, str], ...]] = ()
    answer_text: ClassVar[str] = "refused"
    served: int = 0

    def answer(self, status: int, start_response: StartResponse) -> Iterable[bytes]:
        self.served += 1
        if status < 300:
            return super().answer(status, start_response)
        start_response(f"{status} -", [("Content-Type", "text/plain"), *self.answer_headers])
        return [f"{self.answer_text} (request {self.served})".encode()]


# --- the body ------------------------------------------------------------------------------------


class SpacedJson(Refusing):
    """`json.dumps(request.json)`."""

    told = "the receiver verifies re-serialised JSON (with a space after each comma and colon"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, json.dumps(json.loads(body)).encode())


class SortedJson(Refusing):
    """Makes JSON canonical before it signs."""

    told = "the receiver verifies re-serialised JSON (compact, its keys sorted)"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        rewritten = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
        return super().expected(stamp, rewritten.encode())


class ParsedText(Refusing):
    """`str(request.json)`."""

    told = "the receiver verifies the text of a parsed object"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, str(json.loads(body)).encode())


class ConsumedStream(Refusing):
    """Reads a body that a parser before it has consumed."""

    told = "the receiver verifies an empty body"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, b"")


class StillBase64(Refusing):
    """Stands behind a gateway that hands bodies on in base64, and signs them so."""

    told = "the receiver verifies the body in base64"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, base64.b64encode(body))


class SignsDigest(Refusing):
    """Signs a digest of the body in the body's place."""

    told = "the receiver verifies the body's SHA-256 in hexadecimal"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, hashlib.sha256(body).hexdigest().encode())


class SortedSpacedJson(Refusing):
    """`app.json.dumps(request.json)`, which sorts keys."""

    told = "the receiver verifies re-serialised JSON (its keys sorted, with a space after each"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, json.dumps(json.loads(body), sort_keys=True).encode())


class OuterSortedJson(Refusing):
    """`ksort($event)`, which leaves what is inside as it is."""

    told = "the receiver verifies re-serialised JSON (compact, its outermost keys sorted)"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        event = dict(sorted(json.loads(body).items()))
        return super().expected(stamp, json.dumps(event, separators=(",", ":")).encode())


class IndentedJson(Refusing):
    """`JSON.stringify(req.body, null, 2)`."""

    told = "the receiver verifies re-serialised JSON (indented by two spaces)"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, json.dumps(json.loads(body), indent=2).encode())


class BytesText(Refusing):
    """`f"{t}.{nonce}.{request.data}"`."""

    told = "the receiver verifies the text b'...' of a bytes object"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, f"{body!r}".encode())


class JoinedObject(Refusing):
    """`${t}.${nonce}.${req.body}`, where a parser has made an object of the body."""

    told = "the receiver verifies the text '[object Object]', as JavaScript joins a parsed object"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, b"[object Object]")


class ForgottenRawBody(Refusing):
    """`${t}.${nonce}.${req.rawBody}`, where nobody keeps the raw body."""

    told = "the receiver verifies the text 'undefined', as JavaScript joins a body that nothing"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, b"undefined")


class JoinedArray(Refusing):
    """`"$t.$nonce.$event"`, where the event is an array."""

    told = "the receiver verifies the text 'Array', as PHP joins a parsed object"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        return super().expected(stamp, b"Array")


class SerialisedBuffer(Refusing):
    """`JSON.stringify(req.body)`, where the body is a Buffer already."""

    told = "the receiver verifies a Buffer that was serialised"

    def expected(self, stamp: Stamp, body: bytes) -> str:
        buffer = json.dumps({"type": "Buffer", "data": list(body)}, separators=(",", ":"))
        return super().expected(stamp, buffer.encode())


# --- the secret ----------------------------------------------------------------------------------


class KeepsLineEnd(Refusing):
    """Reads its secret from a file, whole."""

    told = "the receiver is configured with a secret that ends in a newline"

    def digest(self, content: bytes) -> str:
        return hmac.new(self.secret + b"\n", content, hashlib.sha256).hexdigest()


class KeepsQuotes(Refusing):
    """Reads its secret from a file of variables, with the quotes."""

    told = "the receiver is configured with a secret in double quotes"

    def digest(self, content: bytes) -> str:
        return hmac.new(b'"%s"' % self.secret, content, hashlib.sha256).hexdigest()


class DecodesBase64(Refusing):
    """Decodes a secret that is meant as text."""

    told = "the receiver takes the secret decoded from base64 for the key"
    secret_given = "c3BhcmUgcGFydHMgb2Yga2V5cw=="

    def digest(self, content: bytes) -> str:
        return hmac.new(base64.b64decode(self.secret), content, hashlib.sha256).hexdigest()


class StripsPrefix(Refusing):
    """Takes off the prefix of its secret, and decodes the rest, as a library of others does."""

    told = "the receiver takes the secret decoded from base64, its prefix taken off, for the key"
    secret_given = "whsec_c3BhcmUgcGFydHMgb2Yga2V5cw=="

    def digest(self, content: bytes) -> str:
        key = base64.b64decode(self.secret.removeprefix(b"whsec_"))
        return hmac.new(key, content, hashlib.sha256).hexdigest()


class DecodesHex(Refusing):
    """Decodes hexadecimal digits that are meant as text."""

    told = "the receiver takes the secret decoded from hexadecimal for the key"
    secret_given = "5aeb1f0c5aeb1f0c5aeb1f0c5aeb1f0e"

    def digest(self, content: bytes) -> str:
        return hmac.new(bytes.fromhex(self.secret.decode()), content, hashlib.sha256).hexdigest()


class DecodesBase64Loosely(Refusing):
    """Decodes a secret as PHP does, which leaves out what is no base64."""

    told = "the receiver takes the secret decoded from base64, in which '-', '_' and what is no"
    secret_given = "spare-parts-0001"

    def digest(self, content: bytes) -> str:
        return hmac.new(base64.b64decode("spareparts0001=="), content, hashlib.sha256).hexdigest()


class DecodesBase64UrlLoosely(Refusing):
    """Decodes a secret as Node.js does, whatever its length."""

    told = "the receiver takes the secret decoded from base64, in which what is no base64 is left"
    secret_given = "hookproof-secret-0001"

    def digest(self, content: bytes) -> str:
        key = base64.urlsafe_b64decode(self.secret[:-1])
        return hmac.new(key, content, hashlib.sha256).hexdigest()


class DecodesHexPartly(Refusing):
    """Decodes hexadecimal digits as Node.js does: up to the first that is none."""

    told = "the receiver takes the secret's beginning decoded from hexadecimal, up to where it is"
    secret_given = "deadbeef-0001"

    def digest(self, content: bytes) -> str:
        return hmac.new(b"\xde\xad\xbe\xef", content, hashlib.sha256).hexdigest()


class HasNoSecret(Refusing):
    """Runs where the variable is not set."""

    told = "the receiver verifies with an empty key instead of its secret"

    def digest(self, content: bytes) -> str:
        return hmac.new(b"", content, hashlib.sha256).hexdigest()


class HasUndefined(Refusing):
    """Makes a text of a variable that is not set."""

    told = "the receiver verifies with the word 'undefined' instead of its secret"

    def digest(self, content: bytes) -> str:
        return hmac.new(b"undefined", content, hashlib.sha256).hexdigest()


class HasAnotherSecret(Refusing):
    """Has the secret of another webhook."""

    told = (
        "a forged event gets the very same answer, so the signature was not recognised, and no"
        " known mistake explains it: most likely another secret"
    )

    def digest(self, content: bytes) -> str:
        return hmac.new(b"another", content, hashlib.sha256).hexdigest()


# --- the content ---------------------------------------------------------------------------------


class SignsBodyAlone(Refusing):
    """Signs the body alone."""

    told = (
        "the receiver computes the signature over the body alone, {body} instead of"
        " {timestamp}.{nonce}.{body}"
    )

    def signed(self, stamp: Stamp, body: bytes) -> bytes:
        return body


class ForgetsNonce(Refusing):
    """Signs time and body, as other senders have it."""

    told = (
        "the receiver computes the signature with a part left out, {timestamp}.{body} instead of"
        " {timestamp}.{nonce}.{body}"
    )

    def signed(self, stamp: Stamp, body: bytes) -> bytes:
        return stamp.timestamp.encode() + b"." + body


class ForgetsDots(Refusing):
    """Joins the parts with nothing between them."""

    told = "the receiver computes the signature with nothing between the parts"

    def signed(self, stamp: Stamp, body: bytes) -> bytes:
        return (stamp.timestamp + stamp.nonce).encode() + body


class TurnsRound(Refusing):
    """Joins the parts in the reverse order."""

    told = (
        "the receiver computes the signature in another order, {body}.{nonce}.{timestamp} instead"
    )

    def signed(self, stamp: Stamp, body: bytes) -> bytes:
        return body + f".{stamp.nonce}.{stamp.timestamp}".encode()


class SwapsTimeAndNonce(Refusing):
    """Joins the parts in the order in which it thought of them."""

    told = (
        "the receiver computes the signature in another order, {nonce}.{timestamp}.{body} instead"
    )

    def signed(self, stamp: Stamp, body: bytes) -> bytes:
        return f"{stamp.nonce}.{stamp.timestamp}.".encode() + body


class JoinsWithBars(Refusing):
    """Joins the parts as another sender does."""

    told = "the receiver computes the signature with '|' between the parts"

    def signed(self, stamp: Stamp, body: bytes) -> bytes:
        return f"{stamp.timestamp}|{stamp.nonce}|".encode() + body


# --- hash and encoding ---------------------------------------------------------------------------


class ComputesSha1(Refusing):
    """Has another algorithm in mind."""

    told = "the receiver computes HMAC with SHA1"

    def check_shape(self, stamp: Stamp) -> None:
        """Takes any length."""

    def digest(self, content: bytes) -> str:
        return hmac.new(self.secret, content, hashlib.sha1).hexdigest()


class ComputesSha512(ComputesSha1):
    """Has yet another algorithm in mind."""

    told = "the receiver computes HMAC with SHA512"

    def digest(self, content: bytes) -> str:
        return hmac.new(self.secret, content, hashlib.sha512).hexdigest()


class HashesPlainly(Refusing):
    """Hashes secret and content, one behind the other."""

    told = "the receiver computes a plain hash of secret and content, which is no HMAC"

    def digest(self, content: bytes) -> str:
        return hashlib.sha256(self.secret + content).hexdigest()


class HashesSecretLast(Refusing):
    """Hashes content and secret, one behind the other."""

    told = "the receiver computes a plain hash of content and secret, which is no HMAC"

    def digest(self, content: bytes) -> str:
        return hashlib.sha256(content + self.secret).hexdigest()


class ExchangesArguments(Refusing):
    """Gives the content as the key, and the key as the content."""

    told = "the receiver computes HMAC of the secret with the content as the key"

    def digest(self, content: bytes) -> str:
        return hmac.new(content, self.secret, hashlib.sha256).hexdigest()


class ExpectsCapitals(ComputesSha1):
    """Compares with upper-case digits."""

    told = "the receiver expects the signature in upper-case hexadecimal"

    def digest(self, content: bytes) -> str:
        return hmac.new(self.secret, content, hashlib.sha256).hexdigest().upper()


class ExpectsBase64(ComputesSha1):
    """Compares with base64."""

    told = "the receiver expects the signature in base64"

    def digest(self, content: bytes) -> str:
        raw = hmac.new(self.secret, content, hashlib.sha256).digest()
        return base64.b64encode(raw).decode()


class ExpectsName(ComputesSha1):
    """Compares with what another sender writes before its signature."""

    told = "the receiver expects the signature behind the hash's name and `=`"

    def digest(self, content: bytes) -> str:
        return "sha256=" + super(ComputesSha1, self).digest(content)


# --- time ----------------------------------------------------------------------------------------


class ComparesMilliseconds(Refusing):
    """Compares the timestamp with a clock that counts milliseconds."""

    told = "the receiver expects the timestamp in milliseconds"

    def check_shape(self, stamp: Stamp) -> None:
        """Takes any length."""

    def check_age(self, stamp: Stamp) -> None:
        if abs(self.now() * 1000 - int(stamp.timestamp)) > self.tolerance * 1000:
            raise RefusedError(401)


class RunsAhead(Refusing):
    """Has a clock that is a day ahead, and says so in each answer."""

    told = "the receiver's clock is about 24 h ahead of the one here"

    def now(self) -> float:
        return super().now() + 86_400

    def answer(self, status: int, start_response: StartResponse) -> Iterable[bytes]:
        def dated(line: str, headers: list[tuple[str, str]]) -> object:
            return start_response(line, [*headers, ("Date", formatdate(self.now(), usegmt=True))])

        return super().answer(status, dated)  # type: ignore[arg-type]


class ReadsLocalTime(Refusing):
    """Takes Unix seconds for local time somewhere, and answers a stale event in other words."""

    told = "the receiver accepts what is stamped -9 h from now: it reads Unix seconds as local time"

    def check_age(self, stamp: Stamp) -> None:
        local = str(int(stamp.timestamp) + 9 * 3600)
        try:
            super().check_age(Stamp(local, stamp.nonce, stamp.signature))
        except RefusedError as error:
            raise RefusedError(403) from error


class ReadsDates(Refusing):
    """Reads the timestamp as a date, which it is not, and fails over other mistakes."""

    told = "the receiver expects the timestamp as ISO 8601"

    def check_shape(self, stamp: Stamp) -> None:
        """Takes any length."""

    def keep_until(self, stamp: Stamp) -> float:
        return self.now() + self.tolerance

    def check_age(self, stamp: Stamp) -> None:
        try:
            sent = datetime.fromisoformat(stamp.timestamp).timestamp()
        except ValueError:
            raise RefusedError(401) from None
        if abs(self.now() - sent) > self.tolerance:
            raise RefusedError(401)


class TakesUtcForLocal(Refusing):
    """`datetime.utcnow().timestamp()`, an hour or two east of Greenwich; it cannot read the time
    of other mistakes, and looks away."""

    told = "the receiver accepts what is stamped -2 h from now: it reads Unix seconds as local time"

    def check_shape(self, stamp: Stamp) -> None:
        """Takes any length."""

    def keep_until(self, stamp: Stamp) -> float:
        return self.now() + self.tolerance

    def check_age(self, stamp: Stamp) -> None:
        if not stamp.timestamp.isdecimal():
            return
        if abs(self.now() - 7200 - int(stamp.timestamp)) > 300:
            raise RefusedError(401)


class FallsOverDates(TakesUtcForLocal):
    """Falls over a timestamp that is no number, and gives no answer at all."""

    def check_age(self, stamp: Stamp) -> None:
        if not stamp.timestamp.isdecimal():
            raise RefusedError(0)
        super().check_age(stamp)

    def answer(self, status: int, start_response: StartResponse) -> Iterable[bytes]:
        return super().answer(status, start_response) if status else []


class LooksAheadOnly(Refusing):
    """Has a clock that is far ahead, and takes whatever is younger than that."""

    told = "the receiver accepts what is stamped +2 h from now"

    def check_shape(self, stamp: Stamp) -> None:
        """Takes any length."""

    def keep_until(self, stamp: Stamp) -> float:
        return self.now() + self.tolerance

    def check_age(self, stamp: Stamp) -> None:
        if stamp.timestamp.isdecimal() and self.now() + 7200 - int(stamp.timestamp) > 300:
            raise RefusedError(401)


# --- what stands before the route ----------------------------------------------------------------


class CsrfWords(Refusing):
    """Stands behind a CSRF guard that says so."""

    told = "a CSRF guard stands before the route: exempt it"
    answer_text = "Forbidden: CSRF verification failed. Request aborted."

    def receive(self, request: Request) -> int:
        return 403


class CsrfToken(Refusing):
    """Stands behind a CSRF guard that says nothing, and compares cookie and header."""

    told = "a CSRF guard stands before the route, which lets the same event pass with a token"

    def receive(self, request: Request) -> int:
        token = request.header("X-CSRFToken")
        if not token or f"csrftoken={token}" not in (request.header("Cookie") or ""):
            return 403
        return super().receive(request)


class SlashRedirect(Refusing):
    """Has a slash at the end of its route."""

    told = (
        "senders do not follow redirects: register the final URL, http://in-process/webhook/"
        " (it differs in the slash at its end)"
    )
    answer_headers = (("Location", "/webhook/"),)

    def receive(self, request: Request) -> int:
        return 301


class HttpsRedirect(Refusing):
    """Sends everybody to https."""

    told = (
        "senders do not follow redirects: register the final URL, https://in-process/webhook"
        " (it wants https)"
    )
    answer_headers = (("Location", "https://in-process/webhook"),)

    def receive(self, request: Request) -> int:
        return 308


class LogInPage(Refusing):
    """Asks everybody to log in."""

    told = "a guard sends whoever has not logged in to a log-in page: exempt the webhook's route"
    answer_headers = (("Location", "/users/sign_in?next=/webhook"),)

    def receive(self, request: Request) -> int:
        return 302


class AsksForPassword(Refusing):
    """Stands behind HTTP authentication."""

    told = "a guard before the route asks for Basic credentials"
    answer_headers = (("WWW-Authenticate", 'Basic realm="staging"'),)

    def receive(self, request: Request) -> int:
        return 401


class SlashNeeded(Refusing):
    """Knows its route with a slash alone, and redirects nobody."""

    told = "the webhook is served at /webhook/, not at /webhook: register that URL"

    def receive(self, request: Request) -> int:
        return super().receive(request) if request.url == "/webhook/" else 404


class NotHere(Refusing):
    """Is served elsewhere."""

    told = "no webhook is served at this path"

    def receive(self, request: Request) -> int:
        return 404


class TakesOtherMethod(Refusing):
    """Is routed for another method."""

    told = "this path takes GET, PUT, and not the webhook's POST"
    answer_headers = (("Allow", "GET, PUT"),)

    def receive(self, request: Request) -> int:
        return 405


class TinyLimit(Refusing):
    """Takes bodies of a hundred bytes."""

    told = "its limit for bodies is below an ordinary event: raise it"

    def receive(self, request: Request) -> int:
        return 413 if len(request.body) > 100 else super().receive(request)


class WantsForm(Refusing):
    """Takes forms alone."""

    told = "it wants the Content-Type application/x-www-form-urlencoded"

    def receive(self, request: Request) -> int:
        if request.header("Content-Type") != "application/x-www-form-urlencoded":
            return 415
        return super().receive(request)


class OtherHosts(Refusing):
    """Serves the host names that it is told, and this one is not among them."""

    told = "it serves other host names than testserver"
    answer_text = "Invalid host header"

    def receive(self, request: Request) -> int:
        return 400


class BrowsersOnly(Refusing):
    """Stands behind a filter that keeps everything out that is no browser."""

    told = "it refuses requests without a browser's headers"

    def receive(self, request: Request) -> int:
        if "Mozilla" not in (request.header("User-Agent") or ""):
            return 403
        return super().receive(request)


class TlsPort(Refusing):
    """Is called without TLS on the port for TLS."""

    told = "it speaks TLS on this port: register the address with https"
    answer_text = "The plain HTTP request was sent to HTTPS port"

    def receive(self, request: Request) -> int:
        return 400


class AppendsSlash(Refusing):
    """Has a slash at the end of its route, and runs in a framework's debug mode."""

    told = "its route ends in a slash: register the URL with the slash at its end"
    answer_text = "RuntimeError: You called this URL via POST, but the URL doesn't end in a slash"

    def receive(self, request: Request) -> int:
        return 500


class WantsToken(Refusing):
    """Stands behind a guard that wants a token."""

    told = "its answer asks for credentials"
    answer_text = '{"msg": "Missing Authorization Header"}'

    def receive(self, request: Request) -> int:
        return 401


# --- header and payload --------------------------------------------------------------------------


class OtherHeader(Refusing):
    """Looks into another header."""

    told = "it looks for the signature in another header, one of X-Signature, X-Webhook-Signature"

    def header(self, request: Request) -> str:
        value = request.header("X-Signature")
        return super().header(request.with_header(HEADER, value or ""))


class BindsOtherHeader(Refusing):
    """Has a framework that binds a parameter to another header."""

    told = f"it asks for a header x-mw-sign, and the document's signature is in {HEADER}"
    answer_text = '{"detail":[{"type":"missing","loc":["header","x-mw-sign"]}]}'

    def receive(self, request: Request) -> int:
        return 422


class WantsNumber(Refusing):
    """Has a column of numbers for nonces."""

    told = "its answer speaks of the nonce: compare what it takes for one"
    answer_text = "nonce must be a number"

    def receive(self, request: Request) -> int:
        return 400


class StrictModel(Refusing):
    """Checks events with a model that asks for more than the document does."""

    told = "its own check of the payload names 'articleCode'"
    answer_text = '{"errors": {"articleCode": "must be a number"}}'

    def read(self, body: bytes) -> str:
        raise RefusedError(422)


class WantsUuid(Refusing):
    """Has a column of type UUID for nonces."""

    told = "it takes only UUIDs for nonces"

    def check_shape(self, stamp: Stamp) -> None:
        if stamp.nonce.count("-") != 4:
            raise RefusedError(400)


class RefusesSomething(Refusing):
    """Recognises the signature, and refuses the event for a reason of its own."""

    told = "a forged event gets another answer (401), so the signature was recognised"

    def read(self, body: bytes) -> str:
        raise RefusedError(403)


class Raises(Refusing):
    """Fails inside, and shows how."""

    told = "the receiver fails inside with KeyError: see its log"
    answer_text = "Traceback (most recent call last): …\nKeyError: 'sparePart'"

    def receive(self, request: Request) -> int:
        return 500


class BehindDeadGateway(Refusing):
    """Has died behind its gateway."""

    told = "a gateway answers in its place: the application behind it is down"

    def receive(self, request: Request) -> int:
        return 502


class TwoInstances(Refusing):
    """Is two instances, of which one has an older secret."""

    told = "not always: of events that are alike it accepts some"

    def digest(self, content: bytes) -> str:
        key = self.secret if self.served % 2 else b"older"
        return hmac.new(key, content, hashlib.sha256).hexdigest()


RECEIVERS: tuple[type[Refusing], ...] = (*Refusing.__subclasses__(), FallsOverDates)
