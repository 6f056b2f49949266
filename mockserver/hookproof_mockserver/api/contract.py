"""The API's own document, compiled: what a request must be, and what an answer must be.

Every schema is compiled once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from hookproof_mockserver.api.judging import Judge, judge, words_of_patterns
from hookproof_mockserver.api.reading import read_json, read_text
from hookproof_mockserver.problems import Breach, Kind, invalid, refuse
from hookproof_spec import pointers
from hookproof_spec.errors import did_you_mean

if TYPE_CHECKING:
    from werkzeug import Request

    from hookproof_spec.webhook import JsonValue

METHODS = ("get", "put", "post", "patch", "delete")
JSON = "application/json"

Object = dict[str, "JsonValue"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A query or header parameter."""

    name: str
    place: str
    types: frozenset[str]
    judge: Judge
    required: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """One method of one path. `body` is None where a request has none."""

    name: str
    path: str
    method: str
    parameters: tuple[Parameter, ...]
    body: Judge | None
    answers: Mapping[str, Mapping[str, Judge]]
    """From a status to a judge for each media type; none where there is no body."""
    required_headers: Mapping[str, tuple[str, ...]]

    def read(self, request: Request) -> tuple[Object, JsonValue]:
        """Return a request's parameters by name, and its body; both are as the document says.

        Raises:
            Refused: the request breaks the document; every place is named.
        """
        parameters, breaches = self._parameters(request)
        body: JsonValue = None
        if self.body is not None:
            body = _body(request)
            breaches += list(self.body.breaches(body))
        if breaches:
            raise invalid(breaches)
        return parameters, body

    def _parameters(self, request: Request) -> tuple[Object, list[Breach]]:
        found: Object = {}
        breaches = list(self._unknown(request))
        for parameter in self.parameters:
            texts = _texts(request, parameter)
            if parameter.required and not texts:
                breaches.append(_wrong(parameter, "it is missing"))
            if len(texts) > 1:
                breaches.append(_wrong(parameter, "it is given more than once"))
            for text in texts[:1]:
                value = read_text(text, parameter.types)
                found[parameter.name] = value
                breaches += [
                    _wrong(parameter, breach.detail) for breach in parameter.judge.breaches(value)
                ]
        return found, breaches

    def _unknown(self, request: Request) -> Iterator[Breach]:
        known = [p.name for p in self.parameters if p.place == "query"]
        for name in request.args:
            if name not in known:
                advice = did_you_mean(name, known)
                yield Breach(
                    detail=f"there is no such parameter{advice and '; ' + advice}",
                    parameter=name,
                    place="query",
                )


def _texts(request: Request, parameter: Parameter) -> list[str]:
    if parameter.place == "query":
        return request.args.getlist(parameter.name)
    return request.headers.getlist(parameter.name)


def _wrong(parameter: Parameter, detail: str) -> Breach:
    return Breach(detail=detail, parameter=parameter.name, place=parameter.place)


def _body(request: Request) -> JsonValue:
    if request.mimetype != JSON:
        raise refuse(Kind.MEDIA, "the body is not application/json", f"send Content-Type: {JSON}")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise refuse(Kind.MEDIA, "the body is encoded", "send it as it is")
    return read_json(request.get_data())


@final
class Contract:
    """The operations of a document, by their `operationId`."""

    def __init__(self, document: Object) -> None:
        self.document = document
        self.operations = {op.name: op for op in _operations(document)}


def _operations(document: Object) -> Iterator[Operation]:
    compiler = _Compiler(document, words_of_patterns(document))
    for path, item in _object(document["paths"]).items():
        shared = _object(item).get("parameters", [])
        for method in METHODS:
            found = _object(item).get(method)
            if found is not None:
                yield compiler.operation(path, method, _object(found), shared)


@final
@dataclass(frozen=True, slots=True)
class _Compiler:
    document: Object
    words: Mapping[str, str]
    judges: dict[int, Judge] = field(default_factory=dict)
    """Those made so far, by the identity of their schemas: most answers share a few."""

    def operation(self, path: str, method: str, found: Object, shared: JsonValue) -> Operation:
        answers = {
            status: self.resolved(answer) for status, answer in _object(found["responses"]).items()
        }
        parameters = [*_list(shared), *_list(found.get("parameters", []))]
        body = self.resolved(found["requestBody"]) if "requestBody" in found else None
        return Operation(
            name=str(found["operationId"]),
            path=path,
            method=method.upper(),
            parameters=tuple(self.parameters(parameters)),
            body=self.media(body).get(JSON) if body else None,
            answers={status: self.media(answer) for status, answer in answers.items()},
            required_headers={
                status: tuple(self.required_headers(answer)) for status, answer in answers.items()
            },
        )

    def parameters(self, found: list[JsonValue]) -> Iterator[Parameter]:
        for each in found:
            parameter = self.resolved(each)
            if parameter["in"] != "path":  # what an id leads to is found, or it is not
                schema = self.resolved(parameter["schema"])
                kind = schema.get("type", "string")
                yield Parameter(
                    name=str(parameter["name"]),
                    place=str(parameter["in"]),
                    types=frozenset(map(str, kind if isinstance(kind, list) else [kind])),
                    judge=self.judge(schema),
                    required=parameter.get("required") is True,
                )

    def required_headers(self, answer: Object) -> Iterator[str]:
        for name, header in _object(answer.get("headers", {})).items():
            if self.resolved(header).get("required"):
                yield name

    def media(self, found: Object) -> dict[str, Judge]:
        return {
            name: self.judge(_object(_object(media)["schema"]))
            for name, media in _object(found.get("content", {})).items()
        }

    def judge(self, schema: Object) -> Judge:
        if id(schema) not in self.judges:
            whole = {**schema, "components": self.document["components"]}
            self.judges[id(schema)] = judge(whole, self.words)
        return self.judges[id(schema)]

    def resolved(self, value: JsonValue) -> Object:
        """Follow the references of a value itself, such as `#/components/schemas/Webhook`."""
        found = _object(value)
        while "$ref" in found:
            target = str(found["$ref"]).removeprefix("#")
            found = _object(pointers.get(self.document, target))
        return found


def _object(value: JsonValue) -> Object:
    if not isinstance(value, dict):
        raise TypeError("the API's document holds something else where an object belongs")
    return value


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise TypeError("the API's document holds something else where a list belongs")
    return value
