"""What the Kubernetes API says, by allow-list: these fields are read and no others, never Secrets."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import Scope, fact

POOL_LABELS = (
    "eks.amazonaws.com/nodegroup",
    "alpha.eksctl.io/nodegroup-name",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
    "agentpool",  # AKS, older
    "karpenter.sh/nodepool",
    "karpenter.sh/provisioner-name",
    "kops.k8s.io/instancegroup",
    "worker.gardener.cloud/pool",
    "doks.digitalocean.com/node-pool",
    "lke.linode.com/pool-id",
    "k8s.scaleway.com/pool-name",
    "vke.vultr.com/node-pool",
    "ibm-cloud.kubernetes.io/worker-pool-name",
)
"""Labels by which providers and installers say which nodes were made alike, the surest first."""


@fact("server_version", scope=Scope.CLUSTER)
@dataclass(frozen=True, slots=True)
class ServerVersion:
    """/version of the API server."""

    git_version: str
    platform: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of an object; `since` is lastTransitionTime (RFC 3339, UTC)."""

    type: str
    status: str
    reason: str
    message: str
    since: str


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """One Node. `annotations`: only those of CNI plugins that say how the node is reached.

    `lease_renewed`: renewTime of its Lease in kube-node-lease, None where it could not be read.
    """

    name: str
    created: str
    internal_ips: tuple[str, ...]
    pod_cidrs: tuple[str, ...]
    annotations: dict[str, str]
    labels: dict[str, str]  # zone, region, instance type, os, arch, node pool and roles only
    unschedulable: bool
    taints: tuple[str, ...]  # key=value:effect
    conditions: tuple[Condition, ...]
    kubelet_version: str
    kernel_version: str
    os_image: str
    container_runtime: str
    lease_renewed: str | None

    def condition(self, kind: str) -> Condition | None:
        """The condition of that type."""
        return next((c for c in self.conditions if c.type == kind), None)

    @property
    def ready(self) -> bool:
        """Whether the Ready condition is True."""
        condition = self.condition("Ready")
        return condition is not None and condition.status == "True"


@fact("nodes", scope=Scope.CLUSTER)
@dataclass(frozen=True, slots=True)
class Nodes:
    """All Nodes."""

    items: tuple[NodeInfo, ...]

    def named(self, name: str) -> NodeInfo | None:
        """The Node of that name."""
        return next((n for n in self.items if n.name == name), None)


@dataclass(frozen=True, slots=True)
class PodInfo:
    """One pod of a system namespace. `labels`: k8s-app, app, component, name and the like only."""

    namespace: str
    name: str
    node: str | None
    phase: str
    ready: bool
    host_network: bool
    pod_ips: tuple[str, ...]
    labels: dict[str, str]
    owner: str | None  # Kind/name of the controller
    created: str
    deleting: bool
    restarts: int
    waiting: tuple[str, ...]  # reasons of containers that wait: CrashLoopBackOff …
    images: tuple[str, ...]


@fact("pods", scope=Scope.CLUSTER)
@dataclass(frozen=True, slots=True)
class Pods:
    """Pods of the system namespaces: kube-system and those that CNI plugins use."""

    items: tuple[PodInfo, ...]


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a Service."""

    name: str
    protocol: str
    port: int
    target_port: str
    node_port: int | None


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """One Service."""

    namespace: str
    name: str
    type: str
    cluster_ips: tuple[str, ...]
    selector: dict[str, str]
    labels: dict[str, str]  # k8s-app and kubernetes.io/* only
    ports: tuple[ServicePort, ...]
    session_affinity: str
    internal_traffic_policy: str
    external_traffic_policy: str | None


@fact("services", scope=Scope.CLUSTER)
@dataclass(frozen=True, slots=True)
class Services:
    """All Services."""

    items: tuple[ServiceInfo, ...]

    def named(self, namespace: str, name: str) -> ServiceInfo | None:
        """The Service of that name."""
        return next((s for s in self.items if s.namespace == namespace and s.name == name), None)


@dataclass(frozen=True, slots=True)
class EndpointInfo:
    """One endpoint. None: the API left it out, which KEP-1672 reads as true for ready."""

    addresses: tuple[str, ...]
    ready: bool | None
    serving: bool | None
    terminating: bool | None
    node: str | None
    pod: str | None  # targetRef name


@dataclass(frozen=True, slots=True)
class EndpointSliceInfo:
    """One EndpointSlice; `ports` maps a port's name to `protocol/number`."""

    namespace: str
    name: str
    service: str | None
    address_type: str
    ports: dict[str, str]
    endpoints: tuple[EndpointInfo, ...]


@fact("endpoint_slices", scope=Scope.CLUSTER)
@dataclass(frozen=True, slots=True)
class EndpointSlices:
    """All EndpointSlices."""

    items: tuple[EndpointSliceInfo, ...]

    def of(self, namespace: str, service: str) -> tuple[EndpointSliceInfo, ...]:
        """The slices of one Service."""
        return tuple(s for s in self.items if s.namespace == namespace and s.service == service)


@dataclass(frozen=True, slots=True)
class WorkloadInfo:
    """One DaemonSet or Deployment of a system namespace, with its rollout numbers."""

    kind: str
    namespace: str
    name: str
    labels: dict[str, str]
    images: tuple[str, ...]
    desired: int
    ready: int
    updated: int
    generation: int
    observed_generation: int


@fact("workloads", scope=Scope.CLUSTER)
@dataclass(frozen=True, slots=True)
class Workloads:
    """DaemonSets and Deployments of the system namespaces."""

    items: tuple[WorkloadInfo, ...]


@dataclass(frozen=True, slots=True)
class ConfigMapInfo:
    """One ConfigMap of CNI, kube-proxy or cluster DNS, taken by name; kubeconfigs are left out."""

    namespace: str
    name: str
    data: dict[str, str]


@fact("config_maps", scope=Scope.CLUSTER)
@dataclass(frozen=True, slots=True)
class ConfigMaps:
    """The ConfigMaps that say how the cluster's network is meant to be."""

    items: tuple[ConfigMapInfo, ...]

    def named(self, namespace: str, name: str) -> ConfigMapInfo | None:
        """The ConfigMap of that name."""
        return next((c for c in self.items if c.namespace == namespace and c.name == name), None)


@dataclass(frozen=True, slots=True)
class NetworkPolicyInfo:
    """One NetworkPolicy; `spec` is its JSON text."""

    namespace: str
    name: str
    spec: str


@fact("network_policies", scope=Scope.CLUSTER)
@dataclass(frozen=True, slots=True)
class NetworkPolicies:
    """All NetworkPolicies."""

    items: tuple[NetworkPolicyInfo, ...]
