"""One event in every lawful way in which HTTP brings it."""

from __future__ import annotations

from collections.abc import Iterator

from hookproof.judging import accepted, means
from hookproof.lab import Case, Lab
from hookproof.rule import Need, Rule, Who, rule
from hookproof.targets.base import Framing
from hookproof.verdicts import Level


@rule(
    id="valid-header-name-case",
    level=Level.MUST,
    title="The header's name is found in lower case",
    requirement="The signature header MUST be found whatever the case of its name.",
    source="RFC 9110 section 5.1: field names are case-insensitive",
    remedy="Look the header up without regard to case.",
    who=Who.SENDER,
    needs=(Need.RAW,),
)
@means("it looks headers up letter by letter")
@accepted
def header_name_case(lab: Lab) -> Iterator[Case]:
    """An event whose header names are all in lower case, as HTTP/2 hops make them."""
    request = lab.genuine().request
    lowered = tuple((name.lower(), value) for name, value in request.headers)
    yield Case("an event with its header names in lower case", request.with_headers(lowered))


@rule(
    id="valid-split-writes",
    level=Level.MUST,
    title="A body in several TCP segments is read whole",
    requirement="A body that arrives in parts MUST be read to its end before it is verified.",
    source="RFC 9112 section 6: the length of a message is not that of one read",
    remedy="Read until Content-Length or the end of the stream, not once.",
    who=Who.SENDER,
    needs=(Need.RAW,),
)
@means("it verifies what the first read brought, and not the whole body")
@accepted
def split_writes(lab: Lab) -> Iterator[Case]:
    """The head, a pause, half of the body, a pause, the other half."""
    request = lab.genuine().request
    framing = Framing(fresh=True, pauses=(0, len(request.body) // 2))
    yield Case("an event whose body arrives in two parts", request, framing)


@rule(
    id="valid-chunked",
    level=Level.SHOULD,
    title="A chunked body verifies",
    requirement="A body in chunks, without a Content-Length, SHOULD be read and verified.",
    source="our judgement: proxies send such bodies; some stacks cannot read them",
    remedy="Let the proxy buffer the body, or read to the end of the stream.",
    who=Who.SENDER,
    needs=(Need.RAW,),
)
@means("it reads no body where there is no Content-Length")
@accepted
def chunked(lab: Lab) -> Iterator[Case]:
    """An event with Transfer-Encoding: chunked."""
    framing = Framing(fresh=True, chunked=True)
    yield Case("an event with a chunked body", lab.genuine().request, framing)


@rule(
    id="valid-content-type-charset",
    level=Level.SHOULD,
    title="A media type with a charset is accepted",
    requirement="A Content-Type with `; charset=utf-8` SHOULD be taken for the media type it is.",
    source="RFC 9110 section 8.3: parameters do not make another media type",
    remedy="Compare the media type, not the whole header.",
    who=Who.SENDER,
)
@means("it compares the whole header with the media type")
@accepted
def content_type_charset(lab: Lab) -> Iterator[Case]:
    """An event with `; charset=utf-8` behind its media type."""
    request = lab.genuine().request
    typed = request.with_header("Content-Type", f"{lab.webhook.media_type}; charset=utf-8")
    yield Case("an event with a charset behind its media type", typed)


RULES: tuple[Rule, ...] = (header_name_case, split_writes, chunked, content_type_charset)
