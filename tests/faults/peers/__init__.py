"""Other tools in the same runs: see README.md."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.peers import (
    build,
    goldpinger,
    kubeskoop,
    node_problem_detector,
    popeye,
    troubleshoot,
)
from tests.faults.peers.watch import Watch
from tests.lab import Lab

PEERS = (
    goldpinger.PEER,
    kubeskoop.PEER,
    node_problem_detector.PEER,
    popeye.PEER,
    troubleshoot.PEER,
)


def watch(lab: Lab, say: Callable[[str], None]) -> Watch:
    """All peers on a healthy lab, those included that cannot be run."""
    return Watch(lab, PEERS, build.folder(), say)
