"""What the mock sender can be asked, by subject; `MockSender` is all of them together."""

from __future__ import annotations

from hookproof_mockserver.engine.context import Context


class Desk:
    """One subject. All of them share the sender's context."""

    _context: Context
