"""No test fails on a clock: an example may take as long as the machine is busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
