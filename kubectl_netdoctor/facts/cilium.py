"""What Cilium keeps in the API beside Kubernetes' own objects."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import Scope, fact


@dataclass(frozen=True, slots=True)
class CiliumNodeInfo:
    """One CiliumNode: the addresses of its cilium_host device, and the ranges of its pods."""

    name: str
    internal_ips: tuple[str, ...]
    pod_cidrs: tuple[str, ...]


@fact("cilium", scope=Scope.CLUSTER)
@dataclass(frozen=True, slots=True)
class Cilium:
    """All CiliumNodes, and how many policies of Cilium's own kinds there are.

    `policies` is None where they could not be counted.
    """

    nodes: tuple[CiliumNodeInfo, ...]
    policies: int | None
