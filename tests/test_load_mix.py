"""What a load test sends: kinds by weight, and each request the kind that it is called."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.cli.addresses import refuse_foreign
from hookproof.keys import another_secret
from hookproof.load.crew import REMEMBERED, Crew
from hookproof.load.making import KEPT_SECONDS, Maker, stale_age
from hookproof.load.mix import Kind, Mix, lacking
from hookproof.load.plan import ALLOW_HOST, PREFIX, Plan, no_name_twice
from hookproof.load.running import environment
from hookproof.validators import RequestValidator
from hookproof.verdicts import ForgedPolicy, ReplayPolicy
from hookproof_spec import load, names
from hookproof_spec.errors import HookproofError
from hookproof_spec.signing import Reason, Verifier

URL = "http://127.0.0.1:8000/webhook"
MOBILITY = load("mobility-work").webhook()
SECRET = "a-secret-of-32-characters-length"
NOW = 1_722_268_288.0


def plan(**given: object) -> Plan:
    variables = {f"{PREFIX}{name}": str(value) for name, value in given.items()}
    return Plan.read({f"{PREFIX}URL": URL} | variables)


@given(
    st.dictionaries(st.sampled_from(Kind), st.integers(0, 1000)).filter(lambda w: w.get(Kind.VALID))
)
def test_mix_is_read_as_it_is_written(weights: dict[Kind, int]) -> None:
    text = ",".join(f"{kind.value}={weight}" for kind, weight in weights.items())
    mix = Mix.read(text, MOBILITY.scheme, "--mix")
    assert mix.weights == {kind: weight for kind, weight in weights.items() if weight}
    assert Mix.read(mix.written(), MOBILITY.scheme, "--mix") == mix


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("valid=1,forgd=2", "unknown kind 'forgd'; did you mean forged?"),
        ("valid", "the weight of valid is not a whole number up to 1,000,000; write valid=5"),
        ("valid=-1", "the weight of valid is not a whole number"),
        ("valid=1e3", "the weight of valid is not a whole number"),
        ("valid=٣", "the weight of valid is not a whole number"),
        ("valid=1,valid=2", "valid stands twice"),
        ("forged=1", "nothing genuine is sent"),
        ("valid=0,forged=1", "nothing genuine is sent"),
        ("", "unknown kind ''"),
    ],
)
def test_wrong_mix_is_told_with_what_would_be_right(text: str, problem: str) -> None:
    with pytest.raises(HookproofError) as caught:
        Mix.read(text, MOBILITY.scheme, "--mix")
    assert str(caught.value).startswith(f"--mix: {problem}")


def test_scheme_without_nonce_has_no_replays() -> None:
    scheme = load("linear").webhook().scheme
    assert scheme.nonce is None
    assert Kind.REPLAYED not in Mix.usual(scheme).weights
    with pytest.raises(HookproofError, match="the scheme has no nonce, so nothing is replayed"):
        Mix.read("valid=1,replayed=1", scheme, "--mix")


def test_kinds_are_drawn_by_their_weights() -> None:
    mix = Mix({Kind.VALID: 3, Kind.FORGED: 1})
    picker = mix.picker(random.Random(1))
    drawn = Counter(picker.pick() for _ in range(4000))
    assert set(drawn) == {Kind.VALID, Kind.FORGED}
    assert drawn[Kind.FORGED] == pytest.approx(1000, rel=0.15)


@pytest.mark.parametrize("name", names())
def test_every_document_gets_requests_of_the_kind_they_are_called(name: str) -> None:
    webhook = next(iter(load(name).webhooks.values()))
    scheme, secret = webhook.scheme, another_secret(webhook.scheme)
    maker = Maker(webhook, secret, url=URL, clock=lambda: NOW)
    verifier = Verifier(scheme, [secret])
    assert verifier.verify(maker.make(Kind.VALID), NOW).accepted
    assert verifier.verify(maker.make(Kind.VALID), NOW).accepted  # from the kept body
    assert verifier.verify(maker.make(Kind.FORGED), NOW).reason is Reason.WRONG_SIGNATURE
    if not lacking(Kind.STALE, scheme):
        stale = maker.make(Kind.STALE)
        assert verifier.verify(stale, NOW, tolerance=86_400).reason is Reason.STALE
        assert verifier.verify(stale, NOW - stale_age(webhook, None), tolerance=None).accepted


def test_genuine_events_are_judged_whole_and_each_is_new() -> None:
    moments = iter(NOW + n * KEPT_SECONDS / 4 for n in range(100))
    maker = Maker(MOBILITY, SECRET, url=URL, clock=lambda: next(moments))
    validator = RequestValidator(MOBILITY, [SECRET], nonces=None)
    requests = [maker.make(Kind.VALID) for _ in range(20)]
    markers = {json.loads(request.body)["sparePart"]["sparePartId"] for request in requests}
    assert len(markers) == len(requests)
    assert all(validator.check(request, NOW + 10).accepted for request in requests)


def test_stale_is_older_than_what_is_declared() -> None:
    assert stale_age(MOBILITY, None) > 86_400
    assert stale_age(MOBILITY, 7 * 86_400.0) > 7 * 86_400


def test_replays_are_copies_of_what_was_accepted() -> None:
    crew = Crew(plan(MIX="valid=1,replayed=1000000"), SECRET)
    kind, request = crew.next()
    assert kind is Kind.VALID  # nothing was accepted yet
    crew.count(kind, request, "401", 0.01)
    assert crew.next()[0] is Kind.VALID
    crew.count(kind, request, "200", 0.01)
    drawn = [crew.next() for _ in range(20)]
    assert (Kind.REPLAYED, request) in drawn


def test_crew_rests_when_its_share_is_sent() -> None:
    crew = Crew(plan(), SECRET)
    assert not crew.at_work
    crew.begin(3)
    sent = 0
    while crew.at_work:
        crew.next()
        sent += 1
    assert sent == 3
    crew.begin(None)
    crew.next()
    assert crew.at_work
    crew.rest()
    assert not crew.at_work


def test_only_so_many_accepted_requests_are_kept() -> None:
    crew = Crew(plan(MIX="valid=1"), SECRET)
    for _ in range(3 * REMEMBERED):
        kind, request = crew.next()
        crew.count(kind, request, "200", 0.01)
    assert len(crew.accepted) == REMEMBERED
    assert crew.counted()["kinds"]
    assert crew.counted()["kinds"] == {}


def test_plan_comes_out_of_its_variables_as_it_was() -> None:
    one = plan(
        SPEC="mobility-work",
        MIX="valid=3,forged=1",
        HEADERS="X-Team: a\nX-Other: é",
        TIMEOUT=2.5,
        TOLERANCE=300,
        RATE=12.5,
        REQUESTS=1000,
        EFFECTS_URL="http://127.0.0.1:8000/effects",
        EFFECT_TIMEOUT=1,
        REPLAY=ReplayPolicy.REJECTS,
        FORGED=ForgedPolicy.IGNORES,
        INSECURE=1,
    )
    assert one.headers == (("X-Team", "a"), ("X-Other", "é"))
    again = Plan.read(one.variables())
    assert again.variables() == one.variables()
    assert (again.webhook.name, again.mix) == (one.webhook.name, one.mix)
    assert Plan.read(plan().variables()).variables() == plan().variables()


def test_locust_gets_the_plan_the_secret_and_leave_for_its_host() -> None:
    one = plan(URL="http://shop.example:8000/webhook", RATE=5)
    ours = {"PATH": "/bin", "LOCUST_USERS": "7", f"{PREFIX}MIX": "forged=1"}
    variables = environment(one, SECRET, ours)
    assert Plan.read(variables).variables() == one.variables()
    refuse_foreign(one.url, variables[ALLOW_HOST].split(","))
    assert (variables["HOOKPROOF_SECRET"], variables["PATH"]) == (SECRET, "/bin")
    assert "LOCUST_USERS" not in variables


def test_secret_that_no_environment_can_hold_is_told() -> None:
    with pytest.raises(HookproofError, match="the secret holds a NUL"):
        environment(plan(), "a\0b", {})


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"URLS": "x"}, "HOOKPROOF_LOAD_URLS: unknown variable; did you mean HOOKPROOF_LOAD_URL?"),
        ({"URL": ""}, "HOOKPROOF_LOAD_URL: it is not set; name the receiver's URL"),
        ({"URL": "localhost"}, "HOOKPROOF_LOAD_URL: 'localhost' is not an http or https URL"),
        ({"RATE": "fast"}, "HOOKPROOF_LOAD_RATE: 'fast' is not a number above 0"),
        ({"RATE": "0"}, "HOOKPROOF_LOAD_RATE: '0' is not a number above 0"),
        ({"REQUESTS": "1.5"}, "HOOKPROOF_LOAD_REQUESTS: 1.5 is not a whole number"),
        ({"TIMEOUT": "nan"}, "HOOKPROOF_LOAD_TIMEOUT: 'nan' is not a number above 0"),
        ({"REPLAY": "reject"}, "HOOKPROOF_LOAD_REPLAY: unknown value 'reject'; did you mean"),
        ({"MIX": "all"}, "HOOKPROOF_LOAD_MIX: unknown kind 'all'"),
        ({"CA_FILE": "/nowhere"}, "HOOKPROOF_LOAD_CA_FILE: there is no file /nowhere"),
        ({"SPEC": "mobility"}, ""),
    ],
)
def test_wrong_variable_is_told_by_its_name(variables: dict[str, str], problem: str) -> None:
    with pytest.raises(HookproofError) as caught:
        plan(**variables)
    assert str(caught.value).startswith(problem)


def test_header_that_would_be_lost_is_refused() -> None:
    assert no_name_twice((("A", "1"), ("B", "2")), "--header")
    for headers in ((("A", "1"), ("a", "2")), (("content-type", "text/plain"),)):
        with pytest.raises(HookproofError, match="would stand twice"):
            no_name_twice(headers, "--header")
