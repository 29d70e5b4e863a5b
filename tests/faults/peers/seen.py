"""What a peer saw of one scenario, read in its favour.

A fault counts as found when any complaint that the peer did not have on the healthy lab speaks of
the fault's topic, however vaguely; its place counts as named when any such complaint names a node
of the cause, its address, or a pod on it. A cause without a node has no other place than its topic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.faults.scenario import Cause, Scenario

# Words of each area of the check IDs; one of them is enough.
TOPICS = {
    "API": r"api.?server|\b6443\b|default/kubernetes|kubernetes service",
    "CNI": r"\bcni\b|network.?plugin|network.?(not.?ready|unavailable)|sandbox|ipam",
    "CT": r"conntrack|connection.?track",
    "DNS": r"\bdns|coredns|resolv|look.?up|name.?server|getent|no such host",
    "ENC": r"vxlan|overlay|tunnel|flannel|vtep|\bfdb\b|encapsulat|\b8472\b",
    "MTU": r"\bmtu\b|fragment|packet.?size|too.?(big|large|long)",
    "NF": r"iptables|nftables|netfilter|firewall|\bfilter|\bdrop|reject|masquerad|\b10250\b",
    "NODE": r"back.?log|soft.?irq|socket|buffer|time.?wait|ephemeral|\bport.?range|qdisc|bandwidth",
    "NIC": r"\bloss|\blost\b|\bdrop|packet|\blink\b|interface|retransmi",
    "POL": r"network.?polic",
    "RTE": r"\brout|forward|rp_filter|black.?hole|gateway|duplicate|\barp\b",
    "SVC": r"\bservice|endpoint|kube-?proxy|cluster.?ip|selector|back.?end|hairpin|\bipvs\b",
    "TCP": r"\btcp\b|\becn\b|\bsyn\b|\btls\b|handshake|idle|keep.?alive",
}

# What Kubernetes puts behind the name of a pod: hashes without vowels.
_HASH = re.compile(r"(-[bcdfghjklmnpqrstvwxz2456789]{8,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}\b")
_SOURCE_PORT = re.compile(r":\d+(?=->)")
_NUMBER = re.compile(r"(?<![\w.:])\d+(\.\d+)?(?=(ms|s|%|m|h)?\b(?!\.))")


@dataclass(frozen=True, slots=True)
class Seen:
    """One look of one peer.

    `found` and `placed` count causes; `new` are the complaints that the healthy lab did not have,
    `healthy` is the number of those that it had. `not_run`: why there was no look at all. `failed`:
    what the peer ended with where it gave no result; it has then found nothing.
    """

    peer: str
    causes: int = 0
    found: int = 0
    placed: int = 0
    new: tuple[str, ...] = ()
    healthy: int = 0
    seconds: float = 0.0
    failed: str = ""
    not_run: str = ""


def judge(
    peer: str,
    scenario: Scenario,
    complaints: Sequence[str],
    healthy: Sequence[str],
    names: Mapping[str, Sequence[str]],
    seconds: float,
) -> Seen:
    """Compare complaints with the causes; `names` are the words by which a node may be named."""
    known = {alike(line) for line in healthy}
    new = [line for line in dict.fromkeys(complaints) if alike(line) not in known]
    return Seen(
        peer=peer,
        causes=len(scenario.causes),
        found=sum(_about(cause, new) for cause in scenario.causes),
        placed=sum(_at(cause, new, names) for cause in scenario.causes),
        new=tuple(new),
        healthy=len(known),
        seconds=round(seconds, 1),
    )


def alike(complaint: str) -> str:
    """A complaint without what differs each time: counts, durations, the hashes of pods."""
    return _NUMBER.sub("N", _SOURCE_PORT.sub("", _HASH.sub("", complaint)))


def _about(cause: Cause, new: Sequence[str]) -> bool:
    areas = {check_id.split("-")[0] for check_id in cause.ids}
    topic = "|".join(TOPICS[area] for area in sorted(areas))
    return any(re.search(topic, line, re.IGNORECASE) for line in new)


def _at(cause: Cause, new: Sequence[str], names: Mapping[str, Sequence[str]]) -> bool:
    if not cause.nodes:
        return _about(cause, new)
    return all(
        any(_names(line, word) for line in new for word in (node, *names.get(node, ())))
        for node in cause.nodes
    )


def _names(line: str, word: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-]|\.\d)", line) is not None
