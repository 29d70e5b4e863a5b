"""What a cluster holds, and what its controllers do: the part of a fake API server that thinks."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Verdict = tuple[int, str, str] | None  # status, reason, message

PLURALS = {
    "pods": "Pod",
    "jobs": "Job",
    "nodes": "Node",
    "events": "Event",
    "leases": "Lease",
    "services": "Service",
    "namespaces": "Namespace",
    "configmaps": "ConfigMap",
    "daemonsets": "DaemonSet",
    "deployments": "Deployment",
    "endpointslices": "EndpointSlice",
    "networkpolicies": "NetworkPolicy",
}


class Store:
    """Objects by (plural, namespace, name), and every change in order."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Json] = {}
        self.changes: list[tuple[int, str, str, Json]] = []  # version, plural, kind, object
        self.changed = threading.Condition()
        self.job_pods = True  # whether a controller works on Jobs
        self.refuse_pod: Callable[[Json], Verdict] = lambda _pod: None
        self.kubelet: Callable[[Json], None] = lambda _pod: None  # called with each new Pod
        self._uids = itertools.count(1)

    @property
    def version(self) -> int:
        """Resource version of the latest change."""
        return len(self.changes)

    def add(self, plural: str, obj: Json) -> Json:
        """Put an object in place, as its author would."""
        metadata = obj.setdefault("metadata", {})
        metadata.setdefault("uid", f"uid-{next(self._uids)}")
        metadata.setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        with self.changed:
            self._put("ADDED", plural, obj)
        return obj

    def update(self, plural: str, obj: Json) -> None:
        """A status change; an object that is gone stays gone."""
        with self.changed:
            if self.key(plural, obj) in self.objects:
                self._put("MODIFIED", plural, obj)

    def remove(self, plural: str, obj: Json) -> None:
        """Delete an object and, as the garbage collector does, all that it owns."""
        with self.changed:
            if self.objects.pop(self.key(plural, obj), None) is None:
                return
            self._put("DELETED", plural, obj)
            uid = obj["metadata"]["uid"]
            owned = [
                (kind, other)
                for (kind, _, _), other in self.objects.items()
                if any(o["uid"] == uid for o in other["metadata"].get("ownerReferences", ()))
            ]
        for kind, other in owned:
            self.remove(kind, other)

    def of(self, plural: str) -> list[Json]:
        """All objects of a kind."""
        with self.changed:
            return [obj for (kind, _, _), obj in self.objects.items() if kind == plural]

    def run_controllers(self, plural: str, obj: Json) -> None:
        """What happens after a create: the Job controller, then the kubelet."""
        if plural == "pods":
            self.kubelet(obj)
        if plural != "jobs" or not self.job_pods or not obj["spec"]["parallelism"]:
            return
        template, metadata = obj["spec"]["template"], obj["metadata"]
        owner = {
            "kind": "Job",
            "name": metadata["name"],
            "uid": metadata["uid"],
            "controller": True,
        }
        pod = {
            "metadata": {
                **template["metadata"],
                "name": metadata["name"] + "-x7k2p",
                "namespace": metadata["namespace"],
                "ownerReferences": [owner],
            },
            "spec": template["spec"],
            "status": {"phase": "Pending"},
        }
        if verdict := self.refuse_pod(pod):
            self.add("events", _failed_create(metadata, verdict))
        else:
            self.kubelet(self.add("pods", pod))

    @staticmethod
    def key(plural: str, obj: Json) -> tuple[str, str, str]:
        """Where an object is kept."""
        return plural, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]

    def _put(self, kind: str, plural: str, obj: Json) -> None:
        obj["metadata"]["resourceVersion"] = str(self.version + 1)
        if kind != "DELETED":
            self.objects[self.key(plural, obj)] = obj
        self.changes.append((self.version + 1, plural, kind, obj))
        self.changed.notify_all()


def _failed_create(metadata: Json, verdict: tuple[int, str, str]) -> Json:
    return {
        "metadata": {"name": metadata["name"] + ".event", "namespace": metadata["namespace"]},
        "involvedObject": {"kind": "Job", "name": metadata["name"]},
        "type": "Warning",
        "reason": "FailedCreate",
        "message": f"Error creating: {verdict[2]}",
    }
