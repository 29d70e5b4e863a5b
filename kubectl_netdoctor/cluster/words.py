"""The words of a foreign exception, without class names, addresses and source lines."""

from __future__ import annotations

import re
import ssl

from kubectl_netdoctor.cluster import fields


def root(exc: BaseException) -> BaseException:
    """The innermost cause."""
    while (inner := exc.__cause__ or exc.__context__) is not None:
        exc = inner
    return exc


def plain(exc: BaseException) -> str:
    """What went wrong at the bottom: `connection refused`."""
    exc = root(exc)
    if isinstance(exc, OSError) and exc.strerror and not isinstance(exc, ssl.SSLError):
        return exc.strerror.lower()
    said = fields.one_line(str(exc) or type(exc).__name__, 200)
    return re.sub(r"^\[[^]]*\] | \(_ssl\.c:\d+\)$", "", said)
