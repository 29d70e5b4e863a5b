"""API-09."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.facts.pod_probe import PodPathProbe
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes
from tests.unit.companions import silent, with_companions, without_companions
from tests.unit.recorded import change_items, change_node, findings, healthy, outcomes

ID = "API-09"
ROLES = ("api-server", "api-service")


def to_api(probe: PodPathProbe) -> bool:
    """Probes to the API server."""
    return probe.role in ROLES


@pytest.mark.parametrize("error", ["timeout", "refused", "admin-prohibited"])
def test_pods_do_not_reach_it(error: str) -> None:
    """Endpoint and ClusterIP, with what came instead."""
    (found,) = findings(ID, silent(with_companions(), "n3", to_api, error))
    assert found.nodes == {"n3"}
    assert len(found.evidence) == 2
    assert all(error in e.text for e in found.evidence)


@pytest.mark.parametrize("role", ROLES)
def test_one_of_both_is_enough(role: str) -> None:
    """ClusterIP and endpoint are two ways."""
    (found,) = findings(ID, silent(with_companions(), "n3", lambda p: p.role == role))
    assert len(found.evidence) == 1


def test_what_the_node_does_not_reach_either_is_another_fault() -> None:
    """An API server that is away."""

    def lost(p: PathProbe) -> PathProbe:
        if p.role not in ROLES:
            return p
        return dataclasses.replace(p, received=p.sent - 1, errors={"timeout": 1})

    away = silent(with_companions(), "n3", to_api)
    away = change_node(away, "n3", PathProbes, change_items(PathProbes, lost))
    assert findings(ID, away) == []


def test_healthy_and_unknown() -> None:
    """Silent where all is answered; skipped without companions."""
    assert outcomes(ID, with_companions()) == {"Passed"}
    assert outcomes(ID, without_companions(healthy())) == {"Skipped"}
