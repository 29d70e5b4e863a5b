"""kubeskoop's `skoop`: simulates the path of one flow from what collector pods dump on each node.

Run: `skoop -s SOURCE -d DESTINATION -p PORT --format json --output -` (alibaba/kubeskoop
cmd/skoop/main.go, pkg/skoop/context; the README starts the same diagnosis from its web console). It
must be told the flow that fails, so it is told several: every node to cluster DNS, and the replicas
of cluster DNS to each other. Its collector's image is made from `pod-collector`, which must be beside
`skoop` (Dockerfile, pkg/skoop/collector/manager/config.go). Read: suspicions of the cluster and of
each node of the path, levels from 0 (information) to 3 (fatal) (pkg/skoop/ui/json.go, model.go);
1 and more are complaints. Written from these sources: the module proxy does not have it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.e2e.faults import dns_endpoints
from tests.faults.peers import daemon_set
from tests.faults.peers.peer import DEADLINE, Failed, Peer, last_line
from tests.faults.witness import dns_service
from tests.lab import Lab

IMAGE = "netlab.local/skoop:1"
COLLECTOR = "pod-collector"
_loaded: set[str] = set()  # labs whose nodes have the collector's image


def lacks(program: Path) -> str:
    """The collector that it starts on the nodes."""
    return "" if program.with_name(COLLECTOR).exists() else f"no {COLLECTOR} beside it"


def flows(lab: Lab) -> Iterator[tuple[str, str]]:
    """Source and destination of what every pod of a cluster needs."""
    service = dns_service(lab)
    for node in lab.nodes:
        yield lab.address(node), service
    yield from itertools.permutations(sorted(dns_endpoints(lab)), 2)


def ask(lab: Lab, program: Path) -> str:
    """Its reports, one for each flow; a flow that it gives up on is told in its own words."""
    if lab.name not in _loaded:
        files = {f"bin/{COLLECTOR}": program.with_name(COLLECTOR)}
        daemon_set.image(lab, IMAGE, files, debian_below=True)
        _loaded.add(lab.name)
    answers, said = [], ""
    for source, destination in flows(lab):
        done = lab.run(*_words(lab, program, source, destination), timeout=DEADLINE)
        said = done.stdout + done.stderr
        if done.stdout.lstrip().startswith("{"):
            answers.append(json.loads(done.stdout))
    if not answers:
        raise Failed(last_line(said))
    return json.dumps(answers)


def read(output: str) -> list[str]:
    """A line for each suspicion, once for all flows."""
    lines: dict[str, None] = {}
    for answer in json.loads(output):
        for line in _suspicions("cluster", answer.get("cluster") or {}):
            lines[line] = None
        for node in answer.get("nodes") or ():
            for line in _suspicions(f"{node['type']} {node['id']}", node):
                lines[line] = None
    return list(lines)


def _suspicions(where: str, part: dict[str, Any]) -> list[str]:
    found = part.get("suspicions") or ()
    return [f"{where}: {suspicion['message']}" for suspicion in found if suspicion["level"] > 0]


def _words(lab: Lab, program: Path, source: str, destination: str) -> tuple[str | Path, ...]:
    flow = ("-s", source, "-d", destination, "-p", "53", "--protocol", "udp")
    collector = ("--collector-image", IMAGE, "--collector-image-pull-policy", "IfNotPresent")
    form = ("--format", "json", "--output", "-")
    return (program, "--kube-config", lab.kubeconfig, *flow, *collector, *form)


PEER = Peer("kubeskoop", "skoop", ask, read, lacks)
