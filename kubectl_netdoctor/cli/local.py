"""`scan --local`: the agent in a process of its own on this machine, without a cluster.

A process, because the agent's probes use scapy (GPL-2.0), which the command line never imports.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from kubectl_netdoctor.analysis.plan import plan_for
from kubectl_netdoctor.checks.base import Check
from kubectl_netdoctor.errors import CouldNotRun
from kubectl_netdoctor.facts import codec, envelope, plan
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus


def scan_this_machine(
    checks: Iterable[Check],
    *,
    run: str,
    window: float,
    timeout: float,
    targets: Iterable[tuple[str, int | None]] = (),
) -> NodeReport:
    """Run the agent here and read its answer. Raises CouldNotRun when there is none."""
    name = socket.gethostname()
    order = plan_for(
        name,
        checks,
        {},
        run=run,
        window=window,
        deadline=timeout,
        targets=tuple(plan.ExternalTarget(*target) for target in targets),
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "NETDOCTOR_PLAN": plan.pack(order),
            "NETDOCTOR_HOST_ROOT": "/",
            "NETDOCTOR_TERMINATION_LOG": str(Path(folder) / "summary"),
        }
        try:
            done = subprocess.run(
                [sys.executable, "-m", "kubectl_netdoctor.agent"],
                env=environment,
                capture_output=True,
                timeout=timeout + 5,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise CouldNotRun(f"the local agent did not end within {timeout:.0f} s") from exc
    try:
        answer = envelope.unframe(done.stdout)
    except codec.DecodeError as exc:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise CouldNotRun(
            f"the local agent gave no report (exit {done.returncode}): {exc}",
            hint=said[-1] if said else None,
        ) from exc
    return NodeReport(name, NodeStatus.ANSWERED, None, answer)
