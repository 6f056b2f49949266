"""A signature scheme in the words of the extension `x-webhook-signature`."""

from __future__ import annotations

from hookproof_spec.scheme import Algorithm, KeyRule, SignatureScheme, TimestampRule

Words = dict[str, object]

CORE = frozenset({"timestamp", "nonce", "body", "signature", "signatures"})
"""The placeholders that what signs anew can fill in."""
CORE_ALGORITHMS = frozenset(Algorithm) - frozenset(
    {
        Algorithm.SHA1,
        Algorithm.SHA256,
        Algorithm.ECDSA_P256_SHA256,
        Algorithm.RSA_SHA1,
        Algorithm.RSA_SHA256,
    }
)


def scheme_words(scheme: SignatureScheme) -> Words:
    """Return the extension's value that declares a scheme."""
    words: Words = {
        "algorithm": scheme.algorithm.value,
        "content": scheme.content.text,
        "encoding": scheme.encoding.value,
        "key": _key(scheme.key),
        "carry": _carry(scheme),
    }
    if scheme.repeat is not None:
        item = f"{scheme.repeat.prefix}{{signature}}"
        words["repeat"] = {"item": item, "separator": scheme.repeat.separator}
    if scheme.timestamp is not None:
        words["timestamp"] = _timestamp(scheme.timestamp)
    if scheme.nonce is not None:
        pattern = {} if scheme.nonce.pattern is None else {"pattern": scheme.nonce.pattern}
        words["nonce"] = pattern | {"on-retry": scheme.nonce.on_retry.value}
    return words


def is_core(scheme: SignatureScheme) -> bool:
    """Tell whether a scheme's requests can be made anew from its core words alone."""
    templates = [scheme.content, *(place.template for place in scheme.carried)]
    return (
        scheme.algorithm in CORE_ALGORITHMS
        and not scheme.inside
        and all(set(template.names) <= CORE for template in templates)
        and scheme.key.digest is None
        and scheme.key.normalize is None
    )


def _key(rule: KeyRule) -> Words:
    digest: Words = {} if rule.digest is None else {"digest": rule.digest.value}
    normalize: Words = {} if rule.normalize is None else {"normalize": rule.normalize.value}
    return {"text": rule.text.value, "without": rule.without} | digest | normalize


def _carry(scheme: SignatureScheme) -> Words:
    places: dict[str, Words] = {}
    for place in scheme.carried:
        places.setdefault(place.where.value, {})[place.name] = place.template.text
    numbers = [place.name for place in scheme.inside if place.number]
    return {**places, **({"numbers": numbers} if numbers else {})}


def _timestamp(rule: TimestampRule) -> Words:
    tolerance: Words = {} if rule.tolerance is None else {"tolerance": rule.tolerance}
    return {"unit": rule.unit.value} | tolerance
