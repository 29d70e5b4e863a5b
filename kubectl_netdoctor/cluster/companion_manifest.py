"""The companion of one node, as plain dicts: a Pod in the pod network that is given nothing.

`python -m kubectl_netdoctor.cluster.companion_manifest` prints it as an example.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import yaml

from kubectl_netdoctor import __version__
from kubectl_netdoctor.cluster import manifest
from kubectl_netdoctor.cluster.manifest import AgentImage, Json, Owner
from kubectl_netdoctor.facts.companion import PORT

COMPANION = "companion"
_USER = 65534  # nobody
_PURPOSE = "answers the probes of one run of kubectl netdoctor from the pod network, then ends"


@dataclass(frozen=True, slots=True)
class Order:
    """What all companions of a run have in common. `token`: hexadecimal; they answer to it only."""

    run: str
    namespace: str
    image: AgentImage
    token: str
    deadline: float
    ttl: int
    owner: Owner
    resources: Json | None = None


def companion_name(run: str, node: str) -> str:
    """Name of a node's companion."""
    return f"{manifest.agent_name(run, node)}-c"


def companion_pod(order: Order, node: str) -> Json:
    """One node's companion."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": _metadata(order, node)} | {
        "spec": _pod_spec(order, node)
    }


def own_service(order: Order) -> Json:
    """A Service that leads to the companion of the node from which it is asked, and to no other."""
    ports = [{"name": p.lower(), "protocol": p, "port": PORT} for p in ("TCP", "UDP")]
    selector = {manifest.RUN: order.run, manifest.ROLE: COMPANION}
    metadata = {
        "name": manifest.run_name(order.run),
        "namespace": order.namespace,
        "labels": manifest.labels(order.run),
        "annotations": {"netdoctor/purpose": "how soon a new endpoint reaches each node's rules"},
        "ownerReferences": [manifest.owned_by(order.owner)],
    }
    spec = {"selector": selector, "ports": ports, "internalTrafficPolicy": "Local"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def companion_job(order: Order, node: str) -> Json:
    """The same as a Job, for users who may not create Pods."""
    metadata = _metadata(order, node)
    spec = manifest.job_spec(order.deadline, order.ttl, parallelism=1)
    labels = {key: metadata[key] for key in ("labels", "annotations")}
    spec["template"] = {"metadata": labels, "spec": _pod_spec(order, node)}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _metadata(order: Order, node: str) -> Json:
    return {
        "name": companion_name(order.run, node),
        "namespace": order.namespace,
        "labels": {
            manifest.MANAGED_BY: "netdoctor",
            manifest.NAME: "netdoctor",
            manifest.RUN: order.run,
            manifest.NODE: manifest.node_hash(node),
            manifest.ROLE: COMPANION,
        },
        "annotations": {
            "netdoctor/node": node,
            "netdoctor/purpose": _PURPOSE,
            "sidecar.istio.io/inject": "false",
            "linkerd.io/inject": "disabled",
        },
        "ownerReferences": [manifest.owned_by(order.owner)],
    }


def _pod_spec(order: Order, node: str) -> Json:
    spec: Json = {
        "nodeName": node,
        "tolerations": [{"operator": "Exists"}],
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Never",
        "activeDeadlineSeconds": math.ceil(order.deadline),
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "os": {"name": "linux"},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(order)],
    }
    if order.image.pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in order.image.pull_secrets]
    return spec


def _container(order: Order) -> Json:
    container: Json = {
        "name": COMPANION,
        "image": order.image.name,
        "imagePullPolicy": order.image.pull_policy,
        "args": ["--respond", order.run],
        "env": [
            {"name": "NETDOCTOR_TOKEN", "value": order.token},
            {"name": "NETDOCTOR_DEADLINE", "value": f"{order.deadline:g}"},
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    if order.resources is not None:
        container["resources"] = order.resources
    return container


def example() -> str:
    """A companion as YAML."""
    owner = Owner(manifest.run_name("example"), "00000000-0000-0000-0000-000000000000")
    image = AgentImage(f"netdoctor-agent:{__version__}")
    order = Order("example", "netdoctor", image, "TOKEN", 90, 120, owner)
    text = yaml.safe_dump(companion_pod(order, "worker-3"), sort_keys=False, width=100)
    return f"{_EXAMPLE_HEAD}{text}"


_EXAMPLE_HEAD = """\
# What `kubectl netdoctor scan` starts beside each agent, for those who review it; not to be applied.
# Generated by: python -m kubectl_netdoctor.cluster.companion_manifest > manifests/companion.yaml
"""

if __name__ == "__main__":
    sys.stdout.write(example())
