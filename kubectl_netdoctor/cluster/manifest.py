"""The objects of a run, as plain dicts: an anchor that owns them all, and one agent per node.

`python -m kubectl_netdoctor.cluster.manifest` prints them as an example.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from kubectl_netdoctor import __version__
from kubectl_netdoctor.cluster.agent_spec import pod_spec

Json = dict[str, Any]

MANAGED_BY = "app.kubernetes.io/managed-by"
NAME = "app.kubernetes.io/name"
RUN = "netdoctor/run"
NODE = "netdoctor/node"
ROLE = "netdoctor/role"
AGENT = "agent"
OURS = f"{MANAGED_BY}=netdoctor"
"""Label selector of everything that any run made."""

MAX_VARIABLE_BYTES = (128 << 10) - 64  # MAX_ARG_STRLEN of execve(2), less the variable's name

SMALL_RESOURCES: Json = {
    "requests": {"cpu": "10m", "memory": "64Mi"},
    "limits": {"cpu": "1", "memory": "512Mi"},
}
"""Only for namespaces whose quota wants a figure: without requests a full node still takes us."""

_PURPOSE = "reads the node's network state for kubectl netdoctor, then ends; nothing is changed"


@dataclass(frozen=True, slots=True)
class AgentImage:
    """What to run, and how the kubelet gets it."""

    name: str
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Owner:
    """The anchor, as an owner reference needs it."""

    name: str
    uid: str


def run_name(run: str) -> str:
    """Name of a run's anchor."""
    return f"netdoctor-{run}"


def node_hash(node: str) -> str:
    """Eight hex digits for a node: its name may have 253 characters, a label value 63."""
    return hashlib.sha256(node.encode()).hexdigest()[:8]


def agent_name(run: str, node: str) -> str:
    """Name of a node's Job or Pod."""
    return f"{run_name(run)}-{node_hash(node)}"


def same_hash(names: Iterable[str]) -> dict[str, str]:
    """Nodes whose objects would be called like those of another node: one in 4 billion pairs."""
    taken: dict[str, str] = {}
    late: dict[str, str] = {}
    for name in names:
        first = taken.setdefault(node_hash(name), name)
        if first != name:
            late[name] = f"its name has the hash of {first}'s: scan it alone"
    return late


def run_selector(run: str) -> str:
    """Label selector of everything that one run made."""
    return f"{RUN}={run}"


def anchor(run: str, namespace: str, image: AgentImage, *, deadline: float, ttl: int) -> Json:
    """A Job that never starts a Pod and owns all that the run makes.

    Deleting it removes the run in one call. If nobody does, the controller fails it at the
    deadline, its TTL deletes it, and the garbage collector takes what it owns.
    """
    spec = job_spec(deadline, ttl, parallelism=0)
    container = {
        "name": "none",
        "image": image.name,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec["template"] = {
        "metadata": {"labels": labels(run)},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }
    metadata = {
        "name": run_name(run),
        "namespace": namespace,
        "labels": labels(run),
        "annotations": {"netdoctor/purpose": "owns the objects of one run of kubectl netdoctor"},
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def agent_job(
    run: str,
    node: str,
    plan: str,
    namespace: str,
    image: AgentImage,
    *,
    deadline: float,
    ttl: int,
    owner: Owner | None = None,
    resources: Json | None = None,
    news: bool = False,
) -> Json:
    """One node's Job; its Pod is agent_pod()'s."""
    spec = job_spec(deadline, ttl, parallelism=1)
    spec["template"] = {
        "metadata": {"labels": labels(run, node), "annotations": _annotations(node)},
        "spec": pod_spec(node, plan, image, deadline=deadline, resources=resources, news=news),
    }
    metadata = _metadata(run, node, namespace, owner)
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def agent_pod(
    run: str,
    node: str,
    plan: str,
    namespace: str,
    image: AgentImage,
    *,
    deadline: float,
    owner: Owner | None = None,
    resources: Json | None = None,
    news: bool = False,
) -> Json:
    """One node's Pod without a Job: it needs no controller, only API server and kubelet."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(run, node, namespace, owner),
        "spec": pod_spec(node, plan, image, deadline=deadline, resources=resources, news=news),
    }


def job_spec(deadline: float, ttl: int, *, parallelism: int) -> Json:
    """A Job's spec but for its template: one Pod, one attempt, or none for the anchor."""
    return {
        "parallelism": parallelism,
        "completions": 1,
        "backoffLimit": 0,
        "podReplacementPolicy": "Failed",
        "activeDeadlineSeconds": math.ceil(deadline),
        "ttlSecondsAfterFinished": ttl,
    }


def labels(run: str, node: str | None = None) -> dict[str, str]:
    """What everything of a run carries; an agent's objects say their node too."""
    own = {MANAGED_BY: "netdoctor", NAME: "netdoctor", RUN: run}
    return own if node is None else {**own, NODE: node_hash(node), ROLE: AGENT}


def _annotations(node: str) -> dict[str, str]:
    return {
        "netdoctor/node": node,
        "netdoctor/purpose": _PURPOSE,
        "sidecar.istio.io/inject": "false",
        "linkerd.io/inject": "disabled",
        "openshift.io/required-scc": "privileged",
    }


def _metadata(run: str, node: str, namespace: str, owner: Owner | None) -> Json:
    metadata: Json = {
        "name": agent_name(run, node),
        "namespace": namespace,
        "labels": labels(run, node),
        "annotations": _annotations(node),
    }
    if owner is not None:
        metadata["ownerReferences"] = [owned_by(owner)]
    return metadata


def owned_by(owner: Owner) -> Json:
    """The owner reference of everything that the run makes."""
    reference = {"apiVersion": "batch/v1", "kind": "Job", "name": owner.name, "uid": owner.uid}
    return {**reference, "controller": False, "blockOwnerDeletion": False}


def example() -> str:
    """The objects of a run on one node, as YAML."""
    image = AgentImage(f"netdoctor-agent:{__version__}")
    run, node, namespace = "example", "worker-3", "netdoctor"
    owner = Owner(run_name(run), "00000000-0000-0000-0000-000000000000")
    objects = [
        anchor(run, namespace, image, deadline=120, ttl=0),
        agent_job(
            run, node, "PLAN", namespace, image, deadline=90, ttl=120, owner=owner, news=True
        ),
    ]
    text = yaml.safe_dump_all(objects, sort_keys=False, width=100)
    return f"{_EXAMPLE_HEAD}{text}"


_EXAMPLE_HEAD = """\
# What `kubectl netdoctor scan` makes for one node, for those who review it; not to be applied.
# Generated by: python -m kubectl_netdoctor.cluster.manifest > manifests/job.yaml
"""

if __name__ == "__main__":
    sys.stdout.write(example())
