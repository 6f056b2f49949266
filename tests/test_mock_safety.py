"""Attacks on the mock sender's site: each is refused, or stays where it is."""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookproof_mockserver.safety import MOST_BODY, as_written, guard
from hookproof_mockserver.site import Site
from hookproof_spec.webhook import JsonValue
from support.mock_site import PATIENCE, TOKEN, Answer, MockSite, deaf_url, mock_site
from support.sockets import Peer, scripted

SECRET = "canary-secret-81c7"


@pytest.fixture(scope="module")
def site() -> Iterator[MockSite]:
    with mock_site() as running:
        yield running
        assert running.errors == []


def raw(site: MockSite, request: bytes) -> bytes:
    """Send bytes as they are and return all that comes back."""
    with closing(socket.create_connection(site.address, timeout=PATIENCE)) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def register(site: MockSite, **members: JsonValue) -> Answer:
    return site.post("/api/webhooks", {"url": deaf_url(), **members})


FOREIGN_HOSTS = (
    "evil.example",
    "evil.example:80",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.2",
    "0.0.0.0",
    "[::]",
    "localhost..",
)
NO_HOSTS = ("", "a b", "localhost/", "evil.example@localhost", "localhost:99999999", "[::1", "ü")


@pytest.mark.parametrize("path", ["/", "/api/health", "/api", "/static/app.css", "/nowhere"])
@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_foreign_host_gets_nothing(site: MockSite, path: str, host: str) -> None:
    answer = raw(site, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert status_of(answer) == 421
    assert TOKEN.encode() not in answer


@pytest.mark.parametrize("host", NO_HOSTS)
def test_what_is_no_host_gets_nothing(site: MockSite, host: str) -> None:
    answer = raw(site, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert status_of(answer) == 400
    assert TOKEN.encode() not in answer


def test_second_host_header_gets_nothing(site: MockSite) -> None:
    answer = raw(site, b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
    assert status_of(answer) == 400


def test_absolute_url_of_another_host_gets_nothing(site: MockSite) -> None:
    answer = raw(site, b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert status_of(answer) == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:1", "[::1]:8080"])
def test_names_of_this_machine_are_answered(site: MockSite, host: str) -> None:
    answer = raw(site, f"GET /api/health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert status_of(answer) == 200


def test_allowed_host_is_answered() -> None:
    with mock_site(allowed_hosts=("Box.Internal",)) as site:
        answer = raw(site, b"GET /api/health HTTP/1.1\r\nHost: box.internal:80\r\n\r\n")
    assert status_of(answer) == 200


@pytest.mark.parametrize(
    ("given_host", "written"),
    [("Box.", "box"), ("::1", "[::1]"), ("[FE80::1]", "[fe80::1]"), ("10.0.0.1", "10.0.0.1")],
)
def test_allowed_host_is_written_as_in_a_header(given_host: str, written: str) -> None:
    assert as_written(given_host) == written


CROSS_SITE = (
    {"Origin": "http://evil.example"},
    {"Origin": "http://localhost:1"},
    {"Origin": "null"},
    {"Origin": "http://[bad"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
)


@pytest.mark.parametrize("headers", CROSS_SITE)
@pytest.mark.parametrize("path", ["/api/webhooks", "/webhooks"])
def test_change_from_another_site_is_refused(
    site: MockSite, path: str, headers: dict[str, str]
) -> None:
    answer = site.ask("POST", path, {"url": deaf_url()}, headers=headers)
    assert answer.status == 403
    assert TOKEN.encode() not in answer.body


def test_change_from_our_own_page_is_accepted(site: MockSite) -> None:
    headers = {"Origin": site.url, "Sec-Fetch-Site": "same-origin"}
    answer = site.ask("POST", "/api/webhooks", {"url": deaf_url()}, headers=headers)
    assert answer.status == 201


def test_other_sites_cannot_read_data(site: MockSite) -> None:
    headers = {
        "Sec-Fetch-Site": "same-site",
        "Sec-Fetch-Mode": "no-cors",
        "Sec-Fetch-Dest": "script",
    }
    assert site.ask("GET", "/api/webhooks", headers=headers).status == 403
    assert site.ask("GET", "/", headers=headers).status == 403


def test_link_from_another_site_is_followed(site: MockSite) -> None:
    headers = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    assert site.ask("GET", "/api", headers=headers).status == 200


def changes(site: MockSite) -> list[tuple[str, str]]:
    """Return every method and path of the document that changes something."""
    paths = site.get("/api/openapi.json").json["paths"]
    assert isinstance(paths, dict)
    return [
        (method.upper(), re.sub(r"\{\w+\}", "x", path))
        for path, item in paths.items()
        if isinstance(item, dict)
        for method in item
        if method in {"post", "put", "patch", "delete"}
    ]


WRONG_TOKENS: tuple[dict[str, str], ...] = (
    {},
    {"Authorization": "Bearer wrong"},
    {"Authorization": f"Basic {TOKEN}"},
    {"Authorization": TOKEN},
    {"Authorization": f"Bearer {TOKEN}x"},
    {"Authorization": f"Bearer {TOKEN[:-1]}"},
    {"Authorization": "Bearer ä"},
    {"X-Hookproof-Token": "wrong"},
    {"Cookie": f"token={TOKEN}"},
)


@pytest.mark.parametrize("headers", WRONG_TOKENS)
def test_every_change_needs_the_token(site: MockSite, headers: dict[str, str]) -> None:
    assert len(changes(site)) > 10
    for method, path in changes(site):
        answer = site.ask(method, path, {}, token=None, headers=headers)
        assert answer.status == 401, (method, path)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"


def test_token_in_the_address_counts_for_nothing(site: MockSite) -> None:
    answer = site.ask("POST", f"/api/webhooks?token={TOKEN}", {"url": deaf_url()}, token=None)
    assert answer.status == 401


def test_own_token_header_is_enough(site: MockSite) -> None:
    answer = site.ask(
        "POST",
        "/api/webhooks",
        {"url": deaf_url()},
        token=None,
        headers={"X-Hookproof-Token": TOKEN},
    )
    assert answer.status == 201


def test_form_without_its_token_changes_nothing(site: MockSite) -> None:
    before = site.get("/api/webhooks").body
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = site.ask("POST", "/webhooks", b"url=http://127.0.0.1:9/", token=None, headers=headers)
    assert answer.status == 401
    assert site.get("/api/webhooks").body == before


@pytest.mark.parametrize(
    "path", ["/api/health", "/api/nothing", "/api", "/", "/nowhere", "/static/none"]
)
def test_every_answer_has_the_safety_headers(site: MockSite, path: str) -> None:
    headers = site.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    # Without any referrer, browsers say of our own forms that their Origin is null.
    assert headers["referrer-policy"] in {"no-referrer", "same-origin"}
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


def test_data_is_not_kept_by_anybody(site: MockSite) -> None:
    for path in ("/api/webhooks", "/api/health", "/api/nothing"):
        assert site.get(path).headers["cache-control"] == "no-store"


def test_reference_holds_nothing_inline(site: MockSite) -> None:
    page = site.get("/api").body.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)


SCRIPT = "<script>alert(1)</script>"


def test_script_in_a_field_stays_text(site: MockSite) -> None:
    made = register(site, description=SCRIPT)
    answer = site.get(f"/api/webhooks/{made.id}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["description"] == SCRIPT
    assert SCRIPT.encode() not in site.get("/webhooks").body
    assert SCRIPT.encode() not in site.get(f"/webhooks/{made.id}").body


def test_script_in_a_payload_stays_text(site: MockSite) -> None:
    register(site)
    made = site.post("/api/events", {"payload": SCRIPT, "allow_invalid": True})
    assert made.status == 201
    body = site.get(f"/api/events/{made.id}").json["body"]
    assert isinstance(body, dict)
    assert body["text"] == json.dumps(SCRIPT)
    assert SCRIPT.encode() not in site.get(f"/events/{made.id}").body


def test_script_in_a_path_stays_text(site: MockSite) -> None:
    for path in (f"/{SCRIPT}", f"/webhooks/{SCRIPT}", f"/api/webhooks/{SCRIPT}"):
        answer = site.get(path.replace("<", "%3C").replace(">", "%3E"))
        assert answer.status == 404
        html = answer.headers["content-type"].startswith("text/html")
        assert not html or SCRIPT.encode() not in answer.body


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/....//app.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/app.css%00.js",
        "/static/..\\app.py",
        "/static/",
        "/api/webhooks/../../app.py",
        "/api/webhooks/%00",
        "/api//webhooks",
        "//evil.example/%2e%2e",
        "/api/webhooks/%ff%fe",
        "/%0d%0aX-Injected:%201",
        "/api/webhooks/a%2fb",
        "/api/webhooks/" + "a" * 6_000,
    ],
)
def test_trick_in_a_path_leads_nowhere(site: MockSite, path: str) -> None:
    answer = raw(site, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert status_of(answer) in {400, 404}
    assert b"\r\nX-Injected" not in answer
    assert b"import" not in answer
    assert b"root:" not in answer
    assert b"\r\nLocation:" not in answer


URLS = (
    "http://user:canary-secret-81c7@127.0.0.1/",
    "http://user@127.0.0.1/",
    "http://127.0.0.1@evil.example/",
    "ftp://127.0.0.1/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "//127.0.0.1/",
    "127.0.0.1:8000",
    "http://",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1/ HTTP/1.1\r\nX-Injected: 1",
    "http://127.0.0.1/\n",
    "http://127.0.0.1/\x00",
    "http://127.0.0.1\\@evil.example/",
    "http://127.0.0.1/ü",
    "http://evil.example/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://localhost.evil.example/",
    "http://127.0.0.1/#fragment",
    "",
)


@pytest.mark.parametrize("url", URLS)
def test_url_that_is_no_receiver_is_refused(site: MockSite, url: str) -> None:
    answer = site.post("/api/webhooks", {"url": url})
    assert answer.status == 422
    assert answer.at("/errors/0/pointer") == "/url"
    assert SECRET.encode() not in answer.body
    form = f"token={TOKEN}&url=" + "".join(f"%{byte:02x}" for byte in url.encode())
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    before = site.get("/api/webhooks").body
    if url == url.strip():  # a form takes spaces away
        site.ask("POST", "/webhooks", form.encode(), token=None, headers=headers)
    assert site.get("/api/webhooks").body == before


INJECTION = "a\r\nX-Injected: 1\r\n\r\n"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/webhooks", {"url": deaf_url(), "secret": INJECTION}),
        ("/api/webhooks", {"url": deaf_url(), "description": INJECTION}),
        ("/api/webhooks", {"url": deaf_url(), "event": INJECTION}),
        ("/api/events", {"event": INJECTION}),
        ("/api/parts", {"name": INJECTION, "article_code": "a", "locations": []}),
        ("/api/parts", {"name": "a", "article_code": INJECTION, "locations": []}),
        (
            "/api/parts",
            {"name": "a", "article_code": "a", "locations": [{"name": INJECTION, "quantity": 1}]},
        ),
    ],
)
def test_line_break_in_a_field_is_refused(
    site: MockSite, path: str, body: dict[str, JsonValue]
) -> None:
    answer = site.post(path, body)
    assert answer.status == 422
    assert "x-injected" not in answer.headers


def test_line_break_in_a_key_ends_the_header(site: MockSite) -> None:
    answer = raw(
        site,
        b"POST /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
        + TOKEN.encode()
        + b"\r\nContent-Type: application/json\r\nIdempotency-Key: a\n b\x01"
        + b"\r\nContent-Length: 2\r\n\r\n{}",
    )
    assert status_of(answer) == 422


@given(text=st.text())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_description_breaks_an_answer(site: MockSite, text: str) -> None:
    answer = register(site, description=text, active=False)
    assert answer.status in {201, 400, 422}
    assert "x-injected" not in answer.headers
    if answer.status == 201:
        assert answer.json["description"] == text
        site.ask("DELETE", f"/api/webhooks/{answer.id}")


def test_announced_huge_body_is_not_read(site: MockSite) -> None:
    answer = raw(
        site,
        b"POST /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
        + TOKEN.encode()
        + b"\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{",
    )
    assert status_of(answer) == 413


def test_huge_chunked_body_is_cut_off(site: MockSite) -> None:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    answer = raw(
        site,
        b"POST /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
        + TOKEN.encode()
        + b"\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunk * 20
        + b"0\r\n\r\n",
    )
    assert status_of(answer) == 413


def test_body_of_exactly_the_limit_is_read(site: MockSite) -> None:
    body = b"{" + b" " * (MOST_BODY - 2) + b"}"
    assert site.post("/api/events", body).status == 201
    assert site.post("/api/events", body + b" ").status == 413


def test_huge_form_is_refused(site: MockSite) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"url=" + b"a" * (MOST_BODY + 1)
    assert site.ask("POST", "/webhooks", body, token=None, headers=headers).status == 413


def test_long_url_and_long_headers_are_refused(site: MockSite) -> None:
    assert site.get("/api/webhooks?" + "a" * 9_000).status == 414
    headers = {f"X-{number}": "a" * 30_000 for number in range(3)}
    assert site.ask("GET", "/api/webhooks", headers=headers).status == 431


@pytest.mark.parametrize("depth", [65, 900, 100_000])
def test_deep_json_is_refused(site: MockSite, depth: int) -> None:
    body = b'{"allow_invalid":true,"payload":' + b"[" * depth + b"]" * depth + b"}"
    assert site.post("/api/events", body).status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"event":"a","event":"b"}',
        b'{"payload":NaN,"allow_invalid":true}',
        b'{"payload":1e999,"allow_invalid":true}',
        b'{"payload":"\\ud800","allow_invalid":true}',
        b'{"payload":' + b"9" * 5_000 + b',"allow_invalid":true}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_json_is_refused(site: MockSite, body: bytes) -> None:
    answer = site.post("/api/events", body)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_number_too_large_for_the_validator_is_contained(site: MockSite) -> None:
    body = b'{"payload":' + b"9" * 400 + b',"allow_invalid":true}'
    assert site.post("/api/events", body).status in {201, 422}
    assert site.post("/api/webhooks", b'{"url":' + b"9" * 400 + b"}").status == 422


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "a/b;;"]
)
def test_other_media_types_are_refused(site: MockSite, kind: str) -> None:
    answer = site.ask("POST", "/api/events", b"{}", headers={"Content-Type": kind})
    assert answer.status == 415


def everything_readable(site: MockSite, webhook: str) -> bytes:
    """Return all that can be read of a webhook and its deliveries, API and pages."""
    items = site.get("/api/deliveries").json["items"]
    assert isinstance(items, list)
    ids = [str(item["id"]) for item in items if isinstance(item, dict)]
    paths = [
        *("/api/webhooks", f"/api/webhooks/{webhook}", "/api/events", "/api/health", "/api"),
        *("/api/deliveries", "/api/openapi.json", "/", "/webhooks", f"/webhooks/{webhook}"),
        *(f"/api/deliveries/{id}" for id in ids[:2]),
        *(f"/deliveries/{id}" for id in ids[:2]),
    ]
    return b"".join(site.get(path).body for path in paths)


def test_token_is_in_no_representation(site: MockSite) -> None:
    shown = repr(guard(TOKEN)) + repr(Site(sender=site.sender, token=TOKEN, started=0.0))
    assert TOKEN not in shown + repr(site.app)


def test_secret_is_shown_once_and_never_again(site: MockSite) -> None:
    made = register(site, secret=SECRET)
    assert made.json["secret"] == SECRET
    site.post("/api/events", {})
    rotated = site.post(f"/api/webhooks/{made.id}/rotation", {"secret": SECRET + "-new"})
    assert rotated.json["secret"] == SECRET + "-new"
    assert SECRET.encode() not in everything_readable(site, made.id)
    site.ask("DELETE", f"/api/webhooks/{made.id}")


def test_refused_secret_is_not_repeated(site: MockSite) -> None:
    secrets: list[JsonValue] = [SECRET + "\n", "", SECRET * 1_000, [SECRET], {SECRET: 1}]
    for secret in secrets:
        answer = register(site, secret=secret)
        assert answer.status == 422
        assert SECRET.encode() not in answer.body


def test_nothing_of_a_request_is_logged(
    site: MockSite, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(0):
        register(site, secret=SECRET)
        register(site, secret=SECRET + "\n")
        raw(site, b"broken " + SECRET.encode() + b"\r\n\r\n")
    output = capfd.readouterr()
    assert SECRET not in caplog.text + output.out + output.err
    assert TOKEN not in caplog.text + output.out + output.err


def test_mistake_of_ours_shows_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: object) -> None:
        raise LookupError(f"broken with {SECRET}")

    with mock_site() as site:
        monkeypatch.setattr(type(site.sender), "counts", broken)
        answer = site.get("/api/health")
        assert [type(error) for error in site.errors] == [LookupError]
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET.encode() not in answer.body
    assert b"Traceback" not in answer.body


def test_mistake_in_a_page_is_answered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: object) -> None:
        raise LookupError("broken")

    with mock_site() as site:
        monkeypatch.setattr(type(site.sender), "counts", broken)
        assert [site.get(path).status for path in ("/", "/nowhere")] == [500, 500]
        assert [type(error) for error in site.errors] == [LookupError, LookupError]


def test_many_connections_leave_the_site_alive(site: MockSite) -> None:
    idle = [socket.create_connection(site.address, timeout=PATIENCE) for _ in range(200)]
    try:
        with ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(lambda _: site.get("/api/health").status, range(100)))
    finally:
        for connection in idle:
            connection.close()
    assert statuses == [200] * 100


def _endless(peer: Peer) -> None:
    """Answer with 100 MB, as far as anybody reads it."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    try:
        for _ in range(1_000):
            peer.send(b"x" * 100_000)
    except OSError:
        pass


def test_answer_of_100_megabytes_is_cut_short() -> None:
    with scripted(_endless) as receiver, mock_site() as site:
        register(site, url=receiver.url)
        site.post("/api/events", {})
        assert site.sender.idle(PATIENCE)
        id = site.get("/api/deliveries?limit=1").at("/items/0/id")
        shown = site.get(f"/api/deliveries/{id}")
        assert len(shown.body) < 1_000_000
        assert shown.at("/history/0/response/cut") is True


def test_receivers_that_never_answer_do_not_slow_the_site() -> None:
    released = threading.Event()

    def silent(peer: Peer) -> None:
        peer.read_request()
        released.wait(PATIENCE)

    with scripted(silent) as receiver, mock_site() as site:
        policy: JsonValue = {"timeout": 0.5, "retry": {"schedule": "none"}}
        made = register(site, url=receiver.url, policy=policy)
        for _ in range(20):
            assert site.post("/api/events", {}).status == 201
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda _: site.get("/api/health").status, range(40)))
        assert statuses == [200] * 40
        site.ask("DELETE", f"/api/webhooks/{made.id}")
        released.set()


def test_payload_of_any_bytes_is_kept_byte_for_byte(site: MockSite) -> None:
    payload = bytes(range(256))
    made = site.post(
        "/api/events",
        {"payload_base64": base64.b64encode(payload).decode(), "allow_invalid": True},
    )
    body = site.get(f"/api/events/{made.id}").json["body"]
    assert isinstance(body, dict)
    assert base64.b64decode(str(body["base64"])) == payload
    assert body["text"] is None


def test_store_file_is_never_served(tmp_path: Path) -> None:
    with mock_site(store=tmp_path / "store.db") as site:
        for path in ("/store.db", "/static/store.db", f"/static/{tmp_path}/store.db"):
            assert site.get(path).status == 404
