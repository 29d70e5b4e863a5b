"""The address of cluster DNS that a kubelet hands to pods, and whether it is any good."""

from __future__ import annotations

import ipaddress

from kubectl_netdoctor.checks.dns_cells import Seen, seen, silent
from kubectl_netdoctor.facts.dns_matrix import DnsMatrix


def link_local(address: str) -> bool:
    """Whether NodeLocal DNSCache may have it: an address that never leaves the node."""
    try:
        return ipaddress.ip_address(address).is_link_local
    except ValueError:
        return False


def same(left: str, right: str) -> bool:
    """Whether two texts are one address."""
    try:
        return ipaddress.ip_address(left) == ipaddress.ip_address(right)
    except ValueError:
        return left == right


def seen_of(matrix: DnsMatrix | None, address: str) -> Seen | None:
    """What the node saw of that server, whatever its role."""
    found = seen("", matrix, None) if matrix else ()
    return next((one for one in found if same(one.server, address)), None)


def answers(one: Seen | None) -> bool | None:
    """Whether it answers questions for the cluster; None where it was not asked enough."""
    if one is None:
        return None
    if any(c.rcodes.get("NOERROR") for c in one.plain):
        return True
    return False if silent(one.plain) or any(c.answered for c in one.plain) else None
