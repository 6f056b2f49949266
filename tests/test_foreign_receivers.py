"""The receivers of `tests/receivers` are what they claim: right, or wrong in exactly one way.

The client here is the standard library and ten lines of signing, so that neither a receiver nor
what is said about it depends on the code that is going to judge it.
"""

import hashlib
import hmac
import http.client
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.foreign import (
    KINDS,
    RECEIVERS,
    SECRET,
    DidNotStartError,
    RunningReceiver,
    available,
    running,
)
from support.planted import BUGS, exposed_by, warned_by

pytestmark = pytest.mark.once
DAY = 86400
COPIES = 20
PATIENCE = 30.0
"""Seconds for an answer: a limit for a receiver that hangs, not a measure."""
RULE_ID = re.compile("[a-z]+(-[a-z0-9]+)+")

# What the vendor's own PHP formula makes of the vendor's own example, under SECRET.
VENDOR_TIME = 1660338149
VENDOR_NONCE = "752c14ea195c460bac3c3b7896975ee9fd15eeb7"
VENDOR_BODY = (
    b'{"_event":"Spare part was out of stock","_date":"2024-07-29T15:51:28.071Z",'
    b'"_metadata":[null],"stock":{"location":{"locationId":"string","name":"string"}},'
    b'"sparePart":{"sparePartId":"string","name":"string","articleCode":"string"},'
    b'"movement":{"on":"2024-07-29T15:51:28.071Z"}}'
)
VENDOR_SIGNATURE = "dae5b2ddbc4d820c2feb33bf25c8885ea578c14d2905aa88d91b96b52318dcfc"


# --- a sender in ten lines -----------------------------------------------------------------------


def sign(time_: int, nonce: str, body: bytes, secret: str = SECRET) -> str:
    content = f"{time_}.{nonce}.".encode() + body
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Message:
    """A request to be sent. `signature` None is the right one for the rest of it."""

    body: bytes
    part: str = ""
    time: int = field(default_factory=lambda: int(time.time()))
    nonce: str = field(default_factory=lambda: secrets.token_hex(20))
    secret: str = SECRET
    signature: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def header(self) -> str:
        signature = self.signature or sign(self.time, self.nonce, self.body, self.secret)
        return f"t={self.time},nonce={self.nonce},signature={signature}"

    def sealed(self) -> "Message":
        """The same with its signature written out, which later changes no longer follow."""
        return replace(self, signature=sign(self.time, self.nonce, self.body, self.secret))

    def with_header(self, header: str) -> "Message":
        return replace(self, headers={**self.headers, "X-MW-Signature": header})


def event(name: str = "string") -> Message:
    """A new event, compact as the vendor's page shows it, with a part id of its own.

    `name` is JSON text between quotes, to be written as it is.
    """
    part = secrets.token_hex(8)
    body = VENDOR_BODY.replace(b'"sparePartId":"string"', b'"sparePartId":"%s"' % part.encode())
    body = body.replace(b'"name":"string"', b'"name":"%s"' % name.encode())
    return Message(part=part, body=body)


def reformatted(message: Message, change: Callable[[bytes], bytes]) -> Message:
    return replace(message, body=change(message.body))


# --- a client ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """Status 0 is no answer: nothing within the time, or bytes that are no HTTP."""

    status: int
    text: str = ""
    location: str = ""


def send(receiver: RunningReceiver, message: Message, timeout: float = PATIENCE) -> Answer:
    return post(
        receiver, message.body, {"X-MW-Signature": message.header, **message.headers}, timeout
    )


def post(
    receiver: RunningReceiver, body: bytes, headers: Mapping[str, str], timeout: float = 10
) -> Answer:
    target = urlsplit(receiver.url)
    connection = http.client.HTTPConnection("127.0.0.1", target.port or 0, timeout=timeout)
    try:
        connection.request(
            "POST", target.path, body, {"Content-Type": "application/json", **headers}
        )
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        return Answer(response.status, text, response.headers.get("Location", ""))
    except (TimeoutError, http.client.BadStatusLine, ConnectionError):
        return Answer(0)
    finally:
        connection.close()


def send_at_once(receiver: RunningReceiver, message: Message) -> list[Answer]:
    gate = threading.Barrier(COPIES)

    def one(_: int) -> Answer:
        gate.wait(timeout=PATIENCE)
        return send(receiver, message)

    with ThreadPoolExecutor(COPIES) as pool:
        return list(pool.map(one, range(COPIES)))


def effects(receiver: RunningReceiver) -> list[str]:
    target = urlsplit(receiver.effects_url)
    connection = http.client.HTTPConnection("127.0.0.1", target.port or 0, timeout=PATIENCE)
    try:
        connection.request("GET", target.path)
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    assert answer["processed"] == len(answer["ids"])
    return list(answer["ids"])


def effects_of(receiver: RunningReceiver, message: Message) -> int:
    return effects(receiver).count(message.part)


def is_processed(receiver: RunningReceiver, message: Message) -> bool:
    """Answered 200, with one effect more than there were."""
    before = effects_of(receiver, message)
    answer = send(receiver, message)
    return answer.status == 200 and effects_of(receiver, message) == before + 1


def is_refused(receiver: RunningReceiver, message: Message) -> bool:
    """Answered 4xx, with no effect more than there were."""
    before = effects_of(receiver, message)
    answer = send(receiver, message)
    return 400 <= answer.status < 500 and effects_of(receiver, message) == before


# --- what each bug does --------------------------------------------------------------------------
# One function for each: True where the bug shows. On a receiver without it, it has to be False.

Shows = Callable[[RunningReceiver], bool]


def loses(change: Callable[[Message], Message]) -> Shows:
    return lambda receiver: not is_processed(receiver, change(event()))


def accepts(forge: Callable[[Message], Message]) -> Shows:
    """A forgery that needs nothing but an event never sent."""
    return lambda receiver: is_processed(receiver, forge(event()))


def accepts_after_genuine(forge: Callable[[Message], Message]) -> Shows:
    """A forgery made of an event that was sent, and accepted, before."""

    def shows(receiver: RunningReceiver) -> bool:
        captured = event().sealed()
        assert is_processed(receiver, captured)
        return is_processed(receiver, forge(captured))

    return shows


def pretty(body: bytes) -> bytes:
    return json.dumps(json.loads(body), indent=4).encode()


def backwards(body: bytes) -> bytes:
    members = dict(reversed(json.loads(body).items()))
    return json.dumps(members, separators=(",", ":")).encode()


def with_php_escapes(message: Message) -> Message:
    escaped = message.body.replace(
        b'"articleCode":"string"', rb'"articleCode":"REF\/42 \u00e9tanche"'
    )
    return replace(message, body=escaped)


def with_utf8(message: Message) -> Message:
    letters = "Lagerstück é 😀 \u2028 漢字".encode()
    return replace(
        message,
        body=message.body.replace(b'"articleCode":"string"', b'"articleCode":"%s"' % letters),
    )


def as_pretty(message: Message) -> Message:
    return reformatted(message, pretty)


def with_line_feed(message: Message) -> Message:
    return reformatted(message, lambda body: body + b"\n")


def in_reverse(message: Message) -> Message:
    return reformatted(message, backwards)


def other_content(message: Message) -> Message:
    return reformatted(message, lambda body: body.replace(b"out of stock", b"found again!"))


def refreshed_time(message: Message) -> Message:
    return replace(replace(message, time=message.time - 10 * DAY).sealed(), time=message.time)


def with_fresh_pair_appended(message: Message) -> Message:
    stale = replace(message, time=message.time - 10 * DAY)
    return message.with_header(f"{stale.header},t={message.time},nonce={secrets.token_hex(20)}")


def duplicates_itself(receiver: RunningReceiver) -> bool:
    message = event()
    for _ in range(3):
        send(receiver, message)
    return effects_of(receiver, message) > 1


def acts_twice_in_a_race(receiver: RunningReceiver) -> bool:
    message = event()
    send_at_once(receiver, message)
    return effects_of(receiver, message) > 1


def loses_event_after_forgery(receiver: RunningReceiver) -> bool:
    message = event()
    assert is_refused(receiver, replace(message, signature="0" * 64))
    return not is_processed(receiver, message)


def accepts_no_header(receiver: RunningReceiver) -> bool:
    message = event()
    return post(receiver, message.body, {}).status == 200 and effects_of(receiver, message) == 1


def crashes_on(*headers: str) -> Shows:
    return lambda receiver: any(
        post(receiver, VENDOR_BODY, {"X-MW-Signature": header}).status == 500 for header in headers
    )


def answers(status: int, *, text: str = "", location: str = "") -> Shows:
    def shows(receiver: RunningReceiver) -> bool:
        answer = send(receiver, event())
        is_there = text in answer.text and answer.location.endswith(location)
        return answer.status == status and is_there

    return shows


def hangs(receiver: RunningReceiver) -> bool:
    """Silent for half a second, and again for longer: one silence may be a busy machine's."""
    return all(send(receiver, event(), timeout).status == 0 for timeout in (0.5, 3))


GARBAGE = ("x", ",", "=", "t", "t=,nonce=,signature=", "t=1,t=1", "a=b,c=d", "t=1;nonce=2")

SHOWN_BY: Mapping[str, tuple[Shows, ...]] = {
    "reserialize": (loses(as_pretty),),
    "reserialize-spaced": (loses(lambda message: message),),
    "ascii-body": (loses(with_utf8),),
    "trim-body": (loses(with_line_feed),),
    "minify": (loses(as_pretty),),
    "sort-keys": (loses(in_reverse),),
    "no-header-ok": (accepts_no_header,),
    "no-verify": (accepts(lambda message: replace(message, signature="0" * 64)),),
    "empty-secret-ok": (accepts(lambda message: replace(message, secret="")),),
    "body-unsigned": (accepts_after_genuine(other_content),),
    "timestamp-unsigned": (accepts(refreshed_time),),
    "nonce-unsigned": (accepts_after_genuine(lambda old: replace(old, nonce=event().nonce)),),
    "two-parsers": (accepts(with_fresh_pair_appended),),
    "crash-on-garbage": (crashes_on(*GARBAGE),),
    "no-age": (
        accepts(lambda message: replace(message, time=message.time - DAY)),
        accepts(lambda message: replace(message, time=0)),
        accepts(lambda message: replace(message, time=message.time + DAY)),
    ),
    "no-replay": (duplicates_itself, acts_twice_in_a_race),
    "per-process-nonces": (acts_twice_in_a_race,),
    "check-then-set": (acts_twice_in_a_race,),
    "burn-nonce-first": (loses_event_after_forgery,),
    "unsigned-replay-key": (
        accepts_after_genuine(lambda old: replace(old, headers={"X-Request-Id": event().nonce})),
    ),
    "csrf": (answers(403, text="CSRF token missing"),),
    "redirect": (answers(301, location="/webhook/"),),
    "hang": (hangs,),
    "garbage": (answers(0),),
    "refuse-all": (answers(401),),
    "wrong-secret": (loses(lambda message: message),),
}

# Bugs with which not even a plain event gets through; any other bug leaves it alone.
BLOCKING = {bug for bug, planted in BUGS.items() if "valid-basic" in planted.exposed_by}
PLANTED = [(kind, bug) for bug, planted in BUGS.items() for kind in planted.kinds]
# The two forms of gunicorn run one file: its bugs are tried with one, those of workers with both.
TRIED = [
    (kind, bug)
    for kind, bug in PLANTED
    if kind != "flask-gthread" or bug in {"per-process-nonces", "check-then-set", "garbage", "hang"}
]


# --- fixtures ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def start_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], RunningReceiver]]:
    """The right receiver of a kind, started by the first test that wants it."""
    started: dict[str, RunningReceiver] = {}
    with ExitStack() as stack:

        def start(kind: str) -> RunningReceiver:
            if kind not in started:
                store = tmp_path_factory.mktemp(kind) / "store.sqlite"
                started[kind] = stack.enter_context(running(kind, store=store))
            return started[kind]

        yield start


@pytest.fixture(params=KINDS, scope="session")
def receiver(
    request: pytest.FixtureRequest, start_once: Callable[[str], RunningReceiver]
) -> RunningReceiver:
    kind = str(request.param)
    skip_unless_available(kind)
    return start_once(kind)


def skip_unless_available(kind: str) -> None:
    reason = available(kind)
    if reason is not None:
        pytest.skip(reason)


# --- the right receivers -------------------------------------------------------------------------


def test_the_signer_of_this_file_agrees_with_the_vendors_example() -> None:
    assert sign(VENDOR_TIME, VENDOR_NONCE, VENDOR_BODY) == VENDOR_SIGNATURE


def test_a_genuine_event_has_one_effect(receiver: RunningReceiver) -> None:
    message = event()
    assert send(receiver, message).status == 200
    assert effects_of(receiver, message) == 1


@pytest.mark.parametrize(
    "write", [with_php_escapes, with_utf8, as_pretty, with_line_feed, in_reverse]
)
def test_every_lawful_spelling_of_an_event_is_accepted(
    receiver: RunningReceiver, write: Callable[[Message], Message]
) -> None:
    assert is_processed(receiver, write(event()))


@pytest.mark.parametrize("ahead", [-3500, 2])
def test_a_time_inside_the_window_is_accepted(receiver: RunningReceiver, ahead: int) -> None:
    message = event()
    assert is_processed(receiver, replace(message, time=message.time + ahead))


@pytest.mark.parametrize("ahead", [-4 * 365 * DAY, -DAY, -3700, 600, 3650 * DAY])
def test_a_time_outside_the_window_is_refused(receiver: RunningReceiver, ahead: int) -> None:
    message = event()
    assert is_refused(receiver, replace(message, time=message.time + ahead))


@pytest.mark.parametrize("headers", [{}, {"X-MW-Signature": ""}], ids=["absent", "empty"])
def test_a_request_without_a_signature_is_refused(
    receiver: RunningReceiver, headers: dict[str, str]
) -> None:
    message = event()
    assert 400 <= post(receiver, message.body, headers).status < 500
    assert effects_of(receiver, message) == 0


@pytest.mark.parametrize("spoilt", [0, 31, 32, 63])
def test_a_signature_with_one_wrong_digit_is_refused(
    receiver: RunningReceiver, spoilt: int
) -> None:
    message = event()
    right = sign(message.time, message.nonce, message.body)
    wrong = f"{right[:spoilt]}{int(right[spoilt], 16) ^ 1:x}{right[spoilt + 1 :]}"
    assert is_refused(receiver, replace(message, signature=wrong))


@pytest.mark.parametrize(
    "header",
    [
        *GARBAGE,
        "t={t},nonce={n}",
        "t={t},nonce={n},signature={s}00",
        "t={t},nonce={n},signature={s},",
        "t={t},nonce={n}.x,signature={s}",
        "t=+{t},nonce={n},signature={s}",
        "t=" + "9" * 5000 + ",nonce={n},signature={s}",
        "t={t},nonce={n},signature=" + "\xe9" * 64,
        "t={t},nonce=" + "\xe9" * 40 + ",signature={s}",
        "t=16603381\xb2,nonce={n},signature={s}",
        "t={t},t={t},nonce={n},signature={s}",
        "t={t},nonce={n},signature={s},v=1",
    ],
)
def test_a_malformed_header_is_refused_calmly(receiver: RunningReceiver, header: str) -> None:
    message = event()
    right = sign(message.time, message.nonce, message.body)
    written = header.format(t=message.time, n=message.nonce, s=right)
    assert is_refused(receiver, message.with_header(written))


# What http.client lets through, and the pieces that a header is made of.
WIRE_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=40)
PIECES = st.sampled_from(
    ["t=", "nonce=", "signature=", ",", ", ", "0" * 64, "a" * 40, "1", "9" * 20]
)


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(PIECES | WIRE_TEXT, max_size=9))
def test_no_text_in_the_header_is_accepted_or_a_server_error(
    receiver: RunningReceiver, pieces: list[str]
) -> None:
    answer = post(receiver, VENDOR_BODY, {"X-MW-Signature": "".join(pieces)})
    assert 400 <= answer.status < 500


@settings(max_examples=40, deadline=None)
@given(name=st.text(st.characters(exclude_categories=["Cs"]), max_size=40), spaced=st.booleans())
def test_any_name_in_any_spelling_is_accepted_once(
    receiver: RunningReceiver, name: str, spaced: bool
) -> None:
    message = event(json.dumps(name, ensure_ascii=spaced)[1:-1])
    assert is_processed(receiver, as_pretty(message) if spaced else message)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"x"',
        b"1",
        b"{}",
        b'{"_event":"x","sparePart":null}',
        b'{"_event":"x","sparePart":[]}',
        b'{"_event":"x","sparePart":{"sparePartId":7}}',
        b'{"_event":"x","sparePart":{"sparePartId":"\\ud800"}}',
        b"[" * 100_000 + b"]" * 100_000,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_signed_body_of_another_shape_is_no_server_error(
    receiver: RunningReceiver, body: bytes
) -> None:
    assert send(receiver, Message(body=body)).status in {200, 400, 422}


def test_only_the_fastapi_receiver_reads_spaces_after_commas(receiver: RunningReceiver) -> None:
    message = event()
    answer = send(receiver, message.with_header(message.header.replace(",", ", ")))
    assert (answer.status == 200) == (receiver.kind == "fastapi")


def test_replays_have_no_second_effect(receiver: RunningReceiver) -> None:
    message = event()
    statuses = {send(receiver, message).status for _ in range(5)}
    assert statuses <= {200, 409}
    assert effects_of(receiver, message) == 1


def test_of_twenty_copies_at_once_one_has_an_effect(receiver: RunningReceiver) -> None:
    message = event()
    statuses = [answer.status for answer in send_at_once(receiver, message)]
    assert set(statuses) <= {200, 409}
    assert effects_of(receiver, message) == 1


def test_a_header_sent_twice_is_refused(receiver: RunningReceiver) -> None:
    message = event()
    stale = replace(message, time=message.time - 10 * DAY)
    for first, second in ((stale, message), (message, stale)):
        lines = [f"X-MW-Signature: {each.header}" for each in (first, second)]
        assert 400 <= raw_post_status(receiver, lines, message.body) < 500
    assert effects_of(receiver, message) == 0


def raw_post_status(receiver: RunningReceiver, lines: list[str], body: bytes) -> int:
    head = [
        "POST /webhook HTTP/1.1",
        "Host: x",
        "Connection: close",
        f"Content-Length: {len(body)}",
    ]
    place = ("127.0.0.1", urlsplit(receiver.url).port)
    with socket.create_connection(place, timeout=PATIENCE) as wire:
        wire.sendall("\r\n".join([*head, *lines, "", ""]).encode() + body)
        return int(wire.makefile("rb").readline().split()[1])


@pytest.mark.parametrize("bug", SHOWN_BY)
def test_no_bug_shows_on_a_right_receiver(receiver: RunningReceiver, bug: str) -> None:
    assert not any(shows(receiver) for shows in SHOWN_BY[bug])


# --- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("replay", "status"), [("reject", 409), ("ignore", 200)])
@pytest.mark.parametrize("kind", ["php", "flask", "fastapi", "express"])
def test_replays_are_answered_as_the_setting_says(
    kind: str, replay: str, status: int, tmp_path: Path
) -> None:
    skip_unless_available(kind)
    message = event()
    with running(kind, replay=replay, store=tmp_path / "store") as receiver:
        assert [send(receiver, message).status for _ in range(2)] == [200, status]


@pytest.mark.parametrize("kind", ["php", "flask", "fastapi", "express"])
def test_the_vendors_example_verifies_under_a_window_of_years(kind: str, tmp_path: Path) -> None:
    skip_unless_available(kind)
    message = Message(
        body=VENDOR_BODY, time=VENDOR_TIME, nonce=VENDOR_NONCE, signature=VENDOR_SIGNATURE
    )
    with running(kind, tolerance=100 * 365 * DAY, store=tmp_path / "store") as receiver:
        assert send(receiver, message).status == 200
        assert effects(receiver) == ["string"]


@pytest.mark.parametrize("kind", ["php", "flask", "fastapi"])
def test_a_restart_with_the_same_store_remembers_the_nonces(kind: str, tmp_path: Path) -> None:
    skip_unless_available(kind)
    message = event()
    for _ in range(2):
        with running(kind, store=tmp_path / "store") as receiver:
            send(receiver, message)
            assert effects_of(receiver, message) == 1


@pytest.mark.parametrize("kind", ["php", "flask", "fastapi", "express"])
def test_a_receiver_without_a_secret_does_not_start(kind: str, tmp_path: Path) -> None:
    skip_unless_available(kind)
    with (
        pytest.raises(DidNotStartError, match="did not start"),
        running(kind, secret="", store=tmp_path / "store"),
    ):
        pytest.fail("it runs without a secret")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_listens_when_a_receiver_was_stopped(kind: str, tmp_path: Path) -> None:
    skip_unless_available(kind)
    with running(kind, store=tmp_path / "store") as receiver:
        port = urlsplit(receiver.url).port
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pytest.fail("somebody still listens")


# --- the planted bugs ----------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "bug"), TRIED)
def test_a_planted_bug_does_what_its_name_says(kind: str, bug: str, tmp_path: Path) -> None:
    skip_unless_available(kind)
    with running(kind, bug=bug, store=tmp_path / "store") as receiver:
        assert all(shows(receiver) for shows in SHOWN_BY[bug])
        if bug not in BLOCKING:
            assert is_processed(receiver, event())


SPELLINGS: Mapping[str, Callable[[Message], Message]] = {
    "valid-php-escapes": with_php_escapes,
    "valid-utf8": with_utf8,
    "valid-whitespace": as_pretty,
    "valid-key-order": in_reverse,
}


@pytest.mark.parametrize("bug", ["reserialize", "ascii-body", "trim-body", "minify", "sort-keys"])
@pytest.mark.parametrize("kind", ["php", "flask", "fastapi", "express"])
def test_a_changed_body_loses_the_spellings_of_the_table_only(
    kind: str, bug: str, tmp_path: Path
) -> None:
    skip_unless_available(kind)
    with running(kind, bug=bug, store=tmp_path / "store") as receiver:
        lost = {rule for rule, write in SPELLINGS.items() if loses(write)(receiver)}
    assert lost == exposed_by(kind, bug) & SPELLINGS.keys()


@pytest.mark.parametrize(
    "file", ["php/receiver.php", "flask_app.py", "fastapi_app.py", "express/app.js"]
)
def test_a_receiver_owes_nothing_to_the_code_that_judges_it(file: str) -> None:
    assert "hookproof" not in (RECEIVERS / file).read_text().lower()


def test_every_planted_bug_has_a_proof_that_it_shows() -> None:
    assert SHOWN_BY.keys() == BUGS.keys()


@pytest.mark.parametrize(("kind", "bug"), PLANTED)
def test_every_planted_bug_names_rules_that_find_it(kind: str, bug: str) -> None:
    named = exposed_by(kind, bug) | warned_by(bug)
    assert named
    assert all(RULE_ID.fullmatch(rule) for rule in named)


def test_a_bug_that_a_kind_cannot_have_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="php has no bug 'garbage'"),
        running("php", bug="garbage", store=tmp_path / "store"),
    ):
        pytest.fail("it runs with a bug it does not have")
