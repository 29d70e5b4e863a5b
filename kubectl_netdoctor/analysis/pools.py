"""Which nodes are alike: those that were made from one template, as far as labels tell.

A node-pool label of a provider or an installer says it outright. Where there is none, nodes with the
same distribution (whatever its version), architecture and machine type count as alike. Roles part
nodes either way: a control plane may be set up differently.
"""

from __future__ import annotations

import re

from kubectl_netdoctor.facts.cluster import POOL_LABELS, NodeInfo
from kubectl_netdoctor.facts.system import Kernel

ROLE = "node-role.kubernetes.io/"
ROLES = {
    "master": "control-plane",
    "worker": "",
    "node": "",
    "agent": "",
}  # plain nodes by any name
TYPES = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
_VERSIONED = re.compile(r"\s+\S*\d.*")  # `Ubuntu 24.04.1 LTS`: the first word with a digit, and on


def pool(info: NodeInfo | None, kernel: Kernel | None) -> str | None:
    """What a node is alike with, in words; None where nothing is known of it."""
    if info is None:
        return f"{kernel.distribution or 'unknown'} {kernel.machine}" if kernel else None
    labels = info.labels
    arch = labels.get("kubernetes.io/arch") or (kernel.machine if kernel else "")
    named = next((labels[key] for key in POOL_LABELS if labels.get(key)), None)
    machine = next((labels[key] for key in TYPES if labels.get(key)), "")
    made = f"pool {named}" if named else f"{_VERSIONED.sub('', info.os_image)} {machine}".strip()
    return " ".join(part for part in (made, arch, *_roles(info)) if part)


def _roles(info: NodeInfo) -> list[str]:
    """Roles that make a node different from a plain one."""
    found = {key.removeprefix(ROLE) for key in info.labels if key.startswith(ROLE)}
    found |= {info.labels.get("kubernetes.io/role", "")}
    return sorted({ROLES.get(role, role) for role in found} - {""})
