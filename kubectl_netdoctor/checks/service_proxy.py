"""Who translates Service addresses on a node, from what it leaves in the kernel and from processes.

Source: kubernetes, pkg/proxy (iptables, ipvs, nftables); the CNI plugins' own documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks import datapath, service_rules
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.cluster import WorkloadInfo, Workloads
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.netfilter import Iptables, IptablesRuleset, Nftables
from kubectl_netdoctor.facts.system import Components

IPVS_DEVICE = "kube-ipvs0"
NFT_TABLE = "kube-proxy"
KUBE_PROXY = frozenset({"kube-proxy", "k3s-server", "k3s-agent", "k0s", "rke2", "kubelite"})
"""Processes that are kube-proxy or hold it inside."""
OTHERS = {
    "cilium-agent": datapath.CILIUM,
    "kube-router": "kube-router",
    "ovnkube": "OVN-Kubernetes",
    "kube-ovn-daemon": "Kube-OVN",
}
"""Processes that translate Services where no kube-proxy does."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One iptables backend in which kube-proxy has rules."""

    ruleset: IptablesRuleset
    addresses: int  # of Services


@dataclass(frozen=True, slots=True)
class Proxies:
    """What was found on one node. None for `running` and `instead`: processes were not seen."""

    iptables: tuple[Backend, ...]
    nftables: bool
    ipvs: bool
    running: bool | None  # kube-proxy
    instead: str | None  # what runs in its place

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes of kube-proxy that have left something on the node."""
        return tuple(
            name
            for name, there in (
                ("iptables", bool(self.iptables)),
                ("nftables", self.nftables),
                ("ipvs", self.ipvs),
            )
            if there
        )


def proxies(
    iptables: Iptables | None,
    nftables: Nftables | None,
    interfaces: Interfaces | None,
    components: Components | None,
) -> Proxies:
    """Recognise the proxies of one node."""
    processes = set(components.processes) if components else set()
    # Cilium's programs go on without its agent, so its device counts like its process.
    instead = datapath.CILIUM if datapath.carries(interfaces) else None
    other = next((words for name, words in OTHERS.items() if name in processes), instead)
    running = bool(KUBE_PROXY & processes) if components else None
    return Proxies(
        iptables=tuple(_backends(iptables)) if iptables else (),
        nftables=nftables is not None
        and any(c.table == NFT_TABLE and c.rules for c in nftables.chains),
        ipvs=interfaces is not None and interfaces.named(IPVS_DEVICE) is not None,
        running=running,
        instead=None if running else other,
    )


def _backends(iptables: Iptables) -> Iterator[Backend]:
    for ruleset in (iptables.legacy, iptables.nft):
        if isinstance(ruleset, Missing):
            continue
        found = service_rules.addresses(ruleset)
        if found:
            yield Backend(ruleset, found)


def unread(iptables: Iptables) -> str | None:
    """Why a backend could not be read; None where both were, or the kernel has only one."""
    for name, ruleset in (("legacy", iptables.legacy), ("nft", iptables.nft)):
        if isinstance(ruleset, Missing) and ruleset.reason != "not_present":
            return f"iptables {name}: {ruleset.detail}"
    return None


def not_comparable(found: Proxies, iptables: Iptables) -> str | None:
    """Why the node's Service rules cannot be held against the API; None where they can."""
    if found.instead == datapath.CILIUM:
        return datapath.NOT_READ
    if found.instead:
        return f"{found.instead} translates Services here: its maps are not recorded"
    if found.ipvs:
        return "kube-proxy uses IPVS here: its virtual servers are not recorded"
    if found.nftables:
        return "kube-proxy uses nftables mode here: maps are not recorded"
    if found.iptables:
        return None
    if found.running is None:
        return "no Service rules here, and it is not known which proxy runs"
    if not found.running:
        return "no Service rules and no known proxy here"
    return unread(iptables)


def kube_proxy_daemon(workloads: Workloads | None) -> WorkloadInfo | None:
    """The DaemonSet of kube-proxy, by its name or its labels."""
    return next(
        (
            w
            for w in (workloads.items if workloads else ())
            if w.kind == "DaemonSet"
            and "kube-proxy" in (w.name, w.labels.get("k8s-app"), w.labels.get("component"))
        ),
        None,
    )
