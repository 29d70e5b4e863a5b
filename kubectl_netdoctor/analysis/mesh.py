"""Whom each node probes: everybody in a small cluster, a bounded sample in a large one."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Collection, Iterable, Sequence

from kubectl_netdoctor.checks import overlay
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.plan import PeerTarget

FULL = 10  # nodes: up to here each probes all others
RING = 5  # beyond: the next ones on a ring of the scanned nodes, so that each is probed by as many
NEAR, FAR = 3, 2  # and at random: of the same zone, and of other zones or of anywhere
ZONE = "topology.kubernetes.io/zone"


class Mesh:
    """The directed pairs of one run.

    The ring is ordered by a hash of the name, which spreads neighbours over racks and zones. What is
    random is seeded with the run and the node: the same run has the same pairs, the next has others.
    """

    def __init__(self, nodes: object, scanned: Collection[str], run: str) -> None:
        known = nodes.items if isinstance(nodes, Nodes) else ()
        self._all = [n for n in known if n.internal_ips]
        self._run = run
        members = [n for n in self._all if n.name in scanned]
        self._ring = sorted(members, key=lambda n: hashlib.sha256(n.name.encode()).digest())
        self._at = {n.name: i for i, n in enumerate(self._ring)}

    def peers(self, name: str) -> tuple[PeerTarget, ...]:
        """The nodes that this one probes, with the addresses to probe them at."""
        if len(self._all) <= FULL:
            return _targets(n for n in self._all if n.name != name)
        at = self._at.get(name)
        after = self._ring if at is None else self._ring[at + 1 :] + self._ring[:at]
        neighbours = after if len(self._ring) <= FULL else after[:RING]
        return _targets([*neighbours, *self._sample(name, neighbours)])

    def _sample(self, name: str, neighbours: Sequence[NodeInfo]) -> list[NodeInfo]:
        """At random, of what the ring has not: of the node's own zone, then of any."""
        taken = {name, *(n.name for n in neighbours)}
        others = [n for n in self._all if n.name not in taken]
        zone = next((n.labels.get(ZONE) for n in self._all if n.name == name), None)
        chance = random.Random(f"{self._run}/{name}")  # noqa: S311 - a sample, and no secret
        near = [n for n in others if zone and n.labels.get(ZONE) == zone]
        chosen = chance.sample(near, min(NEAR, len(near)))
        far = [n for n in others if not zone or n.labels.get(ZONE) != zone]
        return chosen + chance.sample(far, min(FAR, len(far)))


def _targets(nodes: Iterable[NodeInfo]) -> tuple[PeerTarget, ...]:
    return tuple(PeerTarget(n.name, n.internal_ips[0], overlay.tunnel_address(n)) for n in nodes)
