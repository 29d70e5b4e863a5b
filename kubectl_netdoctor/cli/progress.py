"""Progress on standard error: one rewritten line on a terminal, a line every 10 s otherwise."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from typing import TextIO

from kubectl_netdoctor.cluster.order import Progress
from kubectl_netdoctor.report.terminal import clean

EVERY = 10.0  # seconds between lines where nothing can be rewritten
WIDTH = 100  # characters of the rewritten line


class ProgressLine:
    """Listens to a run and says where it stands. `deadline`: the run's own, in seconds."""

    def __init__(self, stream: TextIO, *, quiet: bool, verbose: int, deadline: float) -> None:
        self._stream = stream
        self._quiet = quiet
        self._verbose = verbose
        self._deadline = deadline
        self.terminal = stream.isatty()
        self._started = self._said = time.monotonic()
        self._width = 0
        self._lost = ""

    def begin(
        self, namespace: str, run: str, chosen: Collection[str], skip: Mapping[str, str]
    ) -> None:
        """The clock runs from here; say what is about to be made."""
        self._started = self._said = time.monotonic()
        if self._verbose:
            nodes = len(chosen) - len(skip)
            self.line(f"run {run}: agents for {nodes} nodes in namespace {namespace}")
            for name, why in skip.items():
                self.line(f"{name}: not tried, {why}")

    def __call__(self, progress: Progress) -> None:
        """Take news of the run."""
        if self._quiet:
            return
        report = progress.finished
        if report and report.envelope is None:
            self._lost = f"{report.name}: {report.reason}"
        if self._verbose and report:
            self.line(f"{report.name}: {report.status.value} {report.reason or ''}".rstrip())
        text = "; ".join(self._parts(progress))
        if self.terminal:
            self._rewrite(clean(text)[:WIDTH])
        elif time.monotonic() - self._said >= EVERY:
            self._said = time.monotonic()
            self.line(text)

    def line(self, text: str) -> None:
        """A line that stays, above the rewritten one."""
        if self.terminal and self._width:
            self._rewrite("")
            self._stream.write("\r")
        self._stream.write(clean(text) + "\n")
        self._stream.flush()

    def end(self, warnings: Collection[str]) -> None:
        """Clear the line, and say what went wrong beside the findings."""
        if self.terminal and self._width:
            self._rewrite("")
            self._stream.write("\r")
            self._stream.flush()
        for warning in warnings:
            self._stream.write(f"warning: {clean(warning)}\n")

    def _parts(self, progress: Progress) -> Iterator[str]:
        """Counts and time first: a long reason may be cut."""
        counts = [f"{progress.answered + progress.lost}/{progress.total} nodes done"]
        for count, word in (
            (progress.running, "running"),
            (progress.starting, "starting"),
            (progress.waiting, "waiting"),
            (progress.lost, "without an answer"),
        ):
            if count:
                counts.append(f"{count} {word}")
        elapsed = time.monotonic() - self._started
        yield f"{', '.join(counts)} ({elapsed:.0f} s of {self._deadline:.0f} s)"
        if progress.stuck:
            first, more = progress.stuck[0], len(progress.stuck) - 1
            others = f" (and {more} more)" if more else ""
            yield f"stuck: {first.node}{others}: {first.reason}"
        if self._lost:
            yield self._lost

    def _rewrite(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)
