"""Record snapshots of a healthy lab and of every fault: the fixtures of the offline tests.

python -m tests.e2e.record [FAULT ...]     needs the lab; writes tests/fixtures/snapshots/
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tests.e2e.faults import FAULTS
from tests.e2e.netdoctor import netdoctor
from tests.lab import Lab, agent_image

SETTLED = 65  # seconds; what is younger than a minute, checks leave alone
FOLDER = Path(__file__).parent.parent / "fixtures" / "snapshots"


def record(lab: Lab, name: str) -> None:
    """Save one snapshot of all nodes; the scan's own verdict is printed beside it."""
    # A relative name: the command line is part of the snapshot.
    os.chdir(FOLDER)
    file = Path(f"{name}.json.gz")
    done = netdoctor(lab, "scan", "--all-nodes", "--save", str(file), "-o", "short", "-q")
    print(
        f"{name}: exit {done.returncode}, {file.stat().st_size} bytes\n{done.stdout}{done.stderr}"
    )


def main() -> None:
    """Record what was asked for, or everything."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lab = Lab("ndrecord")
    lab.up(3, agent=agent_image.ensure(print))
    try:
        time.sleep(SETTLED)
        wanted = sys.argv[1:] or ["healthy", *FAULTS]
        for name in wanted:
            if name == "healthy":
                record(lab, name)
                continue
            with FAULTS[name][1](lab):
                record(lab, name)
    finally:
        lab.down()


if __name__ == "__main__":
    main()
