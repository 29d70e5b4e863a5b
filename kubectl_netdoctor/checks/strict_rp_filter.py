"""RTE-08: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import overlay, pod_network, tunnel_device
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Severity,
    check,
)
from kubectl_netdoctor.checks.packet import network
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.link import Interfaces, Routes
from kubectl_netdoctor.facts.probe import PathProbes
from kubectl_netdoctor.facts.system import ProtocolCounters, Sysctls

COUNTER = "TcpExt.IPReversePathFilter"
ALL = "net.ipv4.conf.all.rp_filter"
STRICT = 1
# Tunnels, bridges and NICs; the links of single pods would be hundreds.
LINKS = tuple(f"net.ipv4.conf.{p}.rp_filter" for p in ("[!clv]*", "cni*", "cilium_*", "vxlan*"))


@check(
    "RTE-08",
    Severity.HIGH,
    since="0.1",
    sysctls=(ALL, *LINKS),
    explains=("NIC-03", "ENC-01", "DNS-05", "DNS-07", "API-01", "SVC-02"),
)
def strict_rp_filter(
    sysctls: Sysctls,
    counters: ProtocolCounters,
    routes: Routes,
    interfaces: Interfaces,
    node: NodeInfo,
    nodes: Nodes,
    probes: PerNode[PathProbes] | None,
) -> Iterator[Finding]:
    """Strict reverse path filtering drops packets.

    Meaning: rp_filter is strict on a link, and the route back to a peer leaves by another link than
      its packets come in by, or the kernel counts such drops; and what should pass is lost.
    Impact: one direction of asymmetric paths is dead, without any trace in a firewall.
    Diagnosis: two of three must fit: the way back, the kernel's counter inside the window, probes
      between this node and a peer without an answer. Strict by itself is a distribution's default,
      and the counter alone moves with every broadcast of a foreign subnet.
    Mitigation: loose mode (2) on the link, in a file that systemd reads late; or a symmetric route.
    Source: cilium/cilium#13130; aws/amazon-vpc-cni-k8s#212; kernel documentation,
      networking/ip-sysctl.
    """
    everywhere = sysctls.number(ALL)
    if everywhere is None:
        raise Inconclusive("net.ipv4.conf.all.rp_filter could not be read")
    moved = counters.deltas.get(COUNTER, 0)
    strict = dict(_strict(sysctls, interfaces, everywhere))
    crossed = dict(_crossed(routes, interfaces, node, nodes, set(strict)))
    silent = sorted(_silent(node.name, probes or PerNode()))
    # Probes of a peer need not fall into this node's window: its silence is proof as well.
    proven = bool(crossed.keys() & set(silent)) or (moved and crossed)
    if not strict or not (proven or (moved and silent)):
        return
    tunnel = tunnel_device.of(node, interfaces)
    links = [tunnel.name] if proven and tunnel else sorted(strict)
    yield Finding(
        title="Strict reverse path filtering drops packets",
        confidence=Confidence.CERTAIN if proven else Confidence.LIKELY,
        evidence=(
            *(Evidence(text) for text in list(crossed.values())[:4]),
            *(Evidence(f"no answer between this node and {peer}") for peer in silent[:4]),
            Evidence(
                f"rp_filter is strict on {', '.join(f'{n} ({strict[n]})' for n in links[:8])}"
            ),
            Evidence(f"{COUNTER} rose by {moved} in {counters.window_seconds:.0f} s"),
        ),
        fix=Fix(
            "Make the filter loose where the paths are asymmetric on purpose, else make the route "
            "symmetric again.",
            (
                *(
                    f"sysctl -w net.ipv4.conf.{name.replace('.', '/')}.rp_filter=2"
                    for name in links[:8]
                ),
                f"sysctl -w {ALL}=2   # {everywhere} now; the larger of the two counts",
            ),
            verify="nstat -az TcpExtIPReversePathFilter",
            rollback=f"sysctl -w {ALL}={everywhere}",
        ),
    )


def _strict(sysctls: Sysctls, interfaces: Interfaces, everywhere: int) -> Iterator[tuple[str, str]]:
    """Links whose effective value, the larger one, is strict, and where it comes from."""
    for link in interfaces.items:
        own = sysctls.number(f"net.ipv4.conf.{link.name.replace('.', '/')}.rp_filter")
        if link.name != "lo" and own is not None and max(own, everywhere) == STRICT:
            yield link.name, f"all={everywhere}, own={own}"


def _crossed(
    routes: Routes, interfaces: Interfaces, node: NodeInfo, nodes: Nodes, strict: set[str]
) -> Iterator[tuple[str, str]]:
    """Peers whose tunnel packets come in by a strict link that is not the way back to them."""
    tunnel = tunnel_device.of(node, interfaces)
    for peer in nodes.items:
        address = network(overlay.tunnel_address(peer) or "")
        if tunnel is None or tunnel.name not in strict or address is None or peer.name == node.name:
            continue
        back = pod_network.route_to(routes, address)
        if back is None or back.interface not in (tunnel.name, None):
            way = f"by {back.interface}" if back else "nowhere"
            text = f"packets of {peer.name} come in by {tunnel.name}, the way back is {way}"
            yield peer.name, text


def _silent(name: str, probes: PerNode[PathProbes]) -> Iterator[str]:
    """Peers that never answered this node, or never got its answer."""
    seen = {
        other
        for asker, fact in probes.items()
        for p in fact.items
        if p.peer and name in (asker, p.peer) and p.sent and p.errors.get("timeout") == p.sent
        for other in (asker, p.peer)
    }
    yield from seen - {name}
