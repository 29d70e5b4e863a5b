"""Standard output and standard error for one command: readers that leave, disks that are full.

click ends with 1, which means findings here, when a reader goes away; Python does for a full disk.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, TextIO

from kubectl_netdoctor.errors import CannotWrite


class Checked(io.BufferedIOBase):
    """The bytes of a standard stream; `stream` None: it is closed.

    Where a reader went away, the rest is dropped: what was found is as true as before. Every other
    failure of a stream with a result is CannotWrite; of the other one, nobody could be told.
    """

    def __init__(self, stream: BinaryIO | None, name: str, *, result: bool) -> None:
        super().__init__()
        self._stream, self.name, self._result = stream, name, result
        self.reader_gone = False
        self._failure = None if stream else "it is closed"

    def writable(self) -> bool:
        """It is written to."""
        return True

    def isatty(self) -> bool:
        """Whether people read it as it comes."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor of the stream itself. Raises OSError where there is none."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def check(self) -> None:
        """Raise CannotWrite if nothing more can be written."""
        if self._failure and self._result:
            raise CannotWrite(f"cannot write to {self.name}: {self._failure}")

    def write(self, data: Any, /) -> int:
        """All of it. Raises CannotWrite."""
        if data:
            self.check()
            self._attempt(lambda stream: _write_all(stream, data))
        return len(data)

    def flush(self) -> None:
        """Raises CannotWrite, the first time."""
        self._attempt(lambda stream: stream.flush())

    def _attempt(self, action: Callable[[BinaryIO], None]) -> None:
        if self._stream is None or self._failure or self.reader_gone:
            return
        try:
            action(self._stream)
        except BrokenPipeError:
            self.reader_gone = True
            _discard(self._stream)
        except OSError as exc:
            self._failure = exc.strerror or str(exc)
            _discard(self._stream)
            self.check()


def _write_all(stream: BinaryIO, data: Any) -> None:
    """An unbuffered stream (PYTHONUNBUFFERED) may take a part."""
    rest = memoryview(data)
    while rest:
        taken = stream.write(rest)
        if taken is None:
            raise BlockingIOError("its reader is too slow")
        rest = rest[taken:]


def _discard(stream: BinaryIO) -> None:
    """Python writes what is left in its buffers once more when it ends, and would fail again."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Both streams are Checked ones inside; characters that they cannot show are escaped."""
    before = sys.stdout, sys.stderr
    sys.stdout = _checked(sys.stdout, "standard output", result=True)
    sys.stderr = _checked(sys.stderr, "standard error", result=False)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(CannotWrite):  # said before, or there is another error
                stream.flush()
        sys.stdout, sys.stderr = before


def _checked(stream: TextIO | None, name: str, *, result: bool) -> TextIO:
    if stream is not None and not hasattr(stream, "buffer"):
        return stream  # a caller's own, which takes text alone
    return io.TextIOWrapper(
        Checked(stream.buffer if stream else None, name, result=result),
        encoding=stream.encoding if stream else "utf-8",
        errors="backslashreplace",
        line_buffering=getattr(stream, "line_buffering", False),
        write_through=getattr(stream, "write_through", False),
    )


def put(text: str, *, utf8: bool) -> None:
    """Print a result, in the terminal's encoding or in UTF-8 whatever that is.

    Raises CannotWrite.
    """
    if utf8 and hasattr(sys.stdout, "buffer"):
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    else:
        sys.stdout.write(text)
    sys.stdout.flush()


def check_output() -> None:
    """Raise CannotWrite where standard output is known to lead nowhere: it is closed."""
    stream = getattr(sys.stdout, "buffer", None)
    if isinstance(stream, Checked):
        stream.check()


def reader_gone() -> bool:
    """Whether nobody reads standard output any more."""
    return getattr(getattr(sys.stdout, "buffer", None), "reader_gone", False)
