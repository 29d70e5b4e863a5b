"""Links with IFF_PROMISC: a bridge that has it sends frames back out of the port they came from."""

from __future__ import annotations

from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.promiscuity import Promiscuous

_IFF_PROMISC = 0x100  # netdevice(7)


@collector("promiscuous")
def promiscuous(run: Run) -> Promiscuous:
    """From RTM_GETLINK, rtnetlink(7)."""
    links = run.host.netlink("links")
    return Promiscuous(tuple(sorted(i["IFLA_IFNAME"] for i in links if i["flags"] & _IFF_PROMISC)))
