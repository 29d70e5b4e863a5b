"""What the tunnel devices' own counters say of packets that no rule takes: sent, or received."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import Evidence, PerNode
from kubectl_netdoctor.checks.blame import Blame
from kubectl_netdoctor.facts.link import Interface, Interfaces


def unexplained(
    culprit: Blame, scanned: set[str], interfaces: PerNode[Interfaces] | None
) -> Iterator[Evidence]:
    """Where packets are lost that nothing on the scanned nodes drops, as far as it is known."""
    unseen = [name for name in culprit.members if name not in scanned]
    if unseen:
        yield Evidence("no rule on the scanned nodes takes these packets")
    else:
        ends = " and ".join(culprit.members) if len(culprit.members) < 4 else "all of these nodes"
        yield Evidence(
            f"no rule on {ends} takes these packets: they are lost between the nodes, on the "
            "switch, in a security group or at the provider"
        )
    link = _tunnel(interfaces.get(culprit.node)) if culprit.node and interfaces else None
    if link is None:
        return
    received = link.deltas.get("rx_packets", 0)
    probed = any(to == culprit.node for _, to in culprit.pairs)
    if received:
        text = f"{link.name} received {received} packets in the window: its own sent ones get lost"
        yield Evidence(text, culprit.node)
    elif probed:
        text = f"{link.name} received nothing in the window: packets to this node get lost"
        yield Evidence(text, culprit.node)


def _tunnel(links: Interfaces | None) -> Interface | None:
    return next((i for i in links.items if i.vxlan and i.up), None) if links else None
