"""Lengths of time as people type them: `90`, `90s`, `5m`, `2h`, `1d`; in seconds."""

from __future__ import annotations

import re

import click

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "ms": 0.001}
_FORM = re.compile(r"([+-]?[0-9]{1,12}(?:\.[0-9]{1,6})?)\s*(ms|[smhd]?)")


class Duration(click.types.FloatParamType):
    """A length of time, read into seconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read one."""
        if isinstance(value, int | float):
            return float(value)
        found = _FORM.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"{value!r} is not a length of time; write 90s, 5m, 2h or 1d", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


DURATION = Duration()
