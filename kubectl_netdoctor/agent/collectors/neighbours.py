"""ARP and NDP entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from kubectl_netdoctor.agent.netlink import Message
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.rtnetlink import FAMILIES, bounded, neighbour_state
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.link import Neighbour, Neighbours

MOST = 20_000


@collector("neighbours")
def neighbours(run: Run) -> Neighbours:
    """Entries of both families, rtnetlink(7) RTM_GETNEIGH."""
    names = run.host.interface_names()
    items, truncated = bounded(parse(run.host.netlink("neighbours"), names), MOST)
    return Neighbours(items, truncated)


def parse(messages: Iterable[Message], names: dict[int, str]) -> Iterator[Neighbour]:
    """Entries of netlink messages, without multicast groups: nobody was asked for their address."""
    for message in messages:
        address = message.get("NDA_DST")
        if address and message["family"] in FAMILIES and not ip_address(address).is_multicast:
            yield Neighbour(
                interface=names.get(message["ifindex"], f"if{message['ifindex']}"),
                address=address,
                lladdr=message.get("NDA_LLADDR"),
                state=neighbour_state(message["state"]),
            )
