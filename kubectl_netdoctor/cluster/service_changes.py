"""Services and EndpointSlices once more, after the nodes: what was written meanwhile, and when.

Only the times and marks that decide whether a difference can be a race are kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from kubectl_netdoctor.cluster import fields
from kubectl_netdoctor.cluster.api import PAGE, Api, Json
from kubectl_netdoctor.cluster.api_errors import ApiError
from kubectl_netdoctor.cluster.inventory import missing
from kubectl_netdoctor.facts.service_changes import ServiceChange, ServiceChanges

SERVICES = "/api/v1/services"
SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
SERVICE_OF = "kubernetes.io/service-name"
PROXY = "service.kubernetes.io/service-proxy-name"

Key = tuple[str, str]


def read_service_changes(api: Api) -> dict[str, Any]:
    """The fact by its wire key, or Missing with the API's own words."""
    try:
        return {"service_changes": _read(api)}
    except ApiError as exc:
        return {"service_changes": missing(exc)}


def _read(api: Api) -> ServiceChanges:
    written: dict[Key, list[str | None]] = {}
    hints: set[Key] = set()
    for piece in _pages(api, SLICES):
        key = (
            fields.text(piece, "metadata", "namespace"),
            fields.text(piece, "metadata", "labels", SERVICE_OF),
        )
        written.setdefault(key, []).append(last_written(piece))
        if any(_has_hints(e) for e in fields.objects(piece, "endpoints")):
            hints.add(key)
    found: dict[Key, ServiceChange] = {}
    for service in _pages(api, SERVICES):
        key = (
            fields.text(service, "metadata", "namespace"),
            fields.text(service, "metadata", "name"),
        )
        found[key] = ServiceChange(
            *key,
            written=newest([last_written(service), *written.get(key, ())]),
            proxy=fields.some_text(service, "metadata", "labels", PROXY),
            hints=key in hints,
        )
    local = dt.datetime.now(dt.UTC)
    return ServiceChanges(_text(api.now()), _text(local), tuple(found.values()))


def _pages(api: Api, path: str) -> Iterator[Json]:
    """A collection with its managedFields, which Api.list() leaves out."""
    token: str | None = None
    while True:
        page = api.get(path, {"limit": PAGE, **({"continue": token} if token else {})})
        yield from fields.objects(page, "items")
        token = fields.some_text(page, "metadata", "continue")
        if token is None:
            return


def last_written(obj: Json) -> str | None:
    """The newest of an object's managedFields; None where it has none, as behind some proxies."""
    times = [fields.text(m, "time") for m in fields.objects(obj, "metadata", "managedFields")]
    if not any(times):
        return None
    return newest([*filter(None, times), fields.text(obj, "metadata", "creationTimestamp")])


def newest(times: list[str | None]) -> str | None:
    """The last of several times of one form; None where one of them is not known."""
    # The API writes RFC 3339 in UTC to the second: the order of the texts is that of the times.
    return None if any(t is None for t in times) else max(filter(None, times), default=None)


def _has_hints(endpoint: Json) -> bool:
    return bool(
        fields.dig(endpoint, "hints", "forZones") or fields.dig(endpoint, "hints", "forNodes")
    )


def _text(when: dt.datetime) -> str:
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")
