"""JSON Lines: one object a line, each with its `type`; nodes can be written as they answer.

A later line of the same node replaces an earlier one. The verdict is always the last line.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.facts.snapshot import NodeReport, RunInfo
from kubectl_netdoctor.report import accepted, document


def everything(diagnosis: Diagnosis, *, exit_code: int) -> Iterator[str]:
    """All lines of a run that is over."""
    yield header(diagnosis.snapshot.run)
    yield from rest(diagnosis, exit_code=exit_code)


def header(run: RunInfo) -> str:
    """The first line: what is known before the first node answers."""
    return _line(
        "header",
        schemaVersion=document.SCHEMA_VERSION,
        tool={"name": document.TOOL, "version": run.tool_version},
        run={
            "id": run.id,
            "start": run.started,
            "command": list(run.command),
            "nodes": list(run.nodes),
            "local": run.local,
            "context": run.context,
            "server": run.server,
            "image": run.image,
            "windowSeconds": run.window_seconds,
        },
    )


def node(report: NodeReport) -> str:
    """One node that answered, or did not."""
    return _line("node", **document.node(report))


def rest(
    diagnosis: Diagnosis, *, exit_code: int, told: Collection[str] = frozenset()
) -> Iterator[str]:
    """Everything after the header; `told`: lines that were written already."""
    whole = document.document(diagnosis, exit_code=exit_code)
    yield from (line for n in diagnosis.snapshot.nodes if (line := node(n)) not in told)
    yield from _all("finding", whole["findings"])
    yield from _all("advice", whole["advice"])
    yield from _all("suppressed", accepted.values(diagnosis))
    yield from _all("coverage", whole["coverage"])
    run = {key: whole["run"][key] for key in ("end", "exitCode", "imageDigests", "redaction")}
    yield _line("verdict", **whole["verdict"], run=run)


def _all(kind: str, found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield from (_line(kind, **one) for one in found)


def _line(kind: str, **values: Any) -> str:
    return json.dumps({"type": kind, **values}, ensure_ascii=True) + "\n"
