"""First findings on a terminal while other nodes are still awaited: one line each, none withdrawn.

The report ranks and folds; these lines only say what is certain already.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from kubectl_netdoctor.analysis.certain import certain, lasting
from kubectl_netdoctor.checks.base import Check, Finding
from kubectl_netdoctor.cli.outputs import to_screen
from kubectl_netdoctor.cli.progress import ProgressLine
from kubectl_netdoctor.cli.suppressions import read_suppressions
from kubectl_netdoctor.cluster.order import Listener, Progress
from kubectl_netdoctor.facts.snapshot import NodeReport, RunInfo
from kubectl_netdoctor.redaction.secrets import without_secrets

SHOWN = 3  # lines of one check; the same fault on many nodes is one row of the report
BUDGET = 1.0  # seconds for all nodes: the run's own thread has other things to do


def wanted(options: Mapping[str, Any]) -> bool:
    """Whether somebody wants to read on the way, and may see names."""
    quiet = options["quiet"] or options["redact"] or options["watch"]
    return not quiet and to_screen(options["output"]) != "jsonl"


class FirstFindings:
    """Listens to a run beside its progress line. Accepted findings are not said."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        run: RunInfo,
        cluster: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> None:
        self._run = run
        self._cluster = dict(cluster)
        self._checks = lasting(checks.values(), self._cluster)
        file = options.get("suppressions")
        self._accepted = read_suppressions(file) if file else ()
        self._shown: Counter[str] = Counter()
        self._spent = 0.0

    def beside(self, progress: ProgressLine) -> Listener:
        """A listener that tells the progress line, then says what is new."""

        def listen(news: Progress) -> None:
            progress(news)
            awaited = news.answered + news.lost < news.total
            if news.finished and awaited and self._spent < BUDGET:
                start = time.monotonic()
                for line in self._new(news.finished):
                    progress.line(line)
                self._spent += time.monotonic() - start

        return listen

    def _new(self, report: NodeReport) -> list[str]:
        found = []
        for finding in certain(self._checks, report, self._run, self._cluster):
            accepted = any(entry.means(finding, str) for entry in self._accepted)
            if not accepted and self._shown[finding.id] < SHOWN:
                self._shown[finding.id] += 1
                found.append(without_secrets(_text(finding, report.name)))
        return found


def _text(finding: Finding, node: str) -> str:
    return f"seen so far: {finding.severity} {finding.id} on {node}: {finding.title}"
