"""The API's own OpenAPI document, and the same with what the running sender knows filled in."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, final

from hookproof_spec import pointers
from hookproof_spec.documents.yaml12 import parse_yaml
from hookproof_spec.scheme import KeyText, SignatureScheme

if TYPE_CHECKING:
    from hookproof_mockserver.sender import MockSender
    from hookproof_spec.webhook import JsonValue, Webhook

Object = dict[str, "JsonValue"]

_PORT = (
    r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
)
_REST = r"([/?]([!$&-;=?-Z_a-z~]|%[0-9A-Fa-f]{2})*)?"
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_ANY_HOST = rf"({_LABEL}\.){{0,3}}{_LABEL}"
_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LOOPBACK = (rf"({_LABEL}\.){{0,4}}localhost", rf"127(\.{_OCTET}){{3}}", r"\[::1\]")
_SPACE = r"\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SECRETS = {
    KeyText.UTF8: rf"[^{_SPACE}]([^\u0000-\u001f\u007f-\u009f\u2028\u2029]*[^{_SPACE}])?",
    KeyText.BASE64: r"([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}(==)?|[A-Za-z0-9+/]{3}=?)?",
    KeyText.HEX: r"([0-9A-Fa-f]{2})+",
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What the document leaves open until a sender runs.

    `rules` are the ids of the forgeries that can be sent. `receivers` are the hosts besides this
    machine that may be delivered to; `*` means any.
    """

    webhooks: Mapping[str, Webhook]
    plans: tuple[str, ...]
    rules: tuple[str, ...]
    receivers: frozenset[str]
    stock: bool


def written() -> Object:
    """Return the document as it is written in `openapi.yaml`, without its shared snippets."""
    return copy.deepcopy(_parsed())


@cache
def _parsed() -> Object:
    home = resources.files(__package__) / "openapi.yaml"
    found = parse_yaml(home.read_text("utf-8"), "openapi.yaml")
    if not isinstance(found, dict):
        raise TypeError("openapi.yaml holds no object")
    del found["x-refusals"]
    return found


def filled_in(particulars: Particulars) -> Object:
    """Return the document of a running sender: a request that fits it is one that can be served.

    Its events, plans, rules, payloads, and forms of secrets and addresses are the sender's own.
    """
    document = written()
    schemas = _at(document, "/components/schemas")
    for name, words in _words(particulars).items():
        if words:
            schemas[name] = {**_at(schemas, f"/{name}"), **words}
    _fill_payloads(document, particulars.webhooks)
    if len(particulars.webhooks) > 1:
        _need_event_name(document)
    if not any(webhook.unsigned_allowed for webhook in particulars.webhooks.values()):
        _need_secret(document)
    _drop_what_is_not_there(document, particulars)
    return document


def _words(particulars: Particulars) -> Mapping[str, Object]:
    schemes = [hook.scheme for hook in particulars.webhooks.values()]
    several = all(scheme.repeat is not None for scheme in schemes)
    secrets = {_secret_pattern(scheme) for scheme in schemes}
    secret = secrets.pop() if len(secrets) == 1 else ""
    return {
        "EventName": _enum(particulars.webhooks),
        "Plan": _enum(particulars.plans),
        "RuleId": _enum(particulars.rules),
        "SignWith": {"enum": ["new", "old", "both"]} if several else {},
        "ReceiverUrl": {"pattern": _url_pattern(particulars.receivers)},
        "Secret": {"pattern": secret} if secret else {},
    }


def _enum(words: Iterable[str]) -> Object:
    listed: list[JsonValue] = [*words]
    return {"enum": listed} if listed else {}


def _secret_pattern(scheme: SignatureScheme) -> str:
    """Return the form of an HMAC's secrets; pairs of keys have more forms than a pattern tells."""
    if scheme.algorithm.hash_name is None:
        return ""
    prefix = f"({re.escape(scheme.key.without)})?" if scheme.key.without else ""
    return f"^{prefix}{_SECRETS[scheme.key.text]}$"


def _url_pattern(receivers: frozenset[str]) -> str:
    named = [re.escape(host) for host in sorted(receivers - {"*"})]
    hosts = [*_LOOPBACK, *named, *([_ANY_HOST] if "*" in receivers else [])]
    return f"^https?://({'|'.join(hosts)}){_PORT}{_REST}$"


def _fill_payloads(document: Object, webhooks: Mapping[str, Webhook]) -> None:
    schemas = _at(document, "/components/schemas")
    forms: list[JsonValue] = []
    for number, (name, webhook) in enumerate(webhooks.items(), 1):
        payload = re.sub(r"[^A-Za-z0-9_.-]", "-", f"Payload{number}.{name}")
        place = f"#/components/schemas/{payload}"
        schemas[payload] = {"title": f"Payload of {name}", **_moved(webhook.schema, place)}
        trigger = f"Trigger{number}"
        schemas[trigger] = _trigger(name, {"$ref": place}, needs_name=len(webhooks) > 1)
        forms.append({"$ref": f"#/components/schemas/{trigger}"})
    _at(schemas, "/Trigger")["anyOf"] = [*_list(_at(schemas, "/Trigger")["anyOf"]), *forms]


def _trigger(name: str, payload: Object, *, needs_name: bool) -> Object:
    """Return the form of a trigger whose payload fits the schema of its event."""
    return {
        "title": f"A payload of {name}",
        "type": "object",
        "required": ["payload", *(["event"] if needs_name else [])],
        "additionalProperties": False,
        "properties": {
            "event": {"const": name},
            "payload": payload,
            "allow_invalid": {"const": False},
            "faults": {"$ref": "#/components/schemas/Faults"},
        },
    }


def _moved(schema: Mapping[str, JsonValue], place: str) -> Object:
    """Return a schema whose references point into it where it now stands."""
    found = _with_place(dict(schema), place)
    return found if isinstance(found, dict) else {}


def _with_place(value: JsonValue, place: str) -> JsonValue:
    if isinstance(value, list):
        return [_with_place(each, place) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _moved_member(key, each, place) for key, each in value.items()}


def _moved_member(key: str, value: JsonValue, place: str) -> JsonValue:
    if key == "$ref" and isinstance(value, str) and value.startswith("#"):
        return place + value[1:]
    return value if key in {"const", "enum", "example"} else _with_place(value, place)


def _need_event_name(document: Object) -> None:
    """Where there are several events, one is named."""
    schemas = _at(document, "/components/schemas")
    for name in ("NewWebhook", "TriggerExample", "TriggerAnything", "TriggerBytes"):
        form = _at(schemas, f"/{name}")
        form["required"] = [*_list(form.get("required", [])), "event"]
    parameters = _list(_at(document, "/paths/~1api~1forgeries/get")["parameters"])
    for parameter in parameters:
        if isinstance(parameter, dict):
            parameter["required"] = True


def _need_secret(document: Object) -> None:
    """Where every event is signed, a secret is given or made."""
    made: Object = {"required": ["generate"], "properties": {"generate": {"const": True}}}
    form = _at(document, "/components/schemas/NewWebhook")
    form["anyOf"] = [{"required": ["secret"]}, made]


def _drop_what_is_not_there(document: Object, particulars: Particulars) -> None:
    """Leave out what this sender cannot do for want of stock, plans or rules."""
    paths = _at(document, "/paths")
    if not particulars.stock:
        for path in [path for path in paths if path.startswith("/api/parts")]:
            del paths[path]
    if not particulars.plans:
        del _at(paths, "/~1api~1account")["put"]
    if not particulars.rules:
        del paths["/api/deliveries/{delivery}/forge"]
        faults = _list(_at(document, "/components/schemas/Fault")["oneOf"])
        faults.pop()  # the last is a rule's request
        for links in _links(document):
            links.pop("forge", None)


def _links(document: Object) -> Iterator[Object]:
    for _, _, found in operations(document):
        for answer in _at(found, "/responses").values():
            if isinstance(answer, dict) and isinstance(links := answer.get("links"), dict):
                yield links


def operations(document: Object) -> Iterator[tuple[str, str, Object]]:
    """Yield the path, the method and the operation of each, in the order of the document."""
    for path, item in _at(document, "/paths").items():
        if isinstance(item, dict):
            for method, found in item.items():
                if method != "parameters" and isinstance(found, dict):
                    yield path, method, found


def _at(value: Object, pointer: str) -> Object:
    found = pointers.get(value, pointer)
    if not isinstance(found, dict):
        raise TypeError(f"openapi.yaml holds no object at {pointer}")
    return found


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise TypeError("openapi.yaml holds something else where a list belongs")
    return value


def particulars_of(sender: MockSender) -> Particulars:
    """Return what a running sender fills in."""
    webhooks = sender.document.webhooks
    return Particulars(
        webhooks=webhooks,
        plans=tuple(sender.account.plans),
        rules=tuple(dict.fromkeys(rule for w in webhooks.values() for rule in sender.forgeries(w))),
        receivers=sender.allowed_receivers,
        stock=any(webhook.stock is not None for webhook in webhooks.values()),
    )
