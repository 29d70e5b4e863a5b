"""Removing what interrupted runs left behind, of all runs at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from kubectl_netdoctor.cluster import fields, manifest
from kubectl_netdoctor.cluster.api import Api, Json
from kubectl_netdoctor.cluster.reach import since

_KINDS = (
    ("apis/batch/v1", "jobs", "job", None),
    ("api/v1", "pods", "pod", 0),
    ("api/v1", "services", "service", None),
)


def clean(
    api: Api,
    namespaces: Iterable[str] | None,
    *,
    older_than: dt.timedelta | None = None,
) -> list[str]:
    """Delete every object that carries our label; None: in all namespaces.

    Pods go without grace, also from nodes that are down. Returns `namespace kind/name` of each.
    """
    now = api.now()
    places = [""] if namespaces is None else [f"/namespaces/{name}" for name in namespaces]
    removed: list[str] = []
    for group, plural, kind, grace in _KINDS:
        for place in places:
            found = list(api.list(f"/{group}{place}/{plural}", {"labelSelector": manifest.OURS}))
            for item in found:
                if older_than is not None and _age(item, now) < older_than:
                    continue
                namespace, name = (fields.text(item, "metadata", k) for k in ("namespace", "name"))
                if api.delete(f"/{group}/namespaces/{namespace}/{plural}/{name}", grace=grace):
                    removed.append(f"{namespace} {kind}/{name}")
    return removed


def _age(item: Json, now: dt.datetime) -> dt.timedelta:
    seconds = since(fields.text(item, "metadata", "creationTimestamp"), now)
    return dt.timedelta.max if seconds is None else dt.timedelta(seconds=seconds)
