"""ENC-07: see the check's docstring."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from kubectl_netdoctor.checks import overlay, tunnel_device
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    PerNode,
    Risk,
    Severity,
    check,
    node,
)
from kubectl_netdoctor.facts.cluster import ConfigMaps, Nodes
from kubectl_netdoctor.facts.link import Interfaces

KIND, VNI, PORT = "backend", "VNI", "UDP port"
FLANNEL_MAPS = (("kube-flannel", "kube-flannel-cfg"), ("kube-system", "kube-flannel-cfg"))
_RESTART = "kubectl -n kube-system delete pod -l app=flannel --field-selector spec.nodeName="


@check(
    "ENC-07",
    Severity.HIGH,
    since="0.1",
    explains=(
        "ENC-01",
        "ENC-05",
        "RTE-01",
        "DNS-05",
        "DNS-07",
        "API-01",
        "SVC-02",
        "RTE-13",
        "DNS-21",
        "API-09",
    ),
)
def tunnel_settings_differ(
    nodes: Nodes, interfaces: PerNode[Interfaces] | None, maps: ConfigMaps | None
) -> Iterator[Finding]:
    """Nodes encapsulate differently: another VNI, UDP port or backend.

    Meaning: the tunnel devices of one CNI do not agree: what one node sends, the other does not
      take for its own. Or all agree, and the CNI's config map wants something else (low).
    Impact: pods of the odd node are cut off from the pods of all others.
    Diagnosis: the CNI's own device on each scanned node, and what the nodes published. The config
      map says who is right, else the majority. Another VXLAN device beside it, such as Docker
      Swarm's, may have any VNI and port.
    Mitigation: one net-conf.json for all nodes; delete the odd device and restart the CNI's agent.
    Source: kubernetes/kubernetes#121530; flannel, backends.
    """
    wanted = _configured(maps)
    for what, values in _settings(nodes, interfaces or PerNode()).items():
        kinds = set(values.values())
        meant = wanted.get(what)
        if len(kinds) > 1:
            yield _split(what, values, meant if meant in kinds else _most(values))
        elif kinds and meant is not None and meant not in kinds:
            yield _latent(what, next(iter(kinds)), meant)


def _settings(nodes: Nodes, interfaces: PerNode[Interfaces]) -> dict[str, dict[str, str]]:
    """Values by what they are, then by node; what is not known of a node is left out."""
    found: dict[str, dict[str, str]] = {KIND: {}, VNI: {}, PORT: {}}
    for machine in nodes.items:
        backend = overlay.flannel_backend(machine)
        if not machine.ready:
            continue
        if backend:
            found[KIND][machine.name] = backend
        links = interfaces.get(machine.name)
        link = tunnel_device.of(machine, links) if links else None
        flannel = overlay.flannel_vxlan(machine)
        if flannel:
            found[VNI][machine.name] = str(flannel.vni)
        if link and link.vxlan:
            if not link.vxlan.external:
                found[VNI][machine.name] = str(link.vxlan.vni)
            found[PORT][machine.name] = str(link.vxlan.port)
    return found


def _configured(maps: ConfigMaps | None) -> dict[str, str]:
    """What flannel's config map says; VNI and port only where it names them."""
    for namespace, name in FLANNEL_MAPS:
        found = maps.named(namespace, name) if maps else None
        if found is None:
            continue
        try:
            backend: Any = json.loads(found.data.get("net-conf.json") or "{}").get("Backend")
            kind = str(backend["Type"]).lower()
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}
        named = {VNI: backend.get("VNI"), PORT: backend.get("Port")}
        return {KIND: kind, **{k: str(v) for k, v in named.items() if v}}
    return {}


def _most(values: Mapping[str, str]) -> str | None:
    """The value of most nodes, None where there is no such majority."""
    (first, count), (_, second) = Counter(values.values()).most_common(2)
    return first if count > second else None


def _split(what: str, values: Mapping[str, str], right: str | None) -> Finding:
    odd = sorted(n for n, v in values.items() if v != right)
    each = Counter(values.values())
    seen = ", ".join(f"{what} {v} on {c} nodes" for v, c in sorted(each.items()))
    return Finding(
        title=f"The overlay's {what} differs between nodes",
        confidence=Confidence.CERTAIN if right else Confidence.LIKELY,
        evidence=(
            *(
                Evidence(
                    f"{what} is {values[n]}" + (f", the others have {right}" if right else ""), n
                )
                for n in odd
            ),
            Evidence(seen),
        ),
        subjects=tuple(node(n) for n in odd),
        scope=f"on {', '.join(odd)}",
        fix=Fix(
            "Give all nodes the same network configuration, delete the odd device and restart the "
            "CNI's agent there, which makes it again.",
            ("ip -d link show type vxlan", "ip link del flannel.1", f"{_RESTART}{odd[0]}"),
            risk=Risk.DISRUPTIVE,
            verify="ip -d link show type vxlan",
        ),
    )


def _latent(what: str, have: str, meant: str) -> Finding:
    return Finding(
        title=f"The CNI's config map wants another {what} than all nodes have",
        severity=Severity.LOW,
        evidence=(
            Evidence(f"kube-flannel-cfg says {what} {meant}, every node has {have}"),
            Evidence("the next node whose agent restarts is cut off from the others"),
        ),
        fix=Fix(
            "Put the config map right, or restart the agents of all nodes at once.",
            ("kubectl -n kube-system rollout restart daemonset -l app=flannel",),
            risk=Risk.DISRUPTIVE,
            run_on="kubectl",
            verify="kubectl get nodes -o yaml | grep -A1 flannel.alpha.coreos.com/backend",
        ),
    )
