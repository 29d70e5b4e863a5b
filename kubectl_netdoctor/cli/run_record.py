"""What a run says about itself: who ran what, where and when."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kubectl_netdoctor import __version__
from kubectl_netdoctor.facts.snapshot import NodeReport, RunInfo


def now() -> str:
    """The time in UTC, RFC 3339, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def run_info(
    options: Mapping[str, Any],
    run: str,
    started: str,
    reports: tuple[NodeReport, ...],
    *,
    context: str | None = None,
    server: str | None = None,
) -> RunInfo:
    """The run, for the header of every report."""
    return RunInfo(
        id=run,
        started=started,
        ended=now(),
        command=("kubectl", "netdoctor", *without_secrets(sys.argv[1:])),
        tool_version=__version__,
        nodes=tuple(r.name for r in reports),
        local=options["local"],
        context=context,
        server=server,
        image=None if options["local"] else options["image"],
        window_seconds=options["window"],
    )


def without_secrets(arguments: list[str]) -> list[str]:
    """The command line as it may stand in a ticket: a token's value is left out."""
    out: list[str] = []
    hide = False
    for word in arguments:
        if hide:
            out.append("***")
        elif word.startswith("--token="):
            out.append("--token=***")
        else:
            out.append(word)
        hide = word == "--token"
    return out
