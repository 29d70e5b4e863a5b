"""`-o jsonl` on standard output: nodes are written as they answer, not when all is over."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TextIO

from kubectl_netdoctor.cluster.order import Listener, Progress
from kubectl_netdoctor.errors import CannotWrite
from kubectl_netdoctor.facts.snapshot import RunInfo, Snapshot
from kubectl_netdoctor.redaction.redact import without_all_secrets
from kubectl_netdoctor.redaction.secrets import without_secrets
from kubectl_netdoctor.report import lines


class NodeLines:
    """Listens to a run beside another listener. `told`: the lines that were written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.told: set[str] = set()

    def begin(self, run: RunInfo) -> None:
        """The header; with it the reader knows which nodes to wait for."""
        self._write(lines.header(without_all_secrets(Snapshot(run, (), {})).run))

    def beside(self, other: Listener) -> Listener:
        """A listener that tells the other one, then writes."""

        def listen(progress: Progress) -> None:
            other(progress)
            if report := progress.finished:
                reason = report.reason and without_secrets(report.reason)
                self._write(lines.node(replace(report, reason=reason)))

        return listen

    def _write(self, line: str) -> None:
        if line in self.told:
            return
        self.told.add(line)
        with suppress(
            BrokenPipeError, CannotWrite
        ):  # the run goes on and cleans up; the end will notice
            self._stream.write(line)
            self._stream.flush()
