"""The interfaces between this node's companion and the rest: its own, the node's end, the bridge."""

from __future__ import annotations

from collections.abc import Iterable

from kubectl_netdoctor.agent.absence import NotPresent
from kubectl_netdoctor.agent.companion_news import wait_for_news
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.pod_namespace import inside
from kubectl_netdoctor.agent.probes.taps import Links, Listener
from kubectl_netdoctor.agent.run import Run


def opened(run: Run, magic: bytes, known: Iterable[Listener]) -> list[Listener]:
    """Listeners, as soon as the companion's address is known; those that are known stay as they are.

    Raises NotPresent where this node has no companion, Denied without the right to enter it.
    """
    news = wait_for_news(run)
    if not news.own:
        raise NotPresent("no companion runs on this node")
    host, timed = run.host, run.kept is not None

    def within() -> tuple[Listener, int | None]:
        name, peer = own_link(host, news.own)
        one = Listener(name, "pod")
        one.open(magic, timed=timed)  # a socket stays in the network namespace that it was made in
        return one, peer

    own, peer = inside(host, run.plan.run, news.own, within)
    links = Links.of(host.netlink("links"))
    names = {m["index"]: name for name, m in links.items.items()}
    taken = {one.interface for one in known}
    found = [own]
    port = names.get(peer or 0)
    if port is not None and links.kind(port) in ("veth", "netkit"):
        bridge = names.get(links.items[port].get("IFLA_MASTER") or 0)
        found.append(Listener(port, "port"))
        if bridge is not None and links.kind(bridge) == "bridge":
            found.append(Listener(bridge, "bridge"))
    for one in found[1:]:
        if one.interface not in taken:
            one.open(magic, timed=timed)
    return [one for one in found if one is own or one.interface not in taken]


def own_link(host: Host, address: str) -> tuple[str, int | None]:
    """Name and other end of the link with that address, in the calling thread's namespace."""
    index = next(
        (
            m["index"]
            for m in host.netlink("addresses")
            if address in (m.get("IFA_LOCAL"), m.get("IFA_ADDRESS"))
        ),
        None,
    )
    for message in host.netlink("links"):
        if message["index"] == index:
            return str(message["IFLA_IFNAME"]), message.get("IFLA_LINK")
    raise NotPresent(f"no link has the address {address}")
