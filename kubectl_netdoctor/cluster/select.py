"""Which nodes to look at: by name, by label, or all."""

from __future__ import annotations

import difflib

from kubectl_netdoctor.cluster import fields
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.api_errors import ApiError
from kubectl_netdoctor.errors import ApiDenied, UsageError
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.cluster import Nodes

_BAD_REQUEST = 400


def select_nodes(
    api: Api,
    nodes: Nodes | Missing,
    *,
    names: tuple[str, ...] = (),
    selector: str | None = None,
    everything: bool = False,
) -> tuple[str, ...]:
    """The chosen nodes in the cluster's order, each once; names that were given keep theirs.

    Raises UsageError for an unknown name, a selector without nodes, or no choice at all; ApiDenied
    where the nodes are not known and none is named.
    """
    if isinstance(nodes, Missing):
        if names:
            return tuple(dict.fromkeys(names))
        raise ApiDenied(
            f"the nodes of the cluster cannot be listed: {nodes.detail}",
            hint="name nodes with --node, or ask for: kubectl apply -f manifests/rbac.yaml",
        )
    known = tuple(node.name for node in nodes.items)
    if not known:
        raise UsageError("the cluster has no nodes")
    if names:
        return _named(names, known)
    if selector is not None:
        return _selected(api, selector, known)
    if everything:
        return known
    count = "one node" if len(known) == 1 else f"{len(known)} nodes"
    raise UsageError(
        f"which nodes? The cluster has {count}",
        hint=f"kubectl netdoctor scan --node {known[0]}, or -l LABEL=VALUE, or --all-nodes",
    )


def _named(names: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name in known:
            continue
        close = (
            difflib.get_close_matches(name, known, 3)
            or [k for k in known if k.startswith(name) or name in k][:3]
        )
        near = close or list(known[:3])
        hint = f"{'did you mean' if close else 'there is, for example,'} {', '.join(near)}"
        raise UsageError(f"there is no node {name!r}", hint=hint)
    return tuple(dict.fromkeys(names))


def _selected(api: Api, selector: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """The API server understands selectors; our facts hold only some labels."""
    try:
        found = {
            fields.text(item, "metadata", "name")
            for item in api.list("/api/v1/nodes", {"labelSelector": selector})
        }
    except ApiError as exc:
        if exc.status == _BAD_REQUEST:
            raise UsageError(f"--selector {selector!r}: {exc.said}") from exc
        raise
    chosen = tuple(name for name in known if name in found)
    if not chosen:
        hint = "kubectl get nodes --show-labels lists them"
        raise UsageError(f"no node has the labels {selector!r}", hint=hint)
    return chosen
