"""Changes that are taken back at the end of their `with` block, on a node or in the API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from kubectl_netdoctor.cli.app import DEFAULT_IMAGE
from tests.faults.scenario import Inject
from tests.lab import Lab

Json = dict[str, Any]
NAMESPACE = "shop"


def on_node(node: str, do: Sequence[str], undo: Sequence[str]) -> Inject:
    """One command on a node, and the one that takes it back."""

    def change(lab: Lab) -> AbstractContextManager[None]:
        return _done(lab, node, do, undo)

    return change


@contextmanager
def _done(lab: Lab, node: str, do: Sequence[str], undo: Sequence[str]) -> Iterator[None]:
    lab.on(node, *do)
    try:
        yield
    finally:
        lab.on(node, *undo)


def in_api(*objects: Json) -> Inject:
    """Objects that are there while it lasts, in a namespace of their own."""

    def change(lab: Lab) -> AbstractContextManager[None]:
        return _applied(lab, objects)

    return change


@contextmanager
def _applied(lab: Lab, objects: Sequence[Json]) -> Iterator[None]:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    items = {"apiVersion": "v1", "kind": "List", "items": [space, *objects]}
    lab.kubectl("apply", "-f", "-", input=json.dumps(items))
    try:
        yield
    finally:
        lab.kubectl("delete", "namespace", NAMESPACE, "--wait=true", "--timeout=60s")


def deployment(name: str, *command: str, replicas: int = 2, **pod: Any) -> Json:
    """Pods of the agent's image, the only one that every node has, running something else."""
    container: Json = {"name": "main", "image": DEFAULT_IMAGE, "command": list(command)}
    container["imagePullPolicy"] = "IfNotPresent"
    if ready := pod.pop("readiness", None):
        container["readinessProbe"] = ready
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container], **pod}
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def web(name: str, *, replicas: int = 2, **pod: Any) -> Json:
    """Pods that serve HTTP on port 8080."""
    return deployment(
        name,
        "python3",
        "-m",
        "http.server",
        "-d",
        "/proc/self/fd",
        "8080",
        replicas=replicas,
        **pod,
    )


def service(name: str, **spec: Any) -> Json:
    """A Service in front of the pods of that name."""
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"selector": {"app": name}, "ports": ports, **spec},
    }


def python(*lines: str) -> tuple[str, ...]:
    """A command that runs these lines."""
    return ("python3", "-c", "\n".join(lines))
