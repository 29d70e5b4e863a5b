"""Addresses of the links."""

from __future__ import annotations

from kubectl_netdoctor.agent.netlink import Message
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.rtnetlink import FAMILIES, scope
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.link import Address, Addresses


@collector("addresses")
def addresses(run: Run) -> Addresses:
    """All IPv4 and IPv6 addresses, rtnetlink(7) RTM_GETADDR."""
    names = run.host.interface_names()
    found = (address(message, names) for message in run.host.netlink("addresses"))
    return Addresses(tuple(item for item in found if item is not None))


def address(message: Message, names: dict[int, str]) -> Address | None:
    """One address; None for other families. IFA_ADDRESS of a point-to-point link is its peer."""
    family = FAMILIES.get(message["family"])
    own = message.get("IFA_LOCAL") or message.get("IFA_ADDRESS")
    if family is None or own is None:
        return None
    return Address(
        interface=names.get(message["index"], f"if{message['index']}"),
        family=family,
        address=own,
        prefix_length=message["prefixlen"],
        scope=scope(message["scope"]),
    )
