"""Forwarding databases of bridges and vxlan links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubectl_netdoctor.agent.netlink import Message
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.rtnetlink import bounded, is_group, neighbour_state
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.link import Fdb, FdbEntry

MOST = 20_000


@collector("fdb")
def fdb(run: Run) -> Fdb:
    """Entries as `bridge fdb` shows them: RTM_GETNEIGH of the bridge family."""
    names = run.host.interface_names()
    items, truncated = bounded(parse(run.host.netlink("fdb"), names), MOST)
    return Fdb(items, truncated)


def parse(messages: Iterable[Message], names: dict[int, str]) -> Iterator[FdbEntry]:
    """Entries of netlink messages, without the multicast groups that every link listens to."""
    for message in messages:
        lladdr = message.get("NDA_LLADDR")
        if lladdr and (not is_group(lladdr) or "NDA_DST" in message):
            yield FdbEntry(
                interface=names.get(message["ifindex"], f"if{message['ifindex']}"),
                lladdr=lladdr,
                destination=message.get("NDA_DST"),
                port=message.get("NDA_PORT"),
                vni=message.get("NDA_VNI"),
                state=neighbour_state(message["state"]),
            )
