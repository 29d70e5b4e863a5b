"""Why a node could not start a pod in the pod network: what the events of its companion say."""

from __future__ import annotations

from enum import Enum

from kubectl_netdoctor.checks.base import Inconclusive
from kubectl_netdoctor.facts.companion import Companion, Companions

NOT_READY = (
    "cni plugin not initialized",
    "cni config uninitialized",
    "networkpluginnotready",
    "network is not ready",
    "no networks found in",
    "no cni configuration file",
)
NO_ADDRESS = (
    "no ip addresses available in range set",
    "no more ips available",
    "no free addresses",
    "no available ip",
    "range is full",
    "failed to assign an ip address",
    "insufficientfreeaddresses",
    "unable to allocate ip",
)
_SANDBOX = ("FailedCreatePodSandBox", "NetworkNotReady")
_GENERIC = ("Failed to create pod sandbox: ", "rpc error: code = Unknown desc = ")


class Why(Enum):
    """Which fault the words are about."""

    NOT_READY = "no CNI plugin works on the node"
    NO_ADDRESS = "no pod address is left"
    OTHER = "anything else in the pod's sandbox"


def failed(companions: Companions, node: str) -> Companion | None:
    """The node's companion where its sandbox could not be made, None where it came up.

    Raises Inconclusive where it is absent for another reason: a slow image proves nothing.
    """
    one = companions.of(node)
    if one is None:
        raise Inconclusive("no companion was asked for on this node")
    if one.status == "not-started" and one.trouble in _SANDBOX:
        return one
    if one.status in ("not-started", "refused"):
        why = one.said or "no event says why"
        raise Inconclusive(f"the companion did not start, not for the CNI plugin's sake: {why}")
    return None


def why(one: Companion) -> Why:
    """What keeps that companion's sandbox from being made."""
    said = words(one).lower()
    if one.trouble == "NetworkNotReady" or any(w in said for w in NOT_READY):
        return Why.NOT_READY
    return Why.NO_ADDRESS if any(w in said for w in NO_ADDRESS) else Why.OTHER


def words(one: Companion) -> str:
    """The event's words, without what every such event begins with."""
    said = one.said or ""
    for prefix in _GENERIC:
        said = said.removeprefix(prefix)
    return said
