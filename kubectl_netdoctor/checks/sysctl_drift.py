"""NODE-11: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Severity,
    check,
    node,
)
from kubectl_netdoctor.checks.majority import LEAST, usual
from kubectl_netdoctor.checks.sysctl_profile import PROFILE
from kubectl_netdoctor.facts.system import Kernel, Sysctls

WATCHED = (
    *PROFILE,
    "net.bridge.bridge-nf-call-iptables",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_mtu_probing",
    "net.core.somaxconn",
)
# Derived from memory at boot: they differ between nodes of different size and mean nothing.
BY_MEMORY = (
    "fs.file-max",
    "net.netfilter.nf_conntrack_max",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
)


@check("NODE-11", Severity.INFO, since="0.1", sysctls=WATCHED)
def sysctl_drift(sysctls: PerNode[Sysctls], kernels: PerNode[Kernel] | None) -> Iterator[Finding]:
    """A kernel parameter differs from the other nodes.

    Meaning: most nodes that were scanned have one value, this one has another.
    Impact: none by itself; it is a trace when only this node has trouble.
    Diagnosis: a majority of at least two thirds of at least three nodes. Values that the kernel
      derives from memory are compared between nodes of equal memory only.
    Mitigation: bring the node in line, or the others, where the difference is not meant.
    Source: kernel documentation, admin-guide/sysctl.
    """
    if len(sysctls) < LEAST:
        raise Inconclusive("a majority needs at least three scanned nodes")
    odd: dict[str, list[tuple[str, str, str]]] = {}
    for name in dict.fromkeys(WATCHED):
        values = {n: v for n, fact in sysctls.items() if (v := fact.get(name)) is not None}
        common = usual(values.values())
        if common is None:
            continue
        typical = next(n for n, v in values.items() if v == common)
        for machine, value in values.items():
            same_size = _memory(kernels, machine) == _memory(kernels, typical)
            if value != common and (same_size or name not in BY_MEMORY):
                odd.setdefault(machine, []).append((name, value, common))
    for machine, rows in sorted(odd.items()):
        yield Finding(
            title="Kernel parameters differ from the other nodes",
            evidence=tuple(
                Evidence(f"{name} = {value}, most nodes have {common}", machine)
                for name, value, common in rows
            ),
            subjects=(node(machine),),
            scope=f"on {machine}",
            fix=Fix(
                "Bring the node in line where the difference is not meant.",
                tuple(f"sysctl -w '{name}={common}'" for name, _, common in rows),
                verify="sysctl " + " ".join(name for name, _, _ in rows),
                rollback="; ".join(f"sysctl -w '{name}={value}'" for name, value, _ in rows),
            ),
        )


def _memory(kernels: PerNode[Kernel] | None, name: str) -> int:
    """Memory in whole GiB; 0 where it is not known."""
    kernel = kernels.get(name) if kernels else None
    return round(kernel.memory_bytes / (1 << 30)) if kernel else 0
