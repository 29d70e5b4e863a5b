"""All facts of the cluster, read at the same time; each may fail alone, with its reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from kubectl_netdoctor.cluster import allowed, fields, reduce
from kubectl_netdoctor.cluster.api import Api, Json
from kubectl_netdoctor.cluster.api_errors import FORBIDDEN, NOT_FOUND, ApiError, Unreachable
from kubectl_netdoctor.cluster.cilium import read_cilium, with_cilium
from kubectl_netdoctor.cluster.policy_pods import read_policy_pods
from kubectl_netdoctor.cluster.transport import CONNECTIONS
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.cilium import Cilium
from kubectl_netdoctor.facts.cluster import (
    ConfigMapInfo,
    ConfigMaps,
    EndpointSlices,
    NetworkPolicies,
    Nodes,
    PodInfo,
    Pods,
    ServerVersion,
    Services,
    WorkloadInfo,
    Workloads,
)
from kubectl_netdoctor.facts.policy_pods import LabelledNamespace, PolicyPods

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_CLUSTER_WIDE: dict[str, tuple[str, Callable[[Json], Any], type]] = {
    "services": ("/api/v1/services", reduce.reduce_service, Services),
    "endpoint_slices": (
        "/apis/discovery.k8s.io/v1/endpointslices",
        reduce.reduce_endpoint_slice,
        EndpointSlices,
    ),
    "network_policies": (
        "/apis/networking.k8s.io/v1/networkpolicies",
        reduce.reduce_network_policy,
        NetworkPolicies,
    ),
}

T = TypeVar("T")


def read_inventory(api: Api) -> dict[str, Any]:
    """Every cluster fact by its wire key: the fact, or Missing with the API's own words."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        reader = _Reader(api, pool)
        nodes = reader.start(_nodes, api)
        leases = reader.start(_leases, api)
        wide = {
            key: reader.start(_collection, api, path, one, fact)
            for key, (path, one, fact) in _CLUSTER_WIDE.items()
        }
        cilium = reader.start(read_cilium, api)
        namespaces = reader.start(_namespaces, api).result()
        present = (
            allowed.SYSTEM_NAMESPACES
            if isinstance(namespaces, Missing)
            else tuple(n.name for n in namespaces)
        )
        pods, workloads, config_maps = reader.in_namespaces(present)
        policies = wide["network_policies"].result()
        policy_pods = reader.start(_policy_pods, api, policies, namespaces)
        maps = _joined(config_maps, lambda items: ConfigMaps(tuple(items)))
        return {
            "server_version": _server_version(api),
            "nodes": _with_cilium(
                _with_leases(nodes.result(), leases.result()), cilium.result(), maps
            ),
            **{key: future.result() for key, future in wide.items()},
            "pods": _joined(pods, lambda items: Pods(tuple(items))),
            "workloads": _joined(workloads, lambda items: Workloads(tuple(items))),
            "config_maps": maps,
            "cilium": cilium.result(),
            "policy_pods": policy_pods.result(),
        }


class _Reader:
    """Starts reads on the pool; an ApiError of one becomes its Missing."""

    def __init__(self, api: Api, pool: ThreadPoolExecutor) -> None:
        self._api = api
        self._pool = pool

    def start(self, read: Callable[..., T], *args: Any) -> Future[T | Missing]:
        """The future fact or Missing."""
        return self._pool.submit(_guarded, read, *args)

    def in_namespaces(
        self, namespaces: tuple[str, ...]
    ) -> tuple[list[Future[Any]], list[Future[Any]], list[Future[Any]]]:
        """Pods, workloads and ConfigMaps of the system namespaces."""
        pods: list[Future[Any]] = []
        workloads: list[Future[Any]] = []
        for name in namespaces:
            pods.append(self.start(_pods, self._api, name))
            for kind, one in (
                ("daemonsets", reduce.reduce_daemon_set),
                ("deployments", reduce.reduce_deployment),
            ):
                workloads.append(self.start(_workloads, self._api, name, kind, one))
        maps: list[Future[Any]] = [
            self.start(_config_map, self._api, *key)
            for key in allowed.CONFIG_MAPS
            if key[0] in namespaces
        ]
        return pods, workloads, maps


def _guarded(read: Callable[..., T], *args: Any) -> T | Missing:
    try:
        return read(*args)
    except ApiError as exc:
        return missing(exc)


def missing(error: ApiError) -> Missing:
    """Why a fact could not be read."""
    if isinstance(error, Unreachable):
        reason = Reason.TIMED_OUT if error.timed_out else Reason.FAILED
        return Missing(reason, f"the API server gave no answer: {error.said}")
    reasons = {FORBIDDEN: Reason.DENIED, NOT_FOUND: Reason.NOT_PRESENT}
    return Missing(reasons.get(error.status, Reason.FAILED), error.message)


def _server_version(api: Api) -> ServerVersion:
    return reduce.reduce_version(api.version)


def _items(api: Api, path: str, one: Callable[[Json], T]) -> tuple[T, ...]:
    """A collection, reduced as its pages arrive; an item that comes twice counts once."""
    kept: dict[tuple[str, str], T] = {}
    for obj in api.list(path):
        key = (fields.text(obj, "metadata", "namespace"), fields.text(obj, "metadata", "name"))
        kept[key] = one(obj)
    return tuple(kept.values())


def _collection(api: Api, path: str, one: Callable[[Json], Any], fact: type) -> Any:
    return fact(_items(api, path, one))


def _nodes(api: Api) -> Nodes:
    return Nodes(_items(api, "/api/v1/nodes", reduce.reduce_node))


def _leases(api: Api) -> dict[str, str]:
    """When each node's Lease was renewed, by node name."""
    pairs = _items(api, LEASES, lambda lease: (_name(lease), lease_renewed(lease)))
    return {name: renewed for name, renewed in pairs if renewed is not None}


def _name(obj: Json) -> str:
    return fields.text(obj, "metadata", "name")


def lease_renewed(lease: Json) -> str | None:
    """RenewTime of a Lease."""
    return fields.some_text(lease, "spec", "renewTime")


def _with_leases(nodes: Nodes | Missing, leases: dict[str, str] | Missing) -> Nodes | Missing:
    if isinstance(nodes, Missing) or isinstance(leases, Missing):
        return nodes
    return Nodes(
        tuple(dataclasses.replace(n, lease_renewed=leases.get(n.name)) for n in nodes.items)
    )


def _with_cilium(nodes: Nodes | Missing, cilium: Cilium | Missing, maps: object) -> Nodes | Missing:
    if isinstance(nodes, Missing) or isinstance(cilium, Missing):
        return nodes
    return with_cilium(nodes, cilium, maps) if isinstance(maps, ConfigMaps) else nodes


def _namespaces(api: Api) -> tuple[LabelledNamespace, ...]:
    """The system namespaces that are there."""
    found = {n.name: n for n in _items(api, "/api/v1/namespaces", _labelled)}
    return tuple(found[n] for n in allowed.SYSTEM_NAMESPACES if n in found)


def _labelled(obj: Json) -> LabelledNamespace:
    return LabelledNamespace(_name(obj), fields.text_map(obj, "metadata", "labels"))


def _policy_pods(
    api: Api,
    policies: NetworkPolicies | Missing,
    namespaces: tuple[LabelledNamespace, ...] | Missing,
) -> PolicyPods | Missing:
    """Nothing is half-read: what they are about may be missing, and so is this then."""
    if isinstance(policies, Missing):
        return policies
    if isinstance(namespaces, Missing):
        return namespaces
    return read_policy_pods(api, policies, namespaces)


def _pods(api: Api, namespace: str) -> tuple[PodInfo, ...]:
    return _items(api, f"/api/v1/namespaces/{namespace}/pods", reduce.reduce_pod)


def _workloads(
    api: Api, namespace: str, kind: str, one: Callable[[Json], WorkloadInfo]
) -> tuple[WorkloadInfo, ...]:
    return _items(api, f"/apis/apps/v1/namespaces/{namespace}/{kind}", one)


def _config_map(api: Api, namespace: str, name: str) -> tuple[ConfigMapInfo, ...]:
    """None or one."""
    try:
        obj = api.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
    except ApiError as exc:
        if exc.status == NOT_FOUND:
            return ()
        raise
    return (reduce.reduce_config_map(obj),)


def _joined(parts: list[Future[Any]], fact: Callable[[Iterator[Any]], object]) -> object:
    """One fact of many parts; a part that is missing makes it missing: nothing is half-read."""
    answers = [part.result() for part in parts]
    for answer in answers:
        if isinstance(answer, Missing):
            return answer
    return fact(item for answer in answers for item in answer)
