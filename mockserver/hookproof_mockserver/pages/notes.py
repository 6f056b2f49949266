"""What a page says after a change: kept until the page that follows has shown it, once."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import final

KEPT = 200
"""How many notes wait to be shown; of more, the oldest are dropped."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One message. `secret` is a new secret key, which is shown this once and never again; of a
    pair of keys, `public` is what a receiver needs.
    """

    text: str
    good: bool = True
    link: str = ""
    link_text: str = ""
    secret: str | None = field(default=None, repr=False)
    public: str = ""


@final
class Notes:
    """The notes that wait, each under a name nobody can guess."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, Note] = OrderedDict()

    def put(self, note: Note) -> str:
        """Keep a note; return the name under which it is taken."""
        name = secrets.token_urlsafe(18)
        with self._lock:
            self._waiting[name] = note
            while len(self._waiting) > KEPT:
                self._waiting.popitem(last=False)
        return name

    def take(self, name: str) -> Note | None:
        """Return a note and forget it; None where there is none, or none any more."""
        with self._lock:
            return self._waiting.pop(name, None)
