"""The control API: it does what its document says, and openapi-core agrees."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from hookproof_mockserver.api import HANDLERS
from hookproof_mockserver.api.contract import Contract
from hookproof_mockserver.api.document import Particulars, filled_in, operations, written
from hookproof_mockserver.problems import Kind
from hookproof_mockserver.stream import Limits
from hookproof_spec import pointers
from hookproof_spec.documents import load
from hookproof_spec.request import Request
from hookproof_spec.webhook import JsonValue, Webhook
from support.mock_site import PATIENCE, TOKEN, Answer, MockSite, deaf_url, mock_site, spare_parts
from support.sockets import answering_for_ever, scripted

PARTS: dict[str, JsonValue] = {
    "name": "Deep groove ball bearing 6204",
    "article_code": "BRG-6204-2RS",
    "locations": [{"name": "shelf 7", "quantity": 2}, {"name": "shelf 8", "quantity": 1}],
}


class Rules:
    """A forge with one rule, whose request is one without a signature."""

    def rules(self, _webhook: Webhook) -> Mapping[str, str]:
        return {"forged-no-header": "A missing signature is refused"}

    def requests(
        self, _rule: str, webhook: Webhook, _secret: str, url: str, _now: float
    ) -> tuple[Request, ...]:
        return (Request(webhook.method, url, (("Content-Type", "application/json"),), b"{}"),)


@pytest.fixture(scope="module")
def site() -> Iterator[MockSite]:
    with mock_site(forge=Rules()) as running:
        yield running
        assert running.errors == []


def register(site: MockSite, **members: JsonValue) -> Answer:
    answer = site.post("/api/webhooks", {"url": deaf_url(), **members})
    assert answer.status == 201
    return answer


def items(answer: Answer) -> list[dict[str, JsonValue]]:
    found = answer.json["items"]
    assert isinstance(found, list)
    return [item for item in found if isinstance(item, dict)]


def pointers_of(answer: Answer) -> list[str]:
    assert answer.status == 422
    errors = answer.json["errors"]
    assert isinstance(errors, list)
    return [
        str(error.get("pointer", error.get("parameter")))
        for error in errors
        if isinstance(error, dict)
    ]


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


# What the document promises


def test_every_operation_has_a_handler() -> None:
    assert {str(found["operationId"]) for _, _, found in operations(written())} == set(HANDLERS)


def responses_of(operation: dict[str, JsonValue]) -> dict[str, JsonValue]:
    found = operation["responses"]
    assert isinstance(found, dict)
    return found


def test_every_operation_tells_its_refusals() -> None:
    for path, method, found in operations(written()):
        responses = responses_of(found)
        wanted = {"400", "403", "414", "421", "422", "431", "500"}
        wanted |= {"404"} if "{" in path else set()
        wanted |= {"401", "409", "413"} if method != "get" else set()
        wanted |= {"415"} if "requestBody" in found else set()
        assert wanted <= responses.keys(), (method, path)
        assert ("security" in found) == (method != "get"), (method, path)


def test_every_status_of_a_problem_is_documented() -> None:
    statuses: set[str] = set()
    for _, _, found in operations(written()):
        statuses |= responses_of(found).keys()
    assert {str(kind.status) for kind in Kind} - {"405"} <= statuses


def test_examples_of_bodies_fit_their_schemas() -> None:
    contract = Contract(written())
    for _, _, found in operations(contract.document):
        example = _example(found)
        if example is not None:
            judge = contract.operations[str(found["operationId"])].body
            assert judge is not None
            assert list(judge.breaches(example)) == []


def _example(operation: dict[str, JsonValue]) -> JsonValue:
    try:
        return pointers.get(operation, "/requestBody/content/application~1json/example")
    except pointers.PointerError:
        return None


def test_served_document_is_valid_and_names_what_is_there(site: MockSite) -> None:
    served = site.get("/api/openapi.json")
    assert served.headers["content-type"] == "application/json"
    OpenAPI.from_dict(served.json)
    schemas = "/components/schemas"
    assert served.at(f"{schemas}/EventName/enum") == ["sparePartOutOfStock"]
    assert served.at(f"{schemas}/Plan/enum") == list(site.sender.account.plans)
    assert served.at(f"{schemas}/RuleId/enum") == ["forged-no-header"]


def test_document_of_several_webhooks_asks_for_a_name() -> None:
    webhook = spare_parts().webhook()
    made = filled_in(
        Particulars(
            webhooks={"one": webhook, "two": webhook},
            plans=(),
            rules=(),
            receivers=frozenset(),
            stock=False,
        )
    )
    contract = Contract(made)
    trigger = contract.operations["triggerEvent"].body
    assert trigger is not None
    assert not trigger.fits({})
    assert trigger.fits({"event": "two"})
    assert trigger.fits({"event": "two", "payload": webhook.example})
    assert {"createPart", "setPlan", "forgeDelivery"}.isdisjoint(contract.operations)
    OpenAPI.from_dict(made)


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("http://localhost:8000/a?b=c%20d", True),
        ("https://127.0.0.1", True),
        ("http://[::1]:65535/", True),
        ("http://shop.internal/hooks", True),
        ("http://shop.internal:65536/hooks", False),
        ("http://shopxinternal/hooks", False),
        ("http://other.internal/", False),
        ("http://localhost/%zz", False),
        ("http://localhost/\n", False),
    ],
)
def test_document_says_which_receivers_are_allowed(url: str, fits: bool) -> None:
    made = filled_in(
        Particulars(
            webhooks=spare_parts().webhooks,
            plans=(),
            rules=(),
            receivers=frozenset({"shop.internal"}),
            stock=True,
        )
    )
    create = Contract(made).operations["createWebhook"].body
    assert create is not None
    assert create.fits({"url": url}) is fits


# Webhooks


def test_webhook_is_registered_read_changed_and_removed(site: MockSite) -> None:
    made = register(site, description="shop", policy={"retry": {"attempts": 3}})
    path = f"/api/webhooks/{made.id}"
    assert made.headers["location"] == path
    assert made.json["secret"] is None
    assert site.get(path).json["signed"] is False
    changed = site.ask("PATCH", path, {"active": False, "policy": {"timeout": 2}})
    assert changed.json["active"] is False
    assert changed.json["description"] == "shop"
    assert changed.at("/policy/timeout") == 2
    assert changed.at("/policy/retry/attempts") == 3
    assert made.id in [item["id"] for item in items(site.get("/api/webhooks"))]
    assert site.ask("DELETE", path).status == 204
    assert site.get(path).status == 404


def test_generated_secret_is_in_that_answer_alone(site: MockSite) -> None:
    made = register(site, generate=True)
    secret = made.json["secret"]
    assert isinstance(secret, str)
    shown = site.get(f"/api/webhooks/{made.id}")
    assert shown.json["signed"] is True
    assert "secret" not in shown.json
    assert secret.encode() not in site.get("/api/webhooks").body


def test_rotation_keeps_both_secrets_for_a_while(site: MockSite) -> None:
    made = register(site, generate=True)
    rotated = site.post(f"/api/webhooks/{made.id}/rotation", {"overlap": 60, "sign_with": "old"})
    assert rotated.json["secret"] not in {made.json["secret"], None}
    shown = site.get(f"/api/webhooks/{made.id}").json
    assert shown["rotating"] is True
    assert shown["sign_with"] == "old"
    assert isinstance(shown["overlap_until"], str)


def test_fault_on_purpose_is_kept(site: MockSite) -> None:
    made = register(site)
    faults: list[JsonValue] = [{"kind": "delay", "seconds": 2}, {"kind": "duplicate"}]
    changed = site.ask("PATCH", f"/api/webhooks/{made.id}", {"faults": faults})
    assert changed.json["faults"] == faults


@pytest.mark.parametrize(
    ("members", "pointers"),
    [
        ({}, [""]),
        ({"url": 5}, ["/url"]),
        ({"url": "ftp://127.0.0.1/"}, ["/url"]),
        ({"url": deaf_url(), "unknown": 1}, [""]),
        ({"url": deaf_url(), "event": "spareParts"}, ["/event"]),
        ({"url": deaf_url(), "secret": "a", "generate": True}, [""]),
        ({"url": deaf_url(), "policy": {"retry": {"attempts": 0}}}, ["/policy/retry/attempts"]),
        (
            {"url": deaf_url(), "policy": {"timeout": "1", "ordered": 1}},
            ["/policy/ordered", "/policy/timeout"],
        ),
    ],
)
def test_every_wrong_member_is_pointed_at(
    site: MockSite, members: dict[str, JsonValue], pointers: list[str]
) -> None:
    assert sorted(pointers_of(site.post("/api/webhooks", members))) == pointers


def test_body_that_is_no_object_is_refused(site: MockSite) -> None:
    assert pointers_of(site.post("/api/webhooks", [])) == [""]


def test_missing_thing_is_told_with_the_nearest(site: MockSite) -> None:
    made = register(site)
    wrong = made.id[:-1] + ("a" if made.id[-1] != "a" else "b")
    answer = site.get(f"/api/webhooks/{wrong}")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "did you mean wh_" in str(answer.json["hint"])


# The plan


def test_plan_without_webhooks_refuses_new_ones() -> None:
    with mock_site() as site:
        plans = site.get("/api/account").json["plans"]
        assert isinstance(plans, dict)
        starter = next(plan for plan, has_webhooks in plans.items() if not has_webhooks)
        assert site.ask("PUT", "/api/account", {"plan": starter}).json["plan"] == starter
        refused = site.post("/api/webhooks", {"url": deaf_url()})
        assert refused.status == 403
        assert refused.json["type"] == "/api#problem-plan"
        assert pointers_of(site.ask("PUT", "/api/account", {"plan": "Startr"})) == ["/plan"]


# Stock


def test_last_part_taken_brings_one_event(site: MockSite) -> None:
    part = site.post("/api/parts", PARTS)
    assert part.status == 201
    assert part.json["quantity"] == 3
    shelves = [part.at(f"/locations/{number}/id") for number in (0, 1)]
    path = f"{part.headers['location']}/consumptions"
    events = [
        site.post(path, {"location": shelf, "quantity": quantity}).json["event"]
        for shelf, quantity in ((shelves[0], 1), (shelves[0], 1))
    ]
    assert events[0] is None
    assert isinstance(events[1], dict)
    assert site.get(f"/api/events/{events[1]['id']}").json["source"] == "consumption"


def test_stock_set_to_nothing_brings_an_event(site: MockSite) -> None:
    part = site.post("/api/parts", {**PARTS, "locations": [{"name": "shelf", "quantity": 5}]})
    shelf = part.at("/locations/0/id")
    path = f"{part.headers['location']}/locations/{shelf}"
    emptied = site.ask("PUT", path, {"quantity": 0})
    assert emptied.at("/event/source") == "stock update"
    assert site.ask("PUT", path, {"quantity": 0}).json["event"] is None
    assert site.ask("DELETE", part.headers["location"]).status == 204


def test_consuming_more_than_there_is_conflicts(site: MockSite) -> None:
    part = site.post("/api/parts", PARTS)
    shelf = part.at("/locations/0/id")
    answer = site.post(
        f"{part.headers['location']}/consumptions", {"location": shelf, "quantity": 3}
    )
    assert answer.status == 409
    assert site.get(part.headers["location"]).json["quantity"] == 3


def test_document_without_stock_has_no_parts() -> None:
    with mock_site(load("github")) as site:
        assert site.get("/api/parts").status == 404
        assert b'"/api/parts"' not in site.get("/api/openapi.json").body


# Events


def test_same_key_and_request_make_one_event(site: MockSite) -> None:
    headers = {"Idempotency-Key": "order-1"}
    first = site.ask("POST", "/api/events", {}, headers=headers)
    again = site.ask("POST", "/api/events", {}, headers=headers)
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json
    assert again.headers["location"] == first.headers["location"] == f"/api/events/{first.id}"


def test_same_key_for_another_request_conflicts(site: MockSite) -> None:
    headers = {"Idempotency-Key": "order-2"}
    assert site.ask("POST", "/api/events", {}, headers=headers).status == 201
    other: JsonValue = {"payload": 1, "allow_invalid": True}
    assert site.ask("POST", "/api/events", other, headers=headers).status == 409


def test_payload_that_breaks_the_schema_is_pointed_at(site: MockSite) -> None:
    example = spare_parts().webhook().example
    assert isinstance(example, dict)
    assert site.post("/api/events", {"payload": example}).status == 201
    broken: dict[str, JsonValue] = {
        **example,
        "movement": {"on": "yesterday"},
        "stock": {"location": {"name": 5}},
    }
    answer = site.post("/api/events", {"payload": broken})
    assert set(pointers_of(answer)) >= {"/payload/movement/on", "/payload/stock/location/name"}
    forced = site.post("/api/events", {"payload": broken, "allow_invalid": True})
    assert forced.status == 201
    assert forced.json["valid"] is False


def test_null_is_a_payload_of_its_own(site: MockSite) -> None:
    made = site.post("/api/events", {"payload": None, "allow_invalid": True})
    assert made.at("/body/text") == "null"


def test_random_payload_fits_the_schema(site: MockSite) -> None:
    made = site.post("/api/events", {"random": True})
    assert made.status == 201
    assert made.json["valid"] is True


# Deliveries


def test_delivery_is_told_attempt_by_attempt() -> None:
    with scripted(answering_for_ever) as receiver, mock_site(forge=Rules()) as site:
        register(site, url=receiver.url, generate=True)
        site.post("/api/events", {})
        assert site.sender.idle(20)
        listed = items(site.get("/api/deliveries?state=delivered"))
        assert len(listed) == 1
        path = f"/api/deliveries/{listed[0]['id']}"
        shown = site.get(path)
        assert shown.at("/history/0/succeeded") is True
        assert shown.at("/history/0/response/body/text") == "ok"
        headers = shown.at("/history/0/request/headers")
        assert isinstance(headers, list)
        assert [line[0] for line in headers if isinstance(line, list)].count("X-MW-Signature") == 1
        again = site.post(f"{path}/resend", {"verbatim": True})
        assert again.status == 201
        assert again.json["resend_of"] == listed[0]["id"]
        forged = site.post(f"{path}/forge", {"rule": "forged-no-header"})
        assert forged.json["fault"] == {"kind": "rule", "rule": "forged-no-header"}
        assert site.sender.idle(20)
        assert site.post(f"{path}/cancel").status == 409
        assert receiver.peers


def test_waiting_delivery_is_retried_and_cancelled() -> None:
    with mock_site() as site:
        register(site, policy={"retry": {"schedule": "fixed", "first": 3600, "jitter": 0}})
        site.post("/api/events", {})
        wait_until(lambda: bool(items(site.get("/api/deliveries?state=waiting"))))
        (found,) = items(site.get("/api/deliveries"))
        path = f"/api/deliveries/{found['id']}"
        assert site.post(f"{path}/cancel").json["state"] == "cancelled"
        assert site.post(f"{path}/retry").status == 409


def test_failed_deliveries_are_sent_again_together() -> None:
    with mock_site() as site:
        made = register(site, policy={"retry": {"schedule": "none"}})
        for _ in range(3):
            site.post("/api/events", {})
        assert site.sender.idle(20)
        assert len(items(site.get("/api/deliveries?state=failed"))) == 3
        answer = site.post("/api/resends", {})
        assert len(items(answer)) == 3
        window: dict[str, JsonValue] = {"webhook": made.id, "until": "2001-01-01T00:00:00Z"}
        assert pointers_of(site.post("/api/resends", {"since": "yesterday"}))
        assert items(site.post("/api/resends", window)) == []


def test_pages_join_without_gap_or_overlap(site: MockSite) -> None:
    for _ in range(5):
        site.post("/api/events", {})
    path: str | None = "/api/events?limit=2"
    seen: list[str] = []
    while path is not None:
        answer = site.get(path)
        seen += [str(item["id"]) for item in items(answer)]
        link = answer.headers.get("link")
        assert (link is None) == (answer.json["after"] is None)
        path = None if link is None else link.partition(">")[0].removeprefix("<")
        assert path is None or "limit=2" in path
    assert len(seen) == len(set(seen)) >= 5
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=1e1", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=5&limit=6", "limit"),
        ("limt=5", "limt"),
        ("after=here", "after"),
        ("state=lost", "state"),
        ("failed_since=yesterday", "failed_since"),
        ("text=", "text"),
    ],
)
def test_wrong_parameter_is_named(site: MockSite, query: str, parameter: str) -> None:
    assert set(pointers_of(site.get(f"/api/deliveries?{query}"))) == {parameter}


def test_missing_parameter_is_named() -> None:
    with mock_site(load("stripe")) as site:
        assert pointers_of(site.get("/api/forgeries")) == ["event"]
        event = next(iter(site.sender.document.webhooks))
        assert site.get(f"/api/forgeries?event={event}").status == 200


def test_misspelt_parameter_is_told_with_the_nearest(site: MockSite) -> None:
    assert "did you mean limit?" in str(site.get("/api/events?limt=5").json["detail"])


def test_forgeries_are_listed(site: MockSite) -> None:
    assert items(site.get("/api/forgeries")) == [
        {"rule": "forged-no-header", "title": "A missing signature is refused"}
    ]


# HTTP


def test_head_is_answered_as_get_without_a_body(site: MockSite) -> None:
    got, head = site.get("/api/account"), site.ask("HEAD", "/api/account", token=None)
    assert head.status == 200
    assert head.body == b""
    assert head.headers["content-length"] == got.headers["content-length"]


def test_head_of_a_stream_ends(site: MockSite) -> None:
    head = site.ask("HEAD", "/api/stream", token=None)
    assert head.status == 200
    assert head.headers["content-type"].startswith("text/event-stream")


def test_options_names_the_methods(site: MockSite) -> None:
    answer = site.ask("OPTIONS", "/api/webhooks", token=None)
    assert answer.status == 204
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert site.ask("OPTIONS", "/api/nothing", token=None).status == 404


@pytest.mark.parametrize("method", ["PUT", "TRACE", "PROPFIND", "CONNECT"])
def test_wrong_method_is_told_the_right_ones(site: MockSite, method: str) -> None:
    answer = site.ask(method, "/api/webhooks")
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert answer.json["type"] == "/api#problem-method-not-allowed"


def test_unknown_path_is_a_problem_or_a_page(site: MockSite) -> None:
    assert site.get("/api/nothing").headers["content-type"] == "application/problem+json"
    assert site.get("/nothing").headers["content-type"].startswith("text/html")


def test_health_counts_deliveries(site: MockSite) -> None:
    health = site.get("/api/health").json
    assert health["status"] == "ok"
    assert health["document"] == "mobility-work"


def test_reference_has_every_operation_and_problem(site: MockSite) -> None:
    page = site.get("/api").body.decode()
    for _, _, found in operations(written()):
        assert f'id="{found["operationId"]}"' in page
    for kind in Kind:
        assert f'id="problem-{kind.word}"' in page


def streamed(site: MockSite) -> HTTPResponse:
    connection = HTTPConnection(*site.address, timeout=PATIENCE)
    connection.request("GET", "/api/stream")
    return connection.getresponse()


def test_changes_are_heard_as_they_happen(site: MockSite) -> None:
    stream = streamed(site)
    assert stream.getheader("Content-Type", "").startswith("text/event-stream")
    assert stream.readline() == b"retry: 1000\n"
    made = site.post("/api/events", {})
    lines = iter(stream.readline, b"")
    heard = (json.loads(line[6:]) for line in lines if line.startswith(b"data: "))
    assert any(change["id"] == made.id and change["kind"] == "event" for change in heard)
    stream.close()


def test_streams_beyond_the_limit_are_refused() -> None:
    with mock_site(limits=Limits(most=1)) as site:
        stream = streamed(site)
        refused = site.get("/api/stream")
        assert refused.status == 503
        assert refused.headers["retry-after"] == "5"
        assert site.get("/api/health").status == 200
    assert stream.read().startswith(b"retry: 1000")
    stream.close()


# The guide


GUIDE = Path(__file__).parent.parent / "docs" / "mock-sender-api.md"


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


def test_guide_runs_as_it_is_written(site: MockSite) -> None:
    variables = {"HOOKPROOF_URL": site.url, "HOOKPROOF_TOKEN": TOKEN}
    commands = [["bash", "-e", "-c", text] for text in fenced("sh")]
    commands += [[sys.executable, "-c", text] for text in fenced("python")]
    for command in commands:
        done = subprocess.run(
            command, env={**os.environ, **variables}, capture_output=True, check=True, timeout=60
        )
        assert b"problem" not in done.stdout
        assert done.stdout.strip()


def test_guide_shows_a_real_refusal(site: MockSite) -> None:
    answer = site.post("/api/webhooks", {"url": deaf_url(), "active": "yes"})
    assert [json.loads(text) for text in fenced("json")] == [answer.json]


# Another judge


@dataclass
class Asked:
    """A request as openapi-core wants it."""

    host_url: str
    path: str
    method: str
    body: bytes | None
    content_type: str
    parameters: RequestParameters


@dataclass
class Told:
    """An answer as openapi-core wants it."""

    status_code: int
    data: bytes
    content_type: str
    headers: Headers


@cache
def judge(text: bytes) -> OpenAPI:
    problems: dict[str, Callable[[bytes], JsonValue]] = {"application/problem+json": json.loads}
    return OpenAPI.from_dict(
        json.loads(text), config=Config(extra_media_type_deserializers=problems)
    )


def exchanged(
    site: MockSite, method: str, path: str, body: JsonValue = None, *, fits: bool = True
) -> Answer:
    """Ask, and have openapi-core judge the request and the answer."""
    answer = site.ask(method, path, body)
    parts = urlsplit(path)
    asked = Asked(
        host_url=site.url,
        path=parts.path,
        method=method.lower(),
        body=None if body is None else json.dumps(body).encode(),
        content_type="application/json",
        parameters=RequestParameters(
            query=ImmutableMultiDict(parse_qsl(parts.query)),
            header=Headers({"Authorization": f"Bearer {TOKEN}"}),
        ),
    )
    kind = answer.headers.get("content-type", "")
    told_us = Told(answer.status, answer.body, kind, Headers(dict(answer.headers)))
    api = judge(site.get("/api/openapi.json").body)
    if fits:
        api.validate_request(asked)
    api.validate_response(asked, told_us)
    return answer


def test_openapi_core_agrees_with_a_whole_story() -> None:
    with scripted(answering_for_ever) as receiver, mock_site(forge=Rules()) as site:
        made = exchanged(site, "POST", "/api/webhooks", {"url": receiver.url, "generate": True})
        hook = f"/api/webhooks/{made.id}"
        part = exchanged(
            site, "POST", "/api/parts", {**PARTS, "locations": [{"name": "a", "quantity": 1}]}
        )
        shelf = part.at("/locations/0/id")
        consume = f"/api/parts/{part.id}/consumptions"
        emptied = exchanged(site, "POST", consume, {"location": shelf, "quantity": 1})
        event = emptied.at("/event/id")
        assert site.sender.idle(20)
        found = exchanged(site, "GET", f"/api/deliveries?event={event}&limit=5")
        path = f"/api/deliveries/{items(found)[0]['id']}"
        done: list[tuple[str, str, JsonValue]] = [
            ("GET", path, None),
            ("POST", f"{path}/resend", {}),
            ("POST", f"{path}/forge", {"rule": "forged-no-header"}),
            ("GET", "/api/deliveries", None),
            ("GET", f"/api/events/{event}", None),
            ("GET", "/api/events?limit=1", None),
            ("POST", "/api/events", {}),
            ("POST", f"{hook}/rotation", {"overlap": 5}),
            ("PATCH", hook, {"policy": {"ordered": True}}),
            ("GET", hook, None),
            ("GET", "/api/webhooks", None),
            ("PUT", f"/api/parts/{part.id}/locations/{shelf}", {"quantity": 4}),
            ("GET", "/api/parts", None),
            ("GET", "/api/account", None),
            ("GET", "/api/health", None),
            ("GET", "/api/forgeries", None),
            ("POST", "/api/resends", {}),
            ("DELETE", f"/api/parts/{part.id}", None),
            ("DELETE", hook, None),
        ]
        assert [exchanged(site, *step).status // 100 for step in done] == [2] * len(done)
        assert exchanged(site, "GET", hook).status == 404
        assert exchanged(site, "POST", f"{path}/cancel").status == 409
        taken = {"location": shelf, "quantity": 1}
        assert exchanged(site, "POST", consume, taken).status == 404
        assert exchanged(site, "POST", "/api/webhooks", {"url": 5}, fits=False).status == 422
        assert exchanged(site, "GET", "/api/events?limit=0", fits=False).status == 422


def test_store_outlives_the_site(tmp_path: Path) -> None:
    with mock_site(store=tmp_path / "store.db") as site:
        made = register(site)
    with mock_site(store=tmp_path / "store.db") as site:
        assert site.get(f"/api/webhooks/{made.id}").json["url"] == deaf_url()
