"""Which datapath carries pods and Services: Cilium's BPF programs, recognised from what it leaves.

Source: Cilium documentation, cilium-config and kube-proxy replacement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubectl_netdoctor.facts.cluster import ConfigMaps, WorkloadInfo, Workloads
from kubectl_netdoctor.facts.link import Interfaces

CILIUM = "Cilium"
CONFIG = "cilium-config"
DEVICE = "cilium_host"  # on every node, whatever the routing mode
REPLACING = ("true", "strict")  # "partial" and "probe" of releases before 1.14 tell nothing
NOT_READ = "Cilium replaces kube-proxy: its Service entries live in BPF maps that are not read"


@dataclass(frozen=True, slots=True)
class Cilium:
    """What a cluster's Cilium is told to do. `config` is empty where it could not be read."""

    daemon: WorkloadInfo | None
    config: Mapping[str, str]

    @property
    def replaces_kube_proxy(self) -> bool:
        """Whether Services are its own business, as far as its configuration says."""
        return self.config.get("kube-proxy-replacement", "").lower() in REPLACING

    @property
    def enforces_policies(self) -> bool:
        """Whether NetworkPolicies are in force."""
        return (
            self.config.get("enable-policy", "default").lower() != "never"
            and self.config.get("enable-k8s-networkpolicy", "true").lower() != "false"
        )


def cilium(workloads: Workloads | None, maps: ConfigMaps | None) -> Cilium | None:
    """The cluster's Cilium, None where neither its DaemonSet nor its configuration is there."""
    daemon = next((w for w in (workloads.items if workloads else ()) if _is_agent(w)), None)
    found = next((c for c in (maps.items if maps else ()) if c.name == CONFIG), None)
    if daemon is None and found is None:
        return None
    return Cilium(daemon, found.data if found else {})


def _is_agent(workload: WorkloadInfo) -> bool:
    return workload.kind == "DaemonSet" and workload.labels.get("k8s-app") == "cilium"


def carries(interfaces: Interfaces | None) -> bool:
    """Whether Cilium has set up this node."""
    return interfaces is not None and interfaces.named(DEVICE) is not None
