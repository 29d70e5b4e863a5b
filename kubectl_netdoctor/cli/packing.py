"""`scan --bundle`: what goes into the archive."""

from __future__ import annotations

import io
import json
import platform
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, TextIO

import click

from kubectl_netdoctor import __version__
from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.cli.bundle import SNAPSHOT, write_bundle
from kubectl_netdoctor.cli.captures import REDACTED, NodeCaptures
from kubectl_netdoctor.cli.outputs import FORMATS
from kubectl_netdoctor.cli.saved import to_bytes
from kubectl_netdoctor.report.terminal import clean

NAMES = {
    "table": "report.txt",
    "wide": "report-wide.txt",
    "short": "report-short.txt",
    "markdown": "report.md",
    "junit": "report.junit.xml",
}
LIBRARIES = ("click", "kubernetes", "PyYAML", "tabulate", "urllib3")


@dataclass(slots=True)
class RunLog:
    """What the tool itself said and did: standard error, and every request that changed something."""

    said: io.StringIO = field(default_factory=io.StringIO)
    written: Sequence[str] = ()
    warnings: Sequence[str] = ()
    captures: NodeCaptures | None = None  # None: none were asked for


class Tee:
    """A text stream whose lines are kept too."""

    def __init__(self, stream: TextIO, copy: TextIO) -> None:
        self._stream, self._copy = stream, copy

    def write(self, text: str) -> int:
        """To both."""
        if text.endswith("\n"):
            self._copy.write(text)
        return self._stream.write(text)

    def flush(self) -> None:
        """Of the one that people read."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Whether the reader is a terminal."""
        return self._stream.isatty()


def pack(
    file: str,
    diagnosis: Diagnosis,
    code: int,
    log: RunLog,
    hide: Callable[[str], str] = str,
) -> None:
    """Write the bundle. Raises CannotWrite."""
    from kubectl_netdoctor.cli.show import render

    content = {SNAPSHOT: to_bytes(diagnosis.snapshot)}
    for form in FORMATS:
        text = render(diagnosis, form, code, io.StringIO())
        content[NAMES.get(form, f"report.{form}")] = text.encode("utf-8", "backslashreplace")
    if log.captures is not None:
        content |= _captured(log.captures, log, redacted=diagnosis.snapshot.redacted)
    said = "".join(f"{line}\n" for line in story(diagnosis, code)) + hide(log.said.getvalue())
    content["netdoctor.log"] = said.encode("utf-8", "backslashreplace")
    content["changes.log"] = "".join(f"{hide(line)}\n" for line in log.written).encode()
    about = versions(diagnosis, code, [hide(w) for w in log.warnings])
    content["versions.json"] = (json.dumps(about, indent=2, sort_keys=True) + "\n").encode()
    write_bundle(file, diagnosis.snapshot.run.id, content)
    hint = "" if diagnosis.snapshot.redacted else "; names and addresses are in it: see --redact"
    click.echo(f"bundle written to {file}{hint}", err=True)


def _captured(
    captures: NodeCaptures, log: RunLog, *, redacted: bool
) -> Iterator[tuple[str, bytes]]:
    """The files of all nodes; under pseudonyms there are none, and that is said."""
    warning = REDACTED if redacted else captures.warning()
    log.said.writelines(f"{line}\n" for line in captures.lines())
    if warning is not None:
        log.said.write(f"warning: {warning}\n")
        click.echo(f"warning: {warning}", err=True)
    return captures.members()


def story(diagnosis: Diagnosis, code: int) -> Iterator[str]:
    """The run in lines: what was asked, what each node answered and logged, how it ended."""
    run = diagnosis.snapshot.run
    yield f"{run.started} run {run.id} began: {shlex.join(run.command)}"
    for node in diagnosis.snapshot.nodes:
        yield clean(f"{node.name}: {node.status.value} {node.reason or ''}".rstrip())
        if node.envelope is not None:
            agent = node.envelope
            yield clean(f"{node.name}: agent {agent.agent_version} {agent.started} {agent.ended}")
            yield from (clean(f"{node.name}: {line}") for line in agent.log)
    yield f"{run.ended} run {run.id} ended: {clean(diagnosis.verdict.text)}; exit code {code}"


def versions(diagnosis: Diagnosis, code: int, warnings: Sequence[str]) -> Mapping[str, Any]:
    """What ran, on what."""
    run = diagnosis.snapshot.run
    agents = {n.envelope.agent_version for n in diagnosis.snapshot.nodes if n.envelope}
    return {
        "tool": run.tool_version,
        "bundledBy": __version__,
        "agents": sorted(agents),
        "image": run.image,
        "python": platform.python_version(),
        "system": platform.system(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "exitCode": code,
        "redacted": diagnosis.snapshot.redacted,
        "warnings": list(warnings),
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"
