"""SVC-09: see the check's docstring."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_netdoctor.checks import service_proxy
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Risk,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.checks.service_proxy import Proxies
from kubectl_netdoctor.facts.cluster import ConfigMaps, Workloads
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.system import Components

CONFIGS = (
    ("kube-system", "kube-proxy", "config.conf"),
    ("kube-system", "kube-proxy-config", "config"),
)


@check("SVC-09", Severity.MEDIUM, since="0.1")
def proxy_leftovers(
    iptables: Iptables,
    nftables: Nftables | None,
    interfaces: Interfaces | None,
    components: Components | None,
    config_maps: ConfigMaps | None,
    workloads: Workloads | None,
) -> Iterator[Finding]:
    """Service rules of two proxy modes are on one node.

    Meaning: kube-proxy of one mode, or its replacement, works here, and the rules of another mode
      are still in the kernel; nobody updates those.
    Impact: both see every packet. Deleted Services still answer or are refused, and connections go
      to backends that are gone, on this node only.
    Diagnosis: KUBE-SVC- chains with rules, the table kube-proxy of nftables, the device kube-ipvs0 of
      IPVS, and which proxy runs. Chains that the kubelet makes in every mode do not count, nor does
      any mode by itself.
    Mitigation: remove the leftovers with kube-proxy --cleanup, or reboot the node.
    Source: kubernetes/kubernetes#134539, #102314; kubernetes/kubeadm#3309.
    """
    found = service_proxy.proxies(iptables, nftables, interfaces, components)
    daemon = service_proxy.kube_proxy_daemon(workloads)
    # Where a DaemonSet wants kube-proxy its rules are no leftovers, even while it is down.
    replaced = found.instead is not None and bool(found.modes) and not (daemon and daemon.desired)
    if len(found.modes) < 2 and not replaced:
        return
    wanted = configured(config_maps)
    yield Finding(
        title="Service rules of two proxies are on one node: "
        + " and ".join([*found.modes, *([found.instead] if replaced and found.instead else [])]),
        confidence=Confidence.LIKELY,
        evidence=(*evidence(*_traces(found)), *_configured(wanted)),
        fix=_fix(found, wanted),
    )


def configured(maps: ConfigMaps | None) -> str | None:
    """The mode that kube-proxy's ConfigMap names, None where it leaves it to the default."""
    for namespace, name, key in CONFIGS:
        found = maps.named(namespace, name) if maps else None
        text = found.data.get(key, "") if found else ""
        match = re.search(r"^\s*\"?mode\"?:\s*[\"']?([a-z]+)", text, re.MULTILINE)
        if match:
            return match[1]
    return None


def _traces(found: Proxies) -> Iterator[str]:
    for backend in found.iptables:
        number = backend.addresses
        yield f"iptables-{backend.ruleset.backend}: {number} Service addresses in KUBE-SERVICES"
    if found.nftables:
        yield "nftables: table kube-proxy has rules"
    if found.ipvs:
        yield "IPVS: device kube-ipvs0 is there"
    if found.instead:
        yield f"{found.instead} runs here, kube-proxy does not"


def _configured(mode: str | None) -> tuple[Evidence, ...]:
    return evidence(f"kube-proxy is configured for {mode}") if mode else ()


def _fix(found: Proxies, wanted: str | None) -> Fix:
    commands = {
        "iptables": "iptables-save | grep -v KUBE- | iptables-restore",
        "nftables": "nft delete table ip kube-proxy",
        "ipvs": "ipvsadm -C; ip link delete kube-ipvs0",
    }
    keep = None if found.instead else wanted
    old = [commands[m] for m in found.modes if m != keep]
    return Fix(
        "Remove the rules of the mode that is no longer used: on the node, in kube-proxy's image, run "
        "kube-proxy --cleanup, then restart kube-proxy; a reboot does the same. By hand:",
        ("kube-proxy --cleanup", *old),
        risk=Risk.DISRUPTIVE,
        verify="iptables-save -t nat | grep -c KUBE-SVC; nft list tables | grep kube-proxy; "
        "ip link show kube-ipvs0",
    )
