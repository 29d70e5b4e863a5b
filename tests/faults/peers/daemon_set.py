"""A peer that lives in the cluster: its image from its program, and one pod of it on each node."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.lab import Lab, images
from tests.lab.build import BASE_PACKAGES, debian, say_on_stderr

Json = dict[str, Any]


def image(lab: Lab, reference: str, files: Mapping[str, Path], *, debian_below: bool) -> None:
    """Load an image of these files into every node, on a minimal Debian where it needs one."""
    layers: list[images.Layer] = [files]
    if debian_below:
        layers.insert(0, debian("base", "Debian base", BASE_PACKAGES, say_on_stderr))
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        images.write_archive(archive, reference, layers)
        lab.load(archive)


def install(lab: Lab, name: str, namespace: str, pod: Json, *rules: Json) -> None:
    """Apply the DaemonSet, its account with these rules, and wait until every pod runs.

    It stays: it is a monitor, and ends with the lab.
    """
    labels = {"app": name}
    meta = {"name": name, "namespace": namespace, "labels": labels}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    spec = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {**pod, "serviceAccountName": name}},
    }
    role_ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    objects: Sequence[Json] = (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": list(rules),
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": role_ref,
            "subjects": [subject],
        },
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec},
    )
    items = {"apiVersion": "v1", "kind": "List", "items": objects}
    lab.kubectl("apply", "-f", "-", input=json.dumps(items))
    lab.kubectl("-n", namespace, "rollout", "status", f"ds/{name}", "--timeout=90s")


def installed(lab: Lab, name: str, namespace: str) -> bool:
    """Whether an earlier look has left it there."""
    words = ("-n", namespace, "get", "ds", name, "--ignore-not-found", "-o", "name")
    return bool(lab.kubectl(*words).strip())


def on_node(name: str) -> Json:
    """An environment variable with the name of the pod's node."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
