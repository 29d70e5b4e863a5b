"""CNI-08."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.companions import not_started, with_companions, without_companions
from tests.unit.recorded import change_cluster, change_items, findings, healthy, outcomes

ID = "CNI-08"
SANDBOX = "FailedCreatePodSandBox"
MISSING = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for "
    'sandbox "96": plugin type="bridge" failed (add): failed to find plugin "bridge" in path [/b]'
)
NOT_READY = "network is not ready: container runtime network not ready: NetworkPluginNotReady"


def joining(snapshot: Snapshot) -> Snapshot:
    """n3 has just joined, and its CNI agent has never reported."""
    return change_cluster(
        snapshot,
        Nodes,
        change_items(
            Nodes,
            lambda n: (
                dataclasses.replace(n, annotations={}, created=snapshot.run.started)
                if n.name == "n3"
                else n
            ),
        ),
    )


@pytest.mark.parametrize(("trouble", "said"), [(SANDBOX, MISSING), ("NetworkNotReady", NOT_READY)])
def test_the_sandbox_cannot_be_made(trouble: str, said: str) -> None:
    """The plugin's own words are the evidence, without what every such event begins with."""
    (found,) = findings(ID, not_started(with_companions(), "n3", trouble, said))
    assert found.nodes == {"n3"}
    assert trouble in found.evidence[0].text
    assert "rpc error" not in found.evidence[0].text


def test_a_node_that_joins_is_left_alone() -> None:
    """Its network is being set up; a missing plugin is a fault on it as well."""
    new = not_started(joining(with_companions()), "n3", "NetworkNotReady", NOT_READY)
    assert findings(ID, new) == []
    assert findings(ID, not_started(joining(with_companions()), "n3", SANDBOX, MISSING))


@pytest.mark.parametrize(
    ("trouble", "said"), [(None, None), ("Failed", "image not found"), ("BackOff", "pulling")]
)
def test_another_reason_is_unknown(trouble: str | None, said: str | None) -> None:
    """A slow or missing image proves nothing about the network."""
    slow = not_started(with_companions(), "n3", trouble, said)
    assert findings(ID, slow) == []
    assert outcomes(ID, slow) == {"Passed", "Skipped"}


def test_no_address_left_is_another_finding() -> None:
    """CNI-02."""
    said = (
        "failed to allocate for range 0: no IP addresses available in range set: 10.0.0.1-10.0.0.2"
    )
    assert findings(ID, not_started(with_companions(), "n3", SANDBOX, said)) == []


def test_healthy_and_unknown() -> None:
    """Silent where all came up; skipped without companions."""
    assert outcomes(ID, with_companions()) == {"Passed"}
    assert outcomes(ID, without_companions(healthy())) == {"Skipped"}
