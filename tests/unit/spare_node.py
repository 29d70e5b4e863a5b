"""A recorded cluster with one node more: healthy, and unrelated to whatever is broken.

It is a healthy node of the same snapshot again, under a name, addresses and a pod subnet of its own.
The others know it as they know that node (routes, forwarding entries, neighbours), and it probes and
is probed by nodes that are well.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from kubectl_netdoctor.facts import snapshot as snapshots
from kubectl_netdoctor.facts.snapshot import Snapshot

SPARE = "n4"
PAIRS = ("path_probes", "path_mtu", "pod_probes", "transport_probes")  # between two nodes
DNS = ("dns_matrix", "dns_probes", "dns_records", "pod_probes")  # ask all of cluster DNS
ADDRESS = re.compile(r"(?<![\d.])((?:\d{1,3}\.){3}\d{1,3})(/\d+)?(?![\d.])")

Change = Callable[[Any], Any]


@dataclass(frozen=True)
class Identity:
    """By what a node is known: words that are its own, and the subnet of its pods."""

    words: tuple[str, ...]  # name, address, MAC, MAC of its tunnel device, companion
    pods: str

    def become(self, other: Identity, fixed: Collection[str]) -> Change:
        """A change of any JSON value about this node into one about the other."""
        words = dict(zip(self.words, other.words, strict=True))
        known = re.compile("|".join(rf"(?<![\w.:]){re.escape(w)}(?![\w:]|\.\d)" for w in words))
        mine, theirs = ipaddress.ip_network(self.pods), ipaddress.ip_network(other.pods)

        def pod(found: re.Match[str]) -> str:
            address, length = ipaddress.ip_address(found[1]), found[2] or ""
            if found[1] in fixed or address not in mine or length not in ("", "/24", "/32"):
                return found[0]
            offset = int(address) - int(mine.network_address)
            return f"{ipaddress.ip_address(int(theirs.network_address) + offset)}{length}"

        def change(value: Any) -> Any:
            # Words first would turn a companion into an address that is then moved once more.
            text = json.dumps(value)
            parts = re.split(f"({known.pattern})", text)
            return json.loads(
                "".join(words[p] if p in words else ADDRESS.sub(pod, p) for p in parts)
            )

        return change


def identity(data: dict[str, Any], name: str) -> Identity:
    """A node of the snapshot."""
    node = next(n for n in data["cluster"]["nodes"]["items"] if n["name"] == name)
    facts = next(n for n in data["nodes"] if n["name"] == name)["envelope"]["facts"]
    address = node["internal_ips"][0]
    nic = next(a["interface"] for a in facts["addresses"]["items"] if a["address"] == address)
    mac = next(i["address"] for i in facts["interfaces"]["items"] if i["name"] == nic)
    backend = json.loads(node["annotations"]["flannel.alpha.coreos.com/backend-data"])
    companions = data["cluster"]["companions"]["items"]
    companion = next((c["address"] for c in companions if c["node"] == name), None)
    words = (name, address, mac, backend["VtepMAC"], companion or "no companion")
    return Identity(words, node["pod_cidrs"][0])


def with_spare_node(
    snapshot: Snapshot, like: str, peer: str, broken: Collection[str], called: str = SPARE
) -> Snapshot:
    """The snapshot and one node more: `like` again, with `peer` in the place of its second peer.

    `broken`: nodes that it has not exchanged a packet with; where there are any, it was not asked
    for cluster DNS either, whose endpoints may be there.
    """
    data = json.loads(json.dumps(snapshots.to_json(snapshot)))
    old, second = identity(data, like), identity(data, peer)
    new = Identity((called, "198.18.0.14", "02:4e:44:00:00:04", "72:00:00:00:00:04", "198.19.3.9"), "198.19.3.0/24")  # fmt: skip
    fixed = set(ADDRESS.findall(json.dumps(data["cluster"]["endpoint_slices"])))
    fixed_pods = {address for address, _ in fixed}
    reports = {r["name"]: r["envelope"]["facts"] for r in data["nodes"]}
    report = next(r for r in data["nodes"] if r["name"] == like)
    to_new, to_old = old.become(new, fixed_pods), second.become(old, fixed_pods)
    spare = to_new(report)
    own = spare["envelope"]["facts"]
    for key in ("hops", *(DNS if broken else ())):
        own.pop(key, None)  # captures would need those of the others
    for key in PAIRS:
        _without(own.get(key), broken)
    _double(own, to_old)
    for name, facts in reports.items():
        about_new = second.become(new, fixed_pods) if name == like else to_new
        left = PAIRS if name in broken else ()
        _double({k: v for k, v in facts.items() if k not in (*left, "hops")}, about_new)
    data["nodes"].append(spare)
    data["run"]["nodes"].append(called)
    _double({k: data["cluster"][k] for k in ("nodes", "companions")}, to_new)
    pods = data["cluster"]["pods"]["items"]
    hosted = [p for p in pods if p["node"] == like and p["owner"].startswith("DaemonSet")]
    pods += [{**to_new(p), "name": f"{p['name']}-{called}"} for p in hosted]
    return snapshots.from_json(data)


def _double(value: Any, change: Change) -> None:
    """In every list, whatever is said of the one node is said of the other too."""
    if isinstance(value, dict):
        for inner in value.values():
            _double(inner, change)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        value += [other for one in value if (other := change(one)) != one]


def _without(fact: Any, names: Collection[str]) -> None:
    """Take out what is said of these peers."""
    if isinstance(fact, dict) and isinstance(fact.get("items"), list):
        fact["items"] = [i for i in fact["items"] if i.get("peer") not in names]
