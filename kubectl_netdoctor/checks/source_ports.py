"""How many source ports there are toward one destination, from whoever chooses them.

Source: kernel, net/netfilter/nf_nat_core.c (nf_nat_l4proto_unique_tuple); iptables-extensions(8).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.conntrack_flows import ConntrackFlows, PortUse
from kubectl_netdoctor.facts.link import Addresses
from kubectl_netdoctor.facts.netfilter import Iptables, IptablesRuleset
from kubectl_netdoctor.facts.system import Sysctls

PORT_RANGE = "net.ipv4.ip_local_port_range"
DEFAULT = (32768, 60999)  # of a namespace whose own value is not known
TRANSLATED = (1024, 65535)  # what the kernel chooses from for a port above 1023, without a range
_RANGE = re.compile(r"--to-ports (\d+)-(\d+)|--to-source [\d.]+(?:-[\d.]+)?:(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Pool:
    """One use of source ports, and the range that they are taken from.

    `rule`: a rule sets the range, by this `option`.
    """

    use: PortUse
    first: int
    last: int
    why: str
    rule: bool = False
    option: str = ""

    @property
    def ports(self) -> int:
        """How many there are."""
        return self.last - self.first + 1


def pools(
    flows: ConntrackFlows,
    sysctls: Sysctls | None,
    addresses: Addresses | None,
    node: NodeInfo | None,
    iptables: Iptables | None,
) -> Iterator[Pool]:
    """Every port use whose range is known. Connections of clients elsewhere are theirs to count."""
    own = {a.address for a in addresses.items} if addresses else set()
    if node:
        own |= set(node.internal_ips)
    narrow = list(_ranges(iptables)) if iptables else []
    for use in flows.ports:
        if use.is_translated:
            if use.source in own:
                yield _translated(use, narrow)
        elif use.protocol != "tcp":
            continue  # a UDP socket needs no port per destination, and a tunnel's ports are a hash
        elif use.source in own:
            yield _of_the_node(use, sysctls)
        elif node and _is_pod_of(use.source, node) and _in_default(use):
            yield Pool(use, *DEFAULT, "the default range of a pod's sockets")


def _in_default(use: PortUse) -> bool:
    """Whether nothing shows that the pod has set a wider range."""
    return DEFAULT[0] <= use.lowest and use.highest <= DEFAULT[1]


def _of_the_node(use: PortUse, sysctls: Sysctls | None) -> Pool:
    words = (sysctls.get(PORT_RANGE) or "").split() if sysctls else []
    if len(words) == 2 and all(w.isdecimal() for w in words) and int(words[0]) <= int(words[1]):
        return Pool(use, int(words[0]), int(words[1]), f"{PORT_RANGE} of the node")
    return Pool(use, *DEFAULT, f"{PORT_RANGE} could not be read: the kernel's default")


def _translated(use: PortUse, narrow: list[tuple[int, int, str]]) -> Pool:
    """The smallest range of a rule that holds all ports seen, else the kernel's own."""
    fitting = [r for r in narrow if r[0] <= use.lowest and use.highest <= r[1]]
    if fitting:
        first, last, option = min(fitting, key=lambda r: r[1] - r[0])
        return Pool(use, first, last, f"a rule translates with {option}", rule=True, option=option)
    return Pool(use, *TRANSLATED, "what the kernel translates source ports to")


def _ranges(iptables: Iptables) -> Iterator[tuple[int, int, str]]:
    for ruleset in (iptables.legacy, iptables.nft):
        for chain in ruleset.chains if isinstance(ruleset, IptablesRuleset) else ():
            for rule in chain.rules if chain.table == "nat" else ():
                found = _RANGE.search(rule.spec) if "--to-" in rule.spec else None
                if found:
                    first, last = found[1] or found[3], found[2] or found[4]
                    yield int(first), int(last), found[0]


def _is_pod_of(address: str, node: NodeInfo) -> bool:
    found = ipaddress.ip_address(address)
    return any(
        found in ipaddress.ip_network(cidr, strict=False)
        for cidr in node.pod_cidrs
        if (":" in cidr) == (found.version == 6)
    )
