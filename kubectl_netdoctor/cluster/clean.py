"""Removing what interrupted runs left behind, of all runs at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from kubectl_netdoctor.cluster import fields, manifest
from kubectl_netdoctor.cluster.api import Api, Json

_KINDS = (("apis/batch/v1", "jobs", "job"), ("api/v1", "pods", "pod"))


def clean(
    api: Api,
    namespaces: Iterable[str] | None,
    *,
    older_than: dt.timedelta = dt.timedelta(0),
) -> list[str]:
    """Delete every object that carries our label; None: in all namespaces.

    Pods go without grace, also from nodes that are down. Returns `namespace kind/name` of each.
    """
    now = dt.datetime.now(dt.UTC)
    removed: list[str] = []
    for group, plural, kind in _KINDS:
        paths = [f"/{group}/{plural}"]
        if namespaces is not None:
            paths = [f"/{group}/namespaces/{name}/{plural}" for name in namespaces]
        for path in paths:
            for item in list(api.list(path, {"labelSelector": manifest.OURS})):
                if _age(item, now) < older_than:
                    continue
                namespace = fields.text(item, "metadata", "namespace")
                name = fields.text(item, "metadata", "name")
                grace = 0 if kind == "pod" else None
                if api.delete(f"/{group}/namespaces/{namespace}/{plural}/{name}", grace=grace):
                    removed.append(f"{namespace} {kind}/{name}")
    return removed


def _age(item: Json, now: dt.datetime) -> dt.timedelta:
    try:
        made = dt.datetime.fromisoformat(fields.text(item, "metadata", "creationTimestamp"))
        return now - made
    except (ValueError, TypeError):
        return dt.timedelta.max
