"""Policy routing rules."""

from __future__ import annotations

from kubectl_netdoctor.agent.netlink import Message
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.rtnetlink import FAMILIES, network
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.link import Rule, Rules

_ACTIONS = {1: "lookup", 2: "goto", 3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
_INVERT = 0x2  # FIB_RULE_INVERT


@collector("rules")
def rules(run: Run) -> Rules:
    """IPv4 and IPv6 rules in the order that the kernel asks them, ip-rule(8)."""
    found = (rule(message) for message in run.host.netlink("rules"))
    return Rules(tuple(item for item in found if item is not None))


def rule(message: Message) -> Rule | None:
    """One rule; None for other families. A rule with `not` has it before its action."""
    family = FAMILIES.get(message["family"])
    if family is None:
        return None
    action = _ACTIONS.get(message["action"], str(message["action"]))
    return Rule(
        family=family,
        priority=message.get("FRA_PRIORITY", 0),
        action=f"not {action}" if message["flags"] & _INVERT else action,
        source=_network(family, message.get("FRA_SRC"), message["src_len"]),
        destination=_network(family, message.get("FRA_DST"), message["dst_len"]),
        input_interface=message.get("FRA_IIFNAME"),
        output_interface=message.get("FRA_OIFNAME"),
        mark=message.get("FRA_FWMARK"),
        table=message.get("FRA_TABLE", message["table"]),
    )


def _network(family: int, address: str | None, length: int) -> str | None:
    return None if address is None else network(family, address, length)
