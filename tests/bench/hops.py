"""Drops packets at known hops of a lab, one after the other, and prints where they were last seen.

injected hop | reported hop | right?
"""

from __future__ import annotations

import os
import sys
from typing import Any

from tests.e2e.hop_faults import HOPS, SCAN
from tests.e2e.netdoctor import Scan, scan
from tests.lab import Lab, agent_image


def reported(done: Scan, says: str) -> tuple[str, bool]:
    """What the first row says of the place, and whether that is the right one."""
    rows: list[dict[str, Any]] = [r for r in done.report["findings"] if r["causedBy"] is None]
    texts = [e["text"] for row in rows[:1] for e in row["evidence"]]
    right = next((t for t in texts if says in t), None)
    if right is not None:
        return right.partition(": ")[2], True
    seen = next((t for t in texts if "seen" in t or "arrived" in t), None)
    return seen or f"nothing of a hop ({done.report['verdict']['text']})", False


def main(wanted: list[str]) -> None:
    """Print the table; exit status 1 where a hop is wrong."""
    lab = Lab(os.environ.get("NETDOCTOR_LAB_NAME", "ndbench"))
    keep = os.environ.get("NETDOCTOR_LAB_KEEP") == "1" and lab.is_up()
    agent = agent_image.ensure(lambda line: print(line, file=sys.stderr))
    if keep:
        lab.load_agent(agent)
    else:
        lab.up(3, agent=agent)
    wrong = 0
    try:
        print("injected hop | finding | reported hop | right?", flush=True)
        for name in wanted or HOPS:
            hop = HOPS[name]
            with hop.inject(lab):
                done = scan(lab, *SCAN)
            text, right = reported(done, hop.says)
            wrong += not right
            print(f"{name} | {done.first} | {text} | {'yes' if right else 'NO'}", flush=True)
    finally:
        if not keep:
            lab.down()
    sys.exit(1 if wrong else 0)
