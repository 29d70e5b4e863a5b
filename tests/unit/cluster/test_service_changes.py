"""The second reading of Services: times, marks, and pages."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.service_changes import last_written, newest, read_service_changes
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.service_changes import ServiceChange, ServiceChanges
from tests.unit.cluster.fake_server import FakeServer, status

OLD, NEW = "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"


def metadata(name: str, *times: str, **labels: str) -> dict[str, Any]:
    """Metadata with managedFields of these times."""
    return {
        "name": name, "namespace": "shop", "creationTimestamp": OLD, "labels": labels,
        "managedFields": [{"manager": "m", "time": t} for t in times],
    }  # fmt: skip


def test_the_newest_write_of_a_service_or_its_slices(api: Api, server: FakeServer) -> None:
    """With the marks that say who proxies it and whether hints are there."""
    of = {"kubernetes.io/service-name": "web"}
    server.store.add("services", {"metadata": metadata("web", OLD)})
    server.store.add("endpointslices", {"metadata": metadata("web-1", OLD, NEW, **of)})
    hint = {"addresses": ["10.0.0.1"], "hints": {"forZones": [{"name": "a"}]}}
    server.store.add(
        "endpointslices", {"metadata": metadata("web-2", OLD, **of), "endpoints": [hint]}
    )
    mesh = {"service.kubernetes.io/service-proxy-name": "mesh"}
    server.store.add("services", {"metadata": metadata("other", OLD, **mesh)})
    server.store.add("services", {"metadata": {"name": "bare", "namespace": "shop"}})
    found = read_service_changes(api)["service_changes"]
    assert isinstance(found, ServiceChanges)
    assert {i.name: i for i in found.items} == {
        "web": ServiceChange("shop", "web", NEW, None, hints=True),
        "other": ServiceChange("shop", "other", OLD, "mesh", hints=False),
        "bare": ServiceChange("shop", "bare", None, None, hints=False),
    }
    assert found.clock.endswith("Z")


def test_all_pages_are_read(api: Api, server: FakeServer) -> None:
    """More than one page of them."""
    for number in range(501):
        server.store.add("services", {"metadata": metadata(f"s{number}", OLD)})
    found = read_service_changes(api)["service_changes"]
    assert isinstance(found, ServiceChanges)
    assert len(found.items) == 501


def test_a_refusal_is_missing(api: Api, server: FakeServer) -> None:
    """With the API's own words."""
    server.on(
        "GET", "/apis/discovery.k8s.io/v1/endpointslices", status(403, "Forbidden", "no slices")
    )
    found = read_service_changes(api)["service_changes"]
    assert found == Missing(Reason.DENIED, "the API says: no slices")


@pytest.mark.parametrize("fields", [[], [{"time": None}], [{}], "x"])
def test_without_times_nothing_is_known(fields: object) -> None:
    """As behind a proxy that strips managedFields: the time of creation alone says too little."""
    assert last_written({"metadata": {"creationTimestamp": OLD, "managedFields": fields}}) is None


def test_one_unknown_time_makes_all_unknown() -> None:
    """A Service is as settled as its least known slice."""
    assert newest([OLD, None]) is None
    assert newest([OLD, NEW, OLD]) == NEW
    assert newest([]) is None
