"""NF-05."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.facts.snapshot import NodeStatus, Snapshot
from tests.unit.recorded import findings, healthy


def with_status(status: NodeStatus, reason: str | None) -> Snapshot:
    """n3 with another status."""
    nodes = tuple(
        dataclasses.replace(n, status=status, reason=reason) if n.name == "n3" else n
        for n in healthy().nodes
    )
    return dataclasses.replace(healthy(), nodes=nodes)


def test_a_summary_without_a_log_fires() -> None:
    """The log request's own error is the evidence."""
    (found,) = findings(
        "NF-05", with_status(NodeStatus.SUMMARY, "dial tcp 198.18.0.13:10250: i/o timeout")
    )
    assert found.nodes == {"n3"}
    assert "10250: i/o timeout" in found.evidence[0].text


@pytest.mark.parametrize("status", [NodeStatus.ANSWERED, NodeStatus.NOT_REACHED, NodeStatus.FAILED])
def test_anything_else_is_silent(status: NodeStatus) -> None:
    """A node that never ran an agent proves nothing about its kubelet's port."""
    assert findings("NF-05", with_status(status, "x")) == []
