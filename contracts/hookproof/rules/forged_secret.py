"""What only the holder of the secret can make, and a receiver should refuse all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hookproof.judging import refused
from hookproof.lab import Case, Lab
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules.roots import VERIFIES
from hookproof.verdicts import Level
from hookproof_spec.errors import SecretError
from hookproof_spec.scheme import Encoding, KeyRule, KeyText
from hookproof_spec.signing import keyed_hash


@rule(
    id="forged-other-string",
    level=Level.SHOULD,
    title="A signature over less than the content is refused",
    requirement="A signature over a part of the declared content SHOULD be refused.",
    source="vendor: the signed string is timestamp, nonce and payload",
    remedy="Verify exactly one signed string; keep no candidates of the past.",
    who=Who.SECRET,
    needs=(Need.SHARED_KEY,),
    after=VERIFIES,
)
@refused
def other_string(lab: Lab) -> Iterator[Case]:
    """Right key, wrong content: the body alone, the nonce alone, timestamp with one of them."""
    for words in ("the body", "the nonce", "timestamp and body", "timestamp and nonce"):
        genuine = lab.genuine()
        content = {
            "the body": genuine.body,
            "the nonce": genuine.nonce.encode(),
            "timestamp and body": f"{genuine.timestamp}.".encode() + genuine.body,
            "timestamp and nonce": f"{genuine.timestamp}.{genuine.nonce}".encode(),
        }[words]
        if content and content != genuine.signed_bytes:
            forged = genuine.with_signature(lab.signer.signature(content))
            yield Case(f"a signature over {words} alone", forged.request)


@rule(
    id="forged-other-algorithm",
    level=Level.SHOULD,
    title="Another algorithm, encoding or key form is refused",
    requirement="A signature by another algorithm than the declared one SHOULD be refused.",
    source="vendor: the algorithm is fixed",
    remedy="Fix the algorithm in code.",
    who=Who.SECRET,
    needs=(Need.SHARED_KEY,),
    after=VERIFIES,
)
@refused
def other_algorithm(lab: Lab) -> Iterator[Case]:
    """Right key: HMAC by SHA-1, MD5, SHA-512; another encoding; a decoded key; a prefix."""
    declared = lab.scheme.algorithm.hash_name or ""
    key = lab.key
    for name in ("sha1", "md5", "sha256", "sha512"):
        if name != declared:
            yield _signed_as(lab, f"HMAC with {name}", keyed_hash(key, name))
    for form, decoded in _decoded_keys(lab):
        yield _signed_as(lab, f"the key taken for {form}", keyed_hash(decoded, declared))
    encoding = Encoding.HEX if lab.scheme.encoding is not Encoding.HEX else Encoding.BASE64
    genuine = lab.genuine()
    written = encoding.write(lab.scheme.encoding.read(genuine.signatures[0]) or b"")
    yield Case(f"the right signature in {encoding.value}", genuine.with_signature(written).request)
    genuine = lab.genuine()
    prefixed = f"{declared}={genuine.signatures[0]}"
    yield Case(
        f"a signature that begins with {declared}=", genuine.with_signature(prefixed).request
    )


def _signed_as(lab: Lab, words: str, make: Callable[[bytes], bytes]) -> Case:
    genuine = lab.genuine()
    digest = lab.scheme.encoding.write(make(genuine.signed_bytes))
    return Case(f"a signature made by {words}", genuine.with_signature(digest).request)


def _decoded_keys(lab: Lab) -> Iterator[tuple[str, bytes]]:
    """Yield other keys that the secret's text could be taken for."""
    key = lab.key
    for text in KeyText:
        try:
            other = KeyRule(text).key(lab.secrets.first)
        except SecretError:
            continue
        if other and other != key:
            yield text.value, other


RULES: tuple[Rule, ...] = (other_string, other_algorithm)
