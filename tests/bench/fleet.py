"""A cluster of many nodes, scanned as a whole several times in a row: silence, time, and cost.

python -m tests.bench fleet [NODES] [RUNS]     needs the lab; starts one of its own
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

from kubectl_netdoctor.cli.saved import load
from tests.e2e.netdoctor import scan
from tests.lab import Lab, agent_image

WINDOW = 1.0
_USED = re.compile(r"used ([\d.]+) s of CPU and (\d+) MiB")


def main(arguments: list[str]) -> None:
    """Print one line for each scan, and what they have in common; exit 1 where one was not silent."""
    nodes, runs = (int(text) for text in [*arguments, "10", "10"][:2])
    lab = Lab("ndfleet")
    begun = time.monotonic()
    lab.up(nodes, agent=agent_image.ensure(print))
    print(f"{nodes} nodes up in {time.monotonic() - begun:.0f} s", flush=True)
    noisy, times, cpu, memory = 0, [], [], []
    try:
        for number in range(1, runs + 1):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "snapshot.json.gz"
                start = time.monotonic()
                seen = scan(lab, "--all-nodes", "--window", f"{WINDOW:g}s", "--save", str(file))
                times.append(time.monotonic() - start)
                used = [
                    _USED.search("\n".join(n.envelope.log))
                    for n in load(str(file)).nodes
                    if n.envelope
                ]
            figures = [(float(u[1]), int(u[2])) for u in used if u]
            cpu += [c for c, _ in figures]
            memory += [m for _, m in figures]
            noisy += bool(seen.serious)
            print(
                f"scan {number}: {times[-1]:.1f} s, exit {seen.code}, {len(figures)} agents, "
                f"{seen.report['verdict']['text']} {seen.serious or ''}",
                flush=True,
            )
    finally:
        lab.down()
    print(
        f"{runs - noisy} of {runs} scans silent; beyond the window of {WINDOW:g} s: median "
        f"{statistics.median(times) - WINDOW:.1f} s, at most {max(times) - WINDOW:.1f} s; agents: CPU "
        f"median {statistics.median(cpu):.2f} s, at most {max(cpu):.2f} s; memory at most {max(memory)} MiB"
    )
    sys.exit(1 if noisy else 0)
