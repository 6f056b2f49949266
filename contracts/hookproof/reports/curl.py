"""Lines for a shell that sign recorded requests anew and send them with curl.

python3 stands in for what a shell lacks, an HMAC whose key is in no argument that `ps` shows.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from hookproof.reports.resigning import (
    AHEAD,
    GUESSES,
    HASHES,
    PLACEHOLDER,
    PROMPT,
    Recorded,
    Scheme,
    Stamp,
)

SHOWN = 4
"""How many different requests are written out."""
LONGEST = 60_000
"""Linux takes no argument of 128 KiB or more, and a body's bytes may take two characters each."""
_DECODERS = {
    "hex": "bytes.fromhex(k)",
    "base64": 'base64.b64decode(k.rstrip("=")+"="*(-len(k.rstrip("="))%4))',
}
_WRITERS = {
    "hex": "r.hex()",
    "base64": "base64.b64encode(r).decode()",
    "base64url": 'base64.urlsafe_b64encode(r).decode().rstrip("=")',
}
_TIMES = {
    "s": "str(int(T))",
    "ms": "str(int(T*1000))",
    "iso8601": "datetime.datetime.fromtimestamp(T,datetime.timezone.utc)"
    '.isoformat(timespec="milliseconds").replace("+00:00","Z")',
    "iso8601-utc": "datetime.datetime.fromtimestamp(T,datetime.timezone.utc)"
    '.isoformat(timespec="milliseconds")[:-6]',
    "http-date": "email.utils.formatdate(T,usegmt=True)",
}


def curl_lines(requests: Sequence[Recorded], words: Mapping[str, object], each: str) -> str:
    """Return lines for a POSIX shell; "" where a body is too long for one.

    `each` is how a command is written: `COMMAND`, or in a loop.
    """
    shown = requests[:SHOWN]
    if any(len(one.body) > LONGEST for one in shown):
        return ""
    scheme = Scheme(words)
    stamps: list[Stamp] = []
    lines = [line for one in shown for line in _lines(one, scheme, stamps, each)]
    if len(requests) > SHOWN:
        lines.append(f"# and {len(requests) - SHOWN} more requests, which the script sends")
    return "\n".join(lines) + "\n"


def _lines(one: Recorded, scheme: Scheme, stamps: list[Stamp], each: str) -> Iterator[str]:
    """Yield the lines of a request; one with an earlier one's stamp carries what that carried."""
    yield f"# {one.note if one.note.isprintable() else ascii(one.note)}"
    yield f"b() {{ printf '%b' {shlex.quote(_escaped(one.body))}; }}"
    carried = {name.lower() for name in scheme.carried}
    lines = [line for line in one.headers if line[0].lower() in carried]
    stamp = scheme.stamp(one.headers)
    signed = bool(stamp.signatures) and bool(lines)
    if signed and stamp not in stamps:
        stamps.append(stamp)
        variable = f"h{len(stamps)}"
        yield f"{variable}=$(b | python3 -c {shlex.quote(_program(one, scheme, stamp, lines))})"
    words = ["b | curl -sS -i --globoff --path-as-is -X", shlex.quote(one.method)]
    words.append(shlex.quote(one.url))
    for name, value in one.headers:
        if not signed or name.lower() not in carried:
            words += ["-H", _header(name, value)]
    if signed:
        variable = f"h{stamps.index(stamp) + 1}"
        for number in range(1, len(lines) + 1):
            words += ["-H", f'"$(printf "%s\\n" "${variable}" | sed -n {number}p)"']
    if "content-type" not in {name.lower() for name, _ in one.headers}:
        words += ["-H", "Content-Type:"]  # else curl calls every body a form
    words.append("--data-binary @-")
    yield each.replace("COMMAND", " ".join(words))


def _program(one: Recorded, scheme: Scheme, stamp: Stamp, lines: Sequence[tuple[str, str]]) -> str:
    """Return a program that reads the body and prints the header lines.

    It signs as the recorded signature was made: with the secret, or with a key that a forger takes.
    """
    key = scheme.words["key"] if isinstance(scheme.words.get("key"), Mapping) else {}
    rule: Mapping[str, object] = key if isinstance(key, Mapping) else {}
    content = ",".join(_content(scheme))
    name = str(scheme.words["algorithm"]).removeprefix("hmac-")
    printed = '+"\\n"+'.join(
        json.dumps(f"{name}: ") + "+" + _shape(value, stamp) for name, value in lines
    )
    return ";".join(
        (
            "import base64,datetime,email.utils,hashlib,hmac,os,secrets,sys,time",
            f'k=os.environ["HOOKPROOF_SECRET"]{_stripped(rule)}',
            f"k={_DECODERS.get(str(rule.get('text')), 'k.encode()')}",
            "b=sys.stdin.buffer.read()",
            f"S=lambda r:{_WRITERS[scheme.encoding]}",
            f'f=lambda t,n,k,d:S(hmac.new(k,b"".join([{content}]),d).digest())',
            f"W=[(k,{json.dumps(name)})]+[(x.encode(),{json.dumps(name)}) for x in"
            f" {json.dumps([*GUESSES, *scheme.carried])}]+[(k,d) for d in {json.dumps(HASHES)}]",
            f"T=time.time(){_age(one, scheme, stamp)}",
            f"t={_time(scheme, stamp)}",
            f"n={_nonce(stamp.nonce)}",
            f"o={json.dumps(list(stamp.signatures))}",
            f"p=({json.dumps(stamp.timestamp)},{json.dumps(stamp.nonce)})",
            "s=[next((f(t,n,*w) for w in W if f(*p,*w)==x),x) for x in o]",
            f'sys.stdout.buffer.write(({printed}).encode("latin-1"))',
        )
    )


def _stripped(rule: Mapping[str, object]) -> str:
    prefix = rule.get("without", "")
    return f".removeprefix({json.dumps(prefix)})" if prefix else ""


def _content(scheme: Scheme) -> Iterator[str]:
    names = {"timestamp": 't.encode("latin-1")', "nonce": 'n.encode("latin-1")', "body": "b"}
    for at, part in enumerate(PLACEHOLDER.split(scheme.content)):
        if at % 2:
            yield names[part]
        elif part:
            yield f"{json.dumps(part)}.encode()"


def _age(one: Recorded, scheme: Scheme, stamp: Stamp) -> str:
    then = scheme.time(stamp.timestamp)
    age = 0 if then is None else round(one.sent - then)
    return "" if -AHEAD <= age <= PROMPT else f"{-age:+d}"


def _time(scheme: Scheme, stamp: Stamp) -> str:
    known = scheme.time(stamp.timestamp) is not None
    return _TIMES[scheme.unit] if known else json.dumps(stamp.timestamp)


def _nonce(nonce: str) -> str:
    if re.fullmatch("[0-9a-f]{8,}", nonce):
        return f"secrets.token_hex({(len(nonce) + 1) // 2})[:{len(nonce)}]"
    # What else it is made of is not known: its digits alone are drawn anew.
    return (
        f'"".join(secrets.choice("123456789") if c.isdigit() else c for c in {json.dumps(nonce)})'
    )


def _shape(value: str, stamp: Stamp) -> str:
    """Return an expression for a header's value with its time, nonce and signatures new."""
    known = {stamp.timestamp: "t", stamp.nonce: "n"}
    known |= {text: f"s[{at}]" for at, text in enumerate(stamp.signatures)}
    texts = sorted(filter(None, known), key=len, reverse=True)
    parts = re.split(f"({'|'.join(map(re.escape, texts))})", value) if texts else [value]
    return "+".join(known[part] if part in texts else json.dumps(part) for part in parts if part)


def _header(name: str, value: str) -> str:
    line = f"{name}: {value}" if value else f"{name};"
    if line.isprintable() and line.isascii():
        return shlex.quote(line)
    return f"\"$(printf '%b' {shlex.quote(_escaped(line.encode('latin-1', 'replace')))})\""


def _escaped(data: bytes) -> str:
    """Write bytes as `printf %b` of POSIX reads them."""
    return "".join(
        chr(byte) if 32 <= byte < 127 and byte != 92 else f"\\0{byte:03o}" for byte in data
    )
