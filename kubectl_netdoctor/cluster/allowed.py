"""What is read from the cluster, by name: whatever is not listed here stays in the cluster."""

from __future__ import annotations

from collections.abc import Iterable

from kubectl_netdoctor.facts.cluster import POOL_LABELS

SYSTEM_NAMESPACES = (
    "kube-system",
    "kube-flannel",
    "calico-system",
    "calico-apiserver",
    "tigera-operator",
    "cilium",
    "cilium-system",
    "kube-ovn",
    "antrea-system",
    "weave",
    "kube-router",
    "openshift-dns",
    "openshift-multus",
    "openshift-network-operator",
    "openshift-ovn-kubernetes",
    "openshift-sdn",
    "metallb-system",
    "ingress-nginx",
    "gke-managed-system",
)
"""Where CNI plugins, kube-proxy, cluster DNS and load balancers run."""

CONFIG_MAPS: dict[tuple[str, str], tuple[str, ...] | None] = {
    ("kube-system", "coredns"): ("Corefile",),
    ("kube-system", "coredns-custom"): None,
    ("kube-system", "rke2-coredns-rke2-coredns"): ("Corefile",),
    ("kube-system", "kube-dns"): ("stubDomains", "upstreamNameservers"),
    ("kube-system", "node-local-dns"): ("Corefile",),
    ("kube-system", "kube-proxy"): ("config.conf",),
    ("kube-system", "kube-proxy-config"): ("config",),
    ("kube-system", "kubeadm-config"): ("ClusterConfiguration",),
    ("kube-system", "kubelet-config"): ("kubelet",),
    ("kube-system", "kube-flannel-cfg"): ("net-conf.json", "cni-conf.json"),
    ("kube-flannel", "kube-flannel-cfg"): ("net-conf.json", "cni-conf.json"),
    ("kube-system", "cilium-config"): None,
    ("cilium", "cilium-config"): None,
    ("cilium-system", "cilium-config"): None,
    ("kube-system", "calico-config"): ("calico_backend", "veth_mtu", "cni_network_config"),
    ("kube-system", "antrea-config"): ("antrea-agent.conf", "antrea-cni.conflist"),
    ("kube-system", "kube-router-cfg"): ("cni-conf.json",),
    ("kube-system", "amazon-vpc-cni"): None,
    ("openshift-dns", "dns-default"): ("Corefile",),
    ("openshift-ovn-kubernetes", "ovnkube-config"): ("ovnkube.conf",),
    ("metallb-system", "config"): ("config",),
    ("ingress-nginx", "ingress-nginx-controller"): (
        "proxy-body-size",
        "proxy-connect-timeout",
        "proxy-read-timeout",
        "proxy-send-timeout",
        "worker-processes",
    ),
}
"""ConfigMaps by namespace and name, and which of their keys; None: all keys.

kube-proxy's `kubeconfig.conf` is not among them.
"""

NODE_LABELS = (
    "topology.kubernetes.io/",
    "failure-domain.beta.kubernetes.io/",
    "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/instance-type",
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "kubernetes.io/role",
    "node-role.kubernetes.io/",
    "type",  # virtual-kubelet
    "eks.amazonaws.com/compute-type",  # fargate
    *POOL_LABELS,
)
NODE_ANNOTATIONS = (
    "flannel.alpha.coreos.com/",
    "projectcalico.org/",
    "cilium.io/",
    "network.cilium.io/",
    "io.cilium.network.",
    "kube-router.io/",
    "k8s.ovn.org/",
    "ovn.kubernetes.io/",
    "node.antrea.io/",
    "alpha.kubernetes.io/provided-node-ip",
)
POD_LABELS = (
    "k8s-app",
    "app",
    "component",
    "name",
    "tier",
    "role",
    "app.kubernetes.io/",
    "dns.operator.openshift.io/",
)
SERVICE_LABELS = ("k8s-app", "kubernetes.io/")


def only(values: dict[str, str], names: Iterable[str]) -> dict[str, str]:
    """The entries whose key is listed; a listed name that ends in `/` or `.` stands for a prefix."""
    names = tuple(names)
    prefixes = tuple(n for n in names if n.endswith(("/", ".")))
    return {k: v for k, v in values.items() if k in names or k.startswith(prefixes)}
