"""Templates are written and read back, whatever stands in them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookproof_spec.templates import (
    Fields,
    ItemsHeader,
    PlainHeader,
    Repeat,
    Template,
    TemplateError,
    header_shape,
)

VERSION_1 = Repeat("v1=", ",")
VALUES = st.text(st.characters(codec="ascii", exclude_characters=",; "), max_size=12)


def read(template: str, text: str, repeat: Repeat | None = None) -> Fields | str:
    return header_shape(Template.parse(template), repeat).read(text, repeat)


def test_a_template_knows_its_parts() -> None:
    template = Template.parse("t={timestamp},n={nonce}")
    assert template.names == ("timestamp", "nonce")
    assert template.literals == ("t=", ",n=", "")


def test_text_without_placeholders_is_itself() -> None:
    assert Template.parse("v0:").render({}) == "v0:"


@pytest.mark.parametrize("text", ["{", "}", "{body", "body}", "{{body}}", "{Body}", "{}", "{a b}"])
def test_a_stray_brace_is_refused(text: str) -> None:
    with pytest.raises(TemplateError, match="brace"):
        Template.parse(text)


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="{}")), VALUES)
def test_rendering_puts_the_value_in_place(literal: str, value: str) -> None:
    template = Template.parse(f"{literal}{{nonce}}{literal}")
    assert template.render({"nonce": value}) == literal + value + literal


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        Template.parse("{nonce}").render({})


@pytest.mark.parametrize(
    ("template", "shape"),
    [
        ("{signature}", PlainHeader("", "signature")),
        ("sha256={signature}", PlainHeader("sha256=", "signature")),
        ("HMAC {signature}", PlainHeader("HMAC ", "signature")),
        (
            "t={timestamp},signature={signature}",
            ItemsHeader(",", {"t": "timestamp", "signature": "signature"}),
        ),
        ("t={timestamp}; s={signature}", ItemsHeader(";", {"t": "timestamp", "s": "signature"})),
    ],
)
def test_three_shapes_are_readable(template: str, shape: PlainHeader | ItemsHeader) -> None:
    assert header_shape(Template.parse(template), None) == shape


@pytest.mark.parametrize(
    "template",
    [
        "",
        "fixed",
        "{signature}!",
        "{timestamp}{signature}",
        "{timestamp}.{signature}",
        "t={timestamp},{signature}",
        "t={timestamp},v1={signature};n={nonce}",
        "t={timestamp},t={signature}",
        "t={timestamp},v1={signature},",
    ],
)
def test_any_other_shape_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        header_shape(Template.parse(template), None)


@pytest.mark.parametrize(
    ("template", "repeat"),
    [
        ("t={timestamp},{signatures}", None),
        ("t={timestamp},v1={signatures}", VERSION_1),
        ("t={timestamp},{signatures}", Repeat("v1=", " ")),
        ("t={timestamp},{signatures}", Repeat("v1,", ",")),
        ("t={timestamp},{signatures}", Repeat("t=", ",")),
    ],
)
def test_repeated_items_must_fit_the_header(template: str, repeat: Repeat | None) -> None:
    with pytest.raises(TemplateError):
        header_shape(Template.parse(template), repeat)


@settings(deadline=None)
@given(VALUES, VALUES, VALUES)
def test_items_are_read_as_written(timestamp: str, nonce: str, signature: str) -> None:
    template = "t={timestamp},nonce={nonce},signature={signature}"
    values = {"timestamp": timestamp, "nonce": nonce, "signature": signature}
    assert read(template, Template.parse(template).render(values)) == Fields(values)


@settings(deadline=None)
@given(st.permutations(["t=1", " n=2 ", "s=3", "x=4", "junk", ""]))
def test_items_are_read_in_any_order(items: list[str]) -> None:
    template = "t={timestamp},n={nonce},s={signature}"
    expected = Fields({"timestamp": "1", "nonce": "2", "signature": "3"})
    assert read(template, ",".join(items)) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("t=1,t=1,s=2", "'t' stands in it twice"),
        ("t=1,s=2,s=2", "'s' stands in it twice"),
        ("s=2", "'t' is missing"),
        ("t=1;s=2", "'s' is missing"),
        ("t,s", "'t' is missing"),
        ("", "'t' is missing"),
    ],
)
def test_unreadable_items_are_told(text: str, complaint: str) -> None:
    assert read("t={timestamp},s={signature}", text) == complaint


def test_another_prefix_is_told() -> None:
    assert read("sha256={signature}", "sha1=ab") == "it does not begin with 'sha256='"


@settings(deadline=None)
@given(st.lists(st.text("0123456789abcdef", min_size=1), min_size=1, max_size=4))
def test_repeated_signatures_are_read_as_written(signatures: list[str]) -> None:
    items = Repeat("v1=", ",").write(tuple(signatures))
    fields = read("t={timestamp},{signatures}", f"t=1,{items}", VERSION_1)
    assert fields == Fields({"timestamp": "1"}, tuple(signatures))


def test_signatures_of_other_kinds_are_left_out() -> None:
    repeat = Repeat("v1,", " ")
    assert read("{signatures}", "v1a,xx v1,yy v2,zz", repeat) == Fields({}, ("yy",))


@settings(deadline=None)
@given(st.text(), st.sampled_from(["{signatures}", "t={timestamp},{signatures}"]))
def test_reading_never_raises(text: str, template: str) -> None:
    assert isinstance(read(template, text, VERSION_1), Fields | str)
