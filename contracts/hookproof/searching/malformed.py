"""The search for bytes of the signature header that are accepted, or crash a receiver."""

from __future__ import annotations

from typing import Final, final

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hookproof.lab import Case, Lab, outcome
from hookproof.rules import culprits
from hookproof.searching.search import Search
from hookproof.searching.tally import Tally
from hookproof.verdicts import Breach, Evidence, Holds, Judgement, Level, Outcome
from hookproof.wording import answer
from hookproof_spec.signing import Delivery, Verifier
from hookproof_spec.templates import ItemsHeader

LONGEST: Final = 400
"""Longer headers are another rule's question, and servers' own."""
LETTERS: Final = st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f")
"""Control characters are the server's question: many refuse them, or close the connection."""
FRAGMENTS: Final = (
    "=", ",", ";", ":", " ", "\t", "&", "|", ".", "-", "+", "%", "%00", "%2c", '"', "'", "{", "}",
    "[", "]", "\\", "0", "1", "00", "e9", "1e9", "1e400", "-1", "0x10", "NaN", "null", "true",
    "None", "é", "²", "\xff", "\xa0", "v0=", "v1=", "sha256=", "a" * 64, "9" * 20, "9" * 40,
)  # fmt: skip


def judge_malformed(lab: Lab, name: str) -> Judgement:
    """Search for a header that is no genuine one and is not refused calmly."""
    headers = _Headers(lab, Tally(lab))
    search = _searched(lab, name, headers)
    if search.found is None and headers.tally.surplus() > 0:
        search = _searched(lab, name, _Headers(lab, Tally(lab, closely=True)))
    return search.found or Holds(message=search.words)


def _searched(lab: Lab, name: str, headers: _Headers) -> Search:
    alone = [[fragment] for fragment in FRAGMENTS if fragment.strip()]
    search = Search.of(lab, name).each(alone, headers.judge)
    return search.through(headers.drawn(), headers.judge)


@final
class _Headers:
    """Sends headers made of fragments; none has a right signature in it."""

    def __init__(self, lab: Lab, tally: Tally) -> None:
        self._lab = lab
        self.tally = tally
        self._oracle = Verifier(lab.scheme, lab.secret)
        self._header = lab.scheme.signature_header
        self._crashes = self._always_crashes()

    def _always_crashes(self) -> bool:
        """Tell whether any forged request crashes it, which is another rule's finding."""
        return outcome(self._lab.send(culprits.forged(self._lab))) is Outcome.CRASHED

    def drawn(self) -> SearchStrategy[list[str]]:
        """Return fragments: of this scheme's header, of others, and of anything."""
        shape = self._header.shape
        keys = [f"{key}=" for key in shape.keys] if isinstance(shape, ItemsHeader) else []
        marks = [shape.separator] if isinstance(shape, ItemsHeader) else [shape.prefix]
        own = st.sampled_from([*keys, *(mark for mark in marks if mark), "{t}", "{n}", "{s}"])
        part = st.one_of(own, st.sampled_from(FRAGMENTS), st.text(LETTERS, max_size=4))
        return st.one_of(st.lists(part, max_size=12), self._nearly())

    def _nearly(self) -> SearchStrategy[list[str]]:
        """Return the scheme's own header with one more fragment somewhere."""
        whole = self._header.template.text
        for name, short in (("timestamp", "{t}"), ("nonce", "{n}"), ("signature", "{s}")):
            whole = whole.replace(f"{{{name}}}", short).replace("{signatures}", "v1={s}")
        extra = st.sampled_from(FRAGMENTS) | st.text(LETTERS, max_size=3)
        return st.builds(
            lambda place, more: [whole[:place], more, whole[place:]],
            st.integers(0, len(whole)),
            extra,
        )

    def judge(self, fragments: list[str]) -> Breach | None:
        """Send a header of these fragments in a new request."""
        genuine = self._lab.genuine()
        text = self._written(fragments, genuine)
        request = genuine.with_signature(self._lab.random_signature()).request
        request = request.with_header(self._header.name, text)
        if len(text) > LONGEST or self._oracle.verify(request, self._lab.clock()).accepted:
            reject()
        note = f"the signature header {text!r}" if text else "an empty signature header"
        return self._judged(self._lab.send(Case(note, request)))

    def _written(self, fragments: list[str], genuine: Delivery) -> str:
        text = "".join(fragments)
        for short, value in (
            ("{t}", genuine.timestamp),
            ("{n}", genuine.nonce),
            ("{s}", self._lab.random_signature()),
        ):
            text = text.replace(short, value)
        return text.strip()

    def _judged(self, sent: Evidence) -> Breach | None:
        if self.tally.acted_on(sent):
            return Breach(
                message=f"{sent.note} is accepted: {answer(sent.exchange)}",
                expected="a refusal (4xx) and no effect",
                evidence=(sent,),
                level=Level.MUST,
            )
        if outcome(sent) is not Outcome.CRASHED or self._crashes:
            return None
        return Breach(
            message=f"crashes on {sent.note}: {answer(sent.exchange)}",
            expected="an answer of 4xx",
            evidence=(sent,),
        )
