"""Reading an HTTP/1 answer from bytes as they come. No sockets here, and no exceptions come out.

A reader is in one phase at a time: the method that takes what it can from the buffer and says
whether it got on. References are to RFC 9112 unless told otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import final

from hookproof.targets.base import Failure
from hookproof.targets.http_head import (
    AnswerHead,
    Ending,
    GarbledError,
    parse_head,
    refuse_other_protocols,
)
from hookproof_spec.request import Header

HEAD_LIMIT = 262_144
"""How many bytes of status line and headers are read (curl stops at 300 KB)."""
LINE_LIMIT = 4_096
"""How many bytes the line before a chunk may have."""

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")

_Phase = Callable[["AnswerReader"], bool]


@final
class AnswerReader:
    """One answer. When `done`, either `failure` and `detail` are set, or the answer is whole.

    `bodiless` tells that the request was a HEAD. At most `limit` bytes of the body are kept; where
    there are more, `cut` is set and the rest is not waited for. Answers 1xx are skipped, except
    101, after which no HTTP follows.
    """

    __slots__ = (
        "_bodiless",
        "_body",
        "_buffer",
        "_left",
        "_limit",
        "_phase",
        "_searched",
        "_stays",
        "cut",
        "detail",
        "failure",
        "headers",
        "status",
    )

    def __init__(self, *, limit: int, bodiless: bool = False) -> None:
        self.status: int | None = None
        self.headers: tuple[Header, ...] = ()
        self.cut = False
        self.failure: Failure | None = None
        self.detail = ""
        self._limit = limit
        self._bodiless = bodiless
        self._phase: _Phase | None = AnswerReader._read_head
        self._buffer = bytearray()
        self._body = bytearray()
        self._searched = 0
        self._left = 0
        self._stays = False

    @property
    def done(self) -> bool:
        """Tell whether nothing more is to be read."""
        return self._phase is None

    @property
    def body(self) -> bytes:
        """What is kept of the body."""
        return bytes(self._body)

    @property
    def stays_open(self) -> bool:
        """Tell whether the receiver is ready for another request on this connection."""
        return self._stays and self.done and not self.cut and not self._buffer

    def feed(self, data: bytes) -> None:
        """Take the next bytes, however they were cut."""
        self._buffer += data
        try:
            while self._phase is not None and self._phase(self):
                pass
        except GarbledError as error:
            self._fail(Failure.GARBAGE, str(error))

    def end(self, how: str = "closed") -> None:
        """Take the end of the connection; `how` it ended is told where it ended too early."""
        if self._phase is AnswerReader._read_until_close:
            self._phase = None
        elif self._phase is not None:
            self._fail(Failure.CLOSED, f"the connection was {how}: {self.progress()}")

    def progress(self) -> str:
        """Say how far an answer has come that is not whole."""
        if self.status is None:
            count = len(self._buffer)
            return f"{count} bytes of a header had arrived" if count else "no answer had arrived"
        known = self._phase is AnswerReader._read_sized
        of = f" of {len(self._body) + self._left}" if known else ""
        return f"status {self.status} and {len(self._body)}{of} bytes of its body had arrived"

    def _fail(self, failure: Failure, detail: str) -> None:
        self.failure, self.detail, self._phase = failure, detail, None

    # --- phases: each returns whether there is more to do with what is in the buffer ---------

    def _read_head(self) -> bool:
        if not self._buffer.startswith(b"HTTP/"):
            self._skip_empty_lines()
            refuse_other_protocols(self._buffer)
        end = _HEAD_END.search(self._buffer, self._searched)
        if end is None:
            self._searched = max(0, len(self._buffer) - 3)
            return self._wait_for_head()
        head = parse_head(bytes(self._buffer[: end.start()]))
        del self._buffer[: end.end()]
        self._searched = 0
        if not head.interim:
            self.status, self.headers = head.status, head.headers
            self._stays = head.stays
            self._phase = self._body_phase(head)
        return True

    def _skip_empty_lines(self) -> None:
        """Forgive what an earlier answer's body left over (2.2)."""
        while self._buffer and self._buffer[0] in b"\r\n":
            del self._buffer[0]

    def _wait_for_head(self) -> bool:
        if len(self._buffer) > HEAD_LIMIT:
            raise GarbledError(f"the answer's header is longer than {HEAD_LIMIT} bytes")
        return False

    def _body_phase(self, head: AnswerHead) -> _Phase | None:
        if self._bodiless or head.ending is Ending.NO_BODY:
            return None
        self._left = head.length
        return _PHASES[head.ending]

    def _read_sized(self) -> bool:
        if self._move() and self._left == 0:
            self._phase = None
        return False

    def _read_chunk_size(self) -> bool:
        line = self._line()
        if line is None:
            return False
        size = _CHUNK_SIZE.fullmatch(line)
        if size is None:
            raise GarbledError(f"not the size of a chunk: {bytes(line[:80])!r}")
        self._left = int(size[1], 16)
        self._phase = AnswerReader._read_chunk_data if self._left else AnswerReader._read_trailers
        return True

    def _read_chunk_data(self) -> bool:
        if not self._move() or self._left:
            return False
        self._phase = AnswerReader._read_chunk_end
        return True

    def _read_chunk_end(self) -> bool:
        line = self._line()
        if line is None:
            return False
        if line:
            raise GarbledError(f"a chunk is longer than its size: {bytes(line[:80])!r} follows it")
        self._phase = AnswerReader._read_chunk_size
        return True

    def _read_trailers(self) -> bool:
        line = self._line()
        if line is None:
            return False
        if not line:
            self._phase = None
        return True

    def _read_until_close(self) -> bool:
        self._left = len(self._buffer)
        self._move()
        return False

    # --- buffer ------------------------------------------------------------------------------

    def _line(self) -> bytearray | None:
        """Take one line without its end; None when it is not there yet."""
        end = self._buffer.find(b"\n", 0, LINE_LIMIT)
        if end < 0:
            if len(self._buffer) >= LINE_LIMIT:
                raise GarbledError(f"a line of a chunked body is longer than {LINE_LIMIT} bytes")
            return None
        line = self._buffer[:end]
        del self._buffer[: end + 1]
        if line.endswith(b"\r"):
            del line[-1]
        return line

    def _move(self) -> bool:
        """Move what is left of a body or chunk from the buffer; False when the limit is passed."""
        piece = self._buffer[: self._left]
        del self._buffer[: self._left]
        self._left -= len(piece)
        self._body += piece
        if len(self._body) <= self._limit:
            return True
        del self._body[self._limit :]
        self.cut, self._phase = True, None
        return False


_PHASES: dict[Ending, _Phase] = {
    Ending.SIZED: AnswerReader._read_sized,
    Ending.CHUNKED: AnswerReader._read_chunk_size,
    Ending.CLOSE: AnswerReader._read_until_close,
}
