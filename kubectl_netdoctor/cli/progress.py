"""Progress on standard error: one rewritten line on a terminal, a line every 10 s otherwise."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import TextIO

from kubectl_netdoctor.cluster.order import Progress
from kubectl_netdoctor.report.terminal import clean

EVERY = 10.0  # seconds between lines where nothing can be rewritten


class ProgressLine:
    """Listens to a run and says where it stands."""

    def __init__(self, stream: TextIO, *, quiet: bool, verbose: int) -> None:
        self._stream = stream
        self._quiet = quiet
        self._verbose = verbose
        self._terminal = stream.isatty()
        self._started = self._said = time.monotonic()
        self._width = 0

    def begin(
        self, namespace: str, run: str, chosen: Collection[str], skip: Mapping[str, str]
    ) -> None:
        """Say what is about to be made."""
        if self._verbose:
            nodes = len(chosen) - len(skip)
            self._line(f"run {run}: agents for {nodes} nodes in namespace {namespace}")
            for name, why in skip.items():
                self._line(f"{name}: not tried, {why}")

    def __call__(self, progress: Progress) -> None:
        """Take news of the run."""
        if self._quiet:
            return
        done = progress.answered + progress.lost
        parts = [f"{done}/{progress.total} nodes done"]
        for count, word in (
            (progress.running, "running"),
            (progress.starting, "starting"),
            (progress.waiting, "waiting"),
            (progress.lost, "without an answer"),
        ):
            if count:
                parts.append(f"{count} {word}")
        report = progress.finished
        if report and report.envelope is None:
            parts.append(f"{report.name}: {report.reason}")
        if self._verbose and report:
            self._line(f"{report.name}: {report.status.value} {report.reason or ''}".rstrip())
        text = f"{', '.join(parts)} ({time.monotonic() - self._started:.0f} s)"
        if self._terminal:
            self._rewrite(clean(text)[:100])
        elif time.monotonic() - self._said >= EVERY:
            self._said = time.monotonic()
            self._line(text)

    def end(self, warnings: Collection[str]) -> None:
        """Clear the line, and say what went wrong beside the findings."""
        if self._terminal and self._width:
            self._rewrite("")
            self._stream.write("\r")
            self._stream.flush()
        for warning in warnings:
            self._stream.write(f"warning: {clean(warning)}\n")

    def _rewrite(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)

    def _line(self, text: str) -> None:
        if self._terminal and self._width:
            self._rewrite("")
            self._stream.write("\r")
        self._stream.write(clean(text) + "\n")
        self._stream.flush()
