"""Promiscuous links."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubectl_netdoctor.agent.collectors.promiscuous import promiscuous
from kubectl_netdoctor.agent.netlink import Message
from kubectl_netdoctor.agent.run import Run

LINKS = [
    {"IFLA_IFNAME": "cni0", "flags": 0x1103},
    {"IFLA_IFNAME": "eth0", "flags": 0x1043},
    {"IFLA_IFNAME": "br0", "flags": 0x100},
]


def test_the_flag_is_read(node: Callable[..., Run]) -> None:
    """By name, in one order."""
    run = node({})

    def netlink(dump: str) -> Iterator[Message]:
        assert dump == "links"
        yield from LINKS

    run.host.netlink = netlink  # type: ignore[method-assign]
    assert promiscuous(run).interfaces == ("br0", "cni0")
