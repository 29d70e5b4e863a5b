"""Running the real command line against a cluster, as a user does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab import Lab
from tests.lab.cluster import Cluster

BIN = Path(sys.executable).parent
SERIOUS = ("critical", "high", "medium")


@dataclass(frozen=True)
class Scan:
    """One finished scan: the process, and its report where it was JSON."""

    code: int
    report: dict[str, Any]
    errors: str

    @property
    def first(self) -> str | None:
        """ID of the first row."""
        rows = self.report["findings"]
        return str(rows[0]["id"]) if rows else None

    @property
    def serious(self) -> list[str]:
        """Rows of severity medium or worse, in words."""
        return [
            f"{r['severity']} {r['id']} {r['title']} {r['evidence']}"
            for r in self.report["findings"]
            if r["severity"] in SERIOUS
        ]


def environment() -> dict[str, str]:
    """The plugin on PATH, as after an installation."""
    return {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def netdoctor(
    cluster: Cluster, *arguments: str, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """`kubectl netdoctor …` with its output."""
    return cluster.run("kubectl", "netdoctor", *arguments, env=environment(), timeout=timeout)


def silent(lab: Lab) -> None:
    """See that a scan of the whole lab is clean, unless the last scan of it was just that.

    The silence after one fault is the silence before the next.
    """
    if _SILENT.get(lab.name) != lab.kubeconfig.stat().st_mtime_ns:
        clean = scan(lab, "--all-nodes")
        assert clean.serious == []
        assert clean.code == 0, clean.report["coverage"]
    _SILENT[lab.name] = lab.kubeconfig.stat().st_mtime_ns


def broken(lab: Lab) -> None:
    """Note that the next silence has to be seen."""
    _SILENT.pop(lab.name, None)


_SILENT: dict[str, int] = {}
"""Labs whose last scan was clean, with the birth of their kubeconfig: a new lab is another one."""


def scan(cluster: Cluster, *arguments: str, timeout: float = 120) -> Scan:
    """`kubectl netdoctor scan … -o json`, read."""
    done = netdoctor(cluster, "scan", *arguments, "-o", "json", timeout=timeout)
    if not done.stdout:
        message = f"scan printed nothing (exit {done.returncode}): {done.stderr}"
        raise AssertionError(message)
    return Scan(done.returncode, json.loads(done.stdout), done.stderr)
