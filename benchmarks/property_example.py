"""One example of a property: made, signed, driven in process and judged, beside Schemathesis'.

Both draw payloads from the shipped document's schema and send them to the same WSGI application,
which reads the body and answers 200. Schemathesis finds no operation in a document that has
webhooks alone, so that it gets the same schema as the body of `POST /webhook`; it signs nothing,
and judges the answer by all of its checks. Ours is `property-valid` as a run tries it: payloads
around a genuine event in any lawful spelling, each validated, signed, verified by the oracle, sent
and judged. What is made once for a search is shared by its examples, on both sides.

    .venv/bin/python benchmarks/property_example.py [--json FILE]
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from measuring import Row, in_environment, report

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PEERS = ["schemathesis", "hypothesis"]
EXAMPLES = 100
ROUNDS = 9
SEED = 1
Search = Callable[[], int]
"""Runs one search and returns how many examples it has judged."""


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Read the body and answer 200."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def main() -> None:
    contenders = {"schemathesis": schemathesis_search(), "hookproof": hookproof_search()}
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for search in contenders.values():
        search()
    for _ in range(ROUNDS):
        for name, search in contenders.items():
            samples[name].append(milliseconds(search))
    row = Row(
        "a property example made, signed, driven in process, judged",
        "schemathesis",
        "0.15 x",
        "ms CPU",
    )
    report([row.fill(samples)], PEERS)


def milliseconds(search: Search) -> float:
    """Return the CPU time of one example."""
    gc.collect()
    begun = time.process_time()
    judged = search()
    return (time.process_time() - begun) / judged * 1000


def hookproof_search() -> Search:
    from hookproof.rules.properties import property_valid
    from hookproof.run import Setup, lab_for
    from hookproof.targets.wsgi import WsgiTarget
    from hookproof.verdicts import Holds
    from hookproof_spec import load

    setup = Setup(
        webhook=load("mobility-work").webhook(),
        spec="mobility-work",
        secret="a-secret-of-32-characters-length",
        target=WsgiTarget(application),
        probe=None,
        rules=(),
        seed=SEED,
        examples=EXAMPLES,
        search_seconds=60,
    )

    def search() -> int:
        judgement = property_valid.check(lab_for(setup))
        if not isinstance(judgement, Holds):
            raise RuntimeError(f"the application was blamed: {judgement}")
        return int(judgement.message.split()[0])

    return search


def schemathesis_search() -> Search:
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from schemathesis.generation import GenerationMode

    def search() -> int:
        schema = schemathesis.openapi.from_dict(as_operation())
        schema.app = application
        cases = schema["/webhook"]["POST"].as_strategy(generation_mode=GenerationMode.POSITIVE)
        judged = 0

        @seed(SEED)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def test(case: schemathesis.Case) -> None:
            nonlocal judged
            judged += 1
            case.call_and_validate()

        test()
        if judged < EXAMPLES:
            raise RuntimeError(f"Schemathesis has drawn {judged} examples of {EXAMPLES}")
        return judged

    return search


def as_operation() -> dict[str, object]:
    """Return the shipped document with its payload as the body of an operation."""
    from hookproof_spec import load, payloads

    webhook = load("mobility-work").webhook()
    schema = dict(webhook.schema)
    definitions = schema.pop("$defs", {})
    moved = _moved({"schemas": {**definitions, "Event": schema}})
    media = {"schema": {"$ref": "#/components/schemas/Event"}, "example": payloads.example(webhook)}
    answers = {"200": {"description": "The event was received."}}
    body = {"required": True, "content": {"application/json": media}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "A webhook as an operation", "version": "1"},
        "paths": {"/webhook": {"post": {"requestBody": body, "responses": answers}}},
        "components": moved,
    }


def _moved(value: object) -> object:
    """Return a schema whose references lead to where its definitions are now."""
    if isinstance(value, dict):
        return {name: _moved(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_moved(item) for item in value]
    if isinstance(value, str):
        return value.replace("#/$defs/", "#/components/schemas/")
    return value


if __name__ == "__main__":
    in_environment("property-example", ["schemathesis"])
    main()
