"""Makes recorded requests anew: fresh times, nonces and markers, and each signature as it was made.

A report's scripts hold this file whole: it uses Python's standard library alone, and nothing else
of hookproof. What a signature was made of is found out with the secret: it is made again in each
way that a forger is known to take, until one gives what was recorded.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from itertools import product

Sign = Callable[[bytes], str]
PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
MARKER = re.compile(rb"(?<=hookproof-)[0-9a-f]{16}")
UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
GUESSES = ["", "secret", "changeme", "test", "webhook_secret", "WEBHOOK_SECRET"]
GUESSES += ["your-secret-key", "undefined", "null", "None"]
HASHES = ("sha1", "sha256", "sha384", "sha512", "md5")
PROMPT = 5.0
"""A timestamp that was at most so many seconds older than the sending meant `now`."""
AHEAD = 1.0
"""One that was further ahead was meant to be."""


@dataclass(frozen=True)
class Recorded:
    """A request as it was sent; `sent` is about when, in Unix seconds."""

    note: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    sent: float


@dataclass(frozen=True)
class Remade:
    """A request made anew.

    `kept` says that its signature could not be made as it was, `genuine` that it was a right one.
    """

    request: Recorded
    kept: bool = False
    genuine: bool = False


@dataclass(frozen=True)
class Stamp:
    """What the headers of a request carry."""

    timestamp: str = ""
    nonce: str = ""
    signatures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parts:
    """A recorded request, what its headers carry, and what is to stand there now."""

    recorded: Recorded
    stamp: Stamp
    new: Stamp
    body: bytes


Way = Callable[[Stamp, bytes], str]
"""How a signature is made, from what is carried and the body."""


class Scheme:
    """A signature scheme, from the words of `x-webhook-signature`."""

    def __init__(self, words: Mapping[str, object]) -> None:
        self.words = words
        self.content = str(words["content"])
        self.encoding = str(words["encoding"])
        self.unit = str(self._part("timestamp").get("unit", "s"))
        self.carried = {str(k): str(v) for k, v in _mapping(self._part("carry"), "header").items()}

    def _part(self, name: str) -> Mapping[str, object]:
        return _mapping(self.words, name)

    def key(self, secret: str) -> bytes:
        """Return the bytes that a secret means."""
        rule = self._part("key")
        text = secret.removeprefix(str(rule.get("without", "")))
        if rule.get("text") == "hex":
            return bytes.fromhex(text)
        if rule.get("text") == "base64":
            return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
        return text.encode()

    def signer(self, key: bytes, hash_name: str = "") -> Sign:
        """Return the HMAC under a key, with the scheme's hash unless another is named."""
        name = hash_name or str(self.words["algorithm"]).removeprefix("hmac-")
        return lambda content: self.written(hmac.new(key, content, name).digest())

    def written(self, raw: bytes) -> str:
        """Write a signature's bytes."""
        if self.encoding == "hex":
            return raw.hex()
        if self.encoding == "base64":
            return base64.b64encode(raw).decode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def signed(self, stamp: Stamp, body: bytes, template: str = "") -> bytes:
        """Return the bytes that are signed."""
        values = {"timestamp": _wire(stamp.timestamp), "nonce": _wire(stamp.nonce), "body": body}
        parts = PLACEHOLDER.split(template or self.content)
        return b"".join(values[p] if at % 2 else p.encode() for at, p in enumerate(parts))

    def stamp(self, headers: Iterable[tuple[str, str]]) -> Stamp:
        """Return what the headers carry, as far as it can be read."""
        lines = {name.lower(): value for name, value in reversed(tuple(headers))}
        values: dict[str, str] = {}
        signatures: list[str] = []
        for name, template in self.carried.items():
            for found, value in self._fields(template, lines.get(name.lower(), "")):
                if found.startswith("signature"):
                    signatures.append(value)
                else:
                    values.setdefault(found, value)
        return Stamp(values.get("timestamp", ""), values.get("nonce", ""), tuple(signatures))

    def _fields(self, template: str, line: str) -> Iterator[tuple[str, str]]:
        literals, names = PLACEHOLDER.split(template)[::2], PLACEHOLDER.split(template)[1::2]
        repeat = self._part("repeat")
        item, between = str(repeat.get("item", "")).partition("{")[0], str(repeat.get("separator"))
        if len(names) == 1 and names[0] == "signatures":
            parts = [part.strip() for part in line.removeprefix(literals[0]).split(between)]
            yield from (("signature", p.removeprefix(item)) for p in parts if p.startswith(item))
        elif len(names) == 1:
            yield names[0], line.strip().removeprefix(literals[0])
        else:
            separator = re.sub(r"[A-Za-z0-9_-]+=$", "", literals[1]).strip() or ","
            keys = {lit.strip(separator + " "): n for lit, n in zip(literals, names, strict=False)}
            keys |= {item: "signature"} if "signatures" in names else {}
            for part in line.split(separator):
                key, equals, value = part.strip(" ").partition("=")
                if key + equals in keys:
                    yield keys[key + equals], value

    def time(self, text: str) -> float | None:
        """Return the Unix seconds that a timestamp's text means."""
        try:
            if self.unit == "http-date":
                return parsedate_to_datetime(text).timestamp()
            if self.unit.startswith("iso8601"):
                moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
                return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
            return int(text) / (1000 if self.unit == "ms" else 1) if text.isdecimal() else None
        except (ValueError, TypeError, OverflowError, IndexError):
            return None

    def time_text(self, seconds: float) -> str:
        """Write Unix seconds."""
        if self.unit == "http-date":
            moment = datetime.fromtimestamp(int(seconds), UTC)
            return format_datetime(moment, usegmt=True)
        if self.unit.startswith("iso8601"):
            text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
            return text.replace("+00:00", "" if self.unit.endswith("utc") else "Z")
        return str(int(seconds * 1000 if self.unit == "ms" else seconds))


class Maker:
    """Makes the requests of one finding anew, so that what they had in common they still have."""

    def __init__(self, scheme: Scheme, sign: Sign, key: bytes, now: float) -> None:
        self.scheme, self.sign, self.key, self.now = scheme, sign, key, now
        self.shifts = [secrets.randbelow(15) + 1 for _ in range(512)]

    def remade(self, recorded: Iterable[Recorded]) -> list[Remade]:
        """Return the requests anew, in their order."""
        parts = [self._parts(one) for one in recorded]
        signatures = self._signatures(parts)
        return [self._one(part, signatures) for part in parts]

    def genuine(self, like: Remade) -> Recorded:
        """Return the genuine request that a remade one is a copy of."""
        stamp = self.scheme.stamp(like.request.headers)
        signature = self.sign(self.scheme.signed(stamp, like.request.body))
        item = str(_mapping(self.scheme.words, "repeat").get("item", "{signature}"))
        values = {"timestamp": stamp.timestamp, "nonce": stamp.nonce, "signature": signature}
        values["signatures"] = item.replace("{signature}", signature)
        names = {name.lower() for name in self.scheme.carried}
        plain = tuple(line for line in like.request.headers if line[0].lower() not in names)
        lines = [
            (name, PLACEHOLDER.sub(lambda found: values.get(found[1], ""), template))
            for name, template in self.scheme.carried.items()
        ]
        note = "the genuine request first"
        return replace(like.request, note=note, headers=(*plain, *lines))

    def _parts(self, one: Recorded) -> Parts:
        stamp = self.scheme.stamp(one.headers)
        new = Stamp(self._time(stamp.timestamp, one.sent), self._nonce(stamp.nonce))
        return Parts(one, stamp, new, self._body(one.body))

    def _one(self, part: Parts, signatures: Mapping[str, str]) -> Remade:
        one, stamp, new = part.recorded, part.stamp, part.new
        texts = {stamp.timestamp: new.timestamp, stamp.nonce: new.nonce}
        unknown = [text for text in stamp.signatures if text and text not in signatures]
        texts |= {text: self._transplanted(text, part) for text in unknown}
        texts |= {text: signatures[text] for text in stamp.signatures if text in signatures}
        carried = {name.lower() for name in self.scheme.carried}
        headers = tuple(
            (name, _swapped(value, texts) if name.lower() in carried else value)
            for name, value in one.headers
        )
        right = self.sign(self.scheme.signed(stamp, one.body)) in stamp.signatures
        made = replace(one, headers=headers, body=part.body)
        return Remade(made, kept=bool(unknown), genuine=right)

    def _transplanted(self, signature: str, part: Parts) -> str:
        """Return a genuine signature of another body, for one of which nothing is known."""
        other = self.sign(self.scheme.signed(part.new, part.body + b" "))
        return other if len(other) == len(signature) else signature

    def _signatures(self, parts: list[Parts]) -> dict[str, str]:
        """Return recorded signatures with what they are now, where it can be told what they were.

        One that signs another request's body, or was copied with its time and nonce changed, is
        made once, for the request that it belongs to.
        """
        known: dict[str, str] = {}
        for part in parts:
            for signature in part.stamp.signatures:
                way = self._way(signature, part.stamp, part.recorded.body)
                if way is not None:
                    known.setdefault(signature, way(part.new, part.body))
        for part, other in product(parts, parts):
            signed = self.sign(self.scheme.signed(part.stamp, other.recorded.body))
            if signed in part.stamp.signatures:
                known.setdefault(signed, self.sign(self.scheme.signed(part.new, other.body)))
        return known

    def _way(self, signature: str, stamp: Stamp, body: bytes) -> Way | None:
        for sign, template in product(self._makers(), self._contents()):
            right = sign(self.scheme.signed(stamp, body, template))
            if signature in (right, right.upper()):
                return self._by(sign, template, len(right), upper=signature != right)
            if signature and right.startswith(signature):
                return self._by(sign, template, len(signature))
        return None

    def _by(self, sign: Sign, template: str, size: int, *, upper: bool = False) -> Way:
        def way(stamp: Stamp, body: bytes) -> str:
            text = sign(self.scheme.signed(stamp, body, template))[:size]
            return text.upper() if upper else text

        return way

    def _contents(self) -> tuple[str, ...]:
        """Return what a forger may sign: the right content, and less of it."""
        names = PLACEHOLDER.findall(self.scheme.content)
        joined = PLACEHOLDER.split(self.scheme.content)[2] if len(names) > 1 else ""
        less = [joined.join(f"{{{n}}}" for n in names if n != left) for left in names]
        return tuple(dict.fromkeys((self.scheme.content, *less, "{body}")))

    def _makers(self) -> Iterator[Sign]:
        """Yield the ways in which a forger makes a signature, the right one first."""
        yield self.sign
        if str(self.scheme.words["algorithm"]).startswith("hmac-"):
            keys = [guess.encode() for guess in (*GUESSES, *self.scheme.carried)]
            yield from (self.scheme.signer(key) for key in keys)
            yield from (self.scheme.signer(self.key, name) for name in HASHES)
        yield from (self._bare(name) for name in HASHES)

    def _bare(self, name: str) -> Sign:
        return lambda content: self.scheme.written(hashlib.new(name, content).digest())

    def _time(self, text: str, sent: float) -> str:
        then = self.scheme.time(text)
        if then is None:
            return text
        age = sent - then
        try:
            prompt = -AHEAD <= age <= PROMPT
            return self.scheme.time_text(self.now if prompt else self.now - round(age))
        except (ValueError, OverflowError):  # further away than a calendar goes
            return text

    def _nonce(self, text: str) -> str:
        """Return a fresh nonce of the same shape; what two nonces had in common they still have."""
        fixed = text.rfind("_") + 1
        held = (14, 19) if UUID.fullmatch(text) else ()
        return "".join(
            self._turned(character, at, text) if at >= fixed and at not in held else character
            for at, character in enumerate(text)
        )

    def _turned(self, character: str, at: int, text: str) -> str:
        alphabets = ("0123456789abcdef", "0123456789", "abcdefghijklmnopqrstuvwxyz")
        wanted: tuple[str, ...] = alphabets if re.fullmatch(r"[0-9a-f-]*", text) else alphabets[1:]
        for alphabet in (*wanted, alphabets[2].upper()):
            if character in alphabet:
                shift = self.shifts[at % len(self.shifts)]
                return alphabet[(alphabet.index(character) + shift) % len(alphabet)]
        return character

    def _body(self, body: bytes) -> bytes:
        return MARKER.sub(lambda found: self._nonce(found[0].decode()).encode(), body)


def _swapped(value: str, texts: Mapping[str, str]) -> str:
    """Put new texts in the place of old ones; a short one only where it stands by itself."""
    alone = r"(?<![0-9A-Za-z])%s(?![0-9A-Za-z])"
    known = [(re.escape(old), len(old)) for old in sorted(filter(None, texts), key=len)]
    patterns = [text if size > 20 else alone % text for text, size in reversed(known)]
    if not patterns:
        return value
    return re.sub("|".join(patterns), lambda found: texts[found[0]], value)


def _mapping(words: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = words.get(name)
    return part if isinstance(part, Mapping) else {}


def _wire(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
