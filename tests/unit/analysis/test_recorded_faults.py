"""Every recorded fault is judged offline as it was on the lab: the cause first, the rest folded."""

from __future__ import annotations

import dataclasses
from itertools import permutations

import pytest

from kubectl_netdoctor.analysis.engine import Errored
from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.errors import ExitCode
from tests.e2e.faults import FAULTS
from tests.unit.recorded import healthy, judged, recorded


@pytest.mark.parametrize(("name", "expected"), [(n, f[0]) for n, f in FAULTS.items()])
def test_the_cause_is_the_first_row_and_the_only_one(name: str, expected: str) -> None:
    """One fault, one cause; whatever else was seen is explained by it."""
    diagnosis = judged(recorded(name))
    assert [r.finding.id for r in diagnosis.causes] == [expected]
    assert diagnosis.findings[0].caused_by is None
    assert diagnosis.exit_code(Severity.HIGH) is ExitCode.FINDINGS


LAST_SEEN = [
    ("vxlan_port_blocked", ("n1", "n3"), "through the tunnel", "last seen arriving at n3 eth0 (VXLAN to 198.18.0.13), never on flannel.1"),
    ("vxlan_port_blocked", ("n2", "n3"), "through the tunnel", "last seen arriving at n3 eth0 (VXLAN to 198.18.0.13), never on flannel.1"),
    ("forward_drop", ("n1", "n3"), "from pod to pod", "last seen arriving at n3 flannel.1, never on cni0"),
    ("forward_drop", ("n2", "n3"), "from pod to pod", "last seen arriving at n3 flannel.1, never on cni0"),
    ("fdb_entry_deleted", ("n3", "n2"), "through the tunnel", "last seen leaving n3 flannel.1, never on eth0"),
    # The rule is on n3's ingress, behind the place where packets are captured.
    ("packet_loss", ("n1", "n3"), "on the underlay", "arrived at n3 eth0, no answer seen leaving n3 eth0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "pair", "path", "place"), LAST_SEEN)
def test_the_cause_says_where_packets_were_last_seen(
    name: str, pair: tuple[str, str], path: str, place: str
) -> None:
    """Both ends of the recorded faults listened: the cause has the ledger's sentence, on n3."""
    cause = judged(recorded(name)).causes[0].finding
    sentence = f"probes {pair[0]} to {pair[1]} {path}: {place}"
    (told,) = (e for e in cause.evidence if e.text.endswith(sentence))
    assert told.node == "n3"
    lost, sent = told.text.removesuffix(sentence).split(" of ")
    assert 3 <= int(lost) <= int(sent)


def test_the_healthy_lab_is_silent_and_complete() -> None:
    """No finding at all, every check ran everywhere, exit 0."""
    diagnosis = judged(healthy())
    assert diagnosis.findings == ()
    assert diagnosis.verdict.complete
    assert diagnosis.exit_code(Severity.LOW) is ExitCode.CLEAN
    assert "nothing found" in diagnosis.verdict.text


@pytest.mark.parametrize("name", ["healthy", *FAULTS])
def test_the_order_of_nodes_does_not_matter(name: str) -> None:
    """Nodes answer in any order; the rows are the same."""
    snapshot = recorded(name)
    expected = judged(snapshot).findings
    for nodes in permutations(snapshot.nodes):
        assert judged(dataclasses.replace(snapshot, nodes=nodes)).findings == expected


@pytest.mark.parametrize("name", ["healthy", *FAULTS])
def test_no_check_breaks_when_any_fact_is_missing(name: str) -> None:
    """Each fact of each node taken away in turn: checks skip, none breaks."""
    snapshot = recorded(name)
    keys = {k for n in snapshot.nodes if n.envelope for k in n.envelope.facts}
    for key in sorted(keys):
        nodes = tuple(
            dataclasses.replace(
                n,
                envelope=n.envelope
                and dataclasses.replace(
                    n.envelope, facts={k: v for k, v in n.envelope.facts.items() if k != key}
                ),
            )
            for n in snapshot.nodes
        )
        less = judged(dataclasses.replace(snapshot, nodes=nodes))
        assert not [c for c in less.coverage if isinstance(c.outcome, Errored)]
    for key in snapshot.cluster:
        rest = {k: v for k, v in snapshot.cluster.items() if k != key}
        less = judged(dataclasses.replace(snapshot, cluster=rest))
        assert not [c for c in less.coverage if isinstance(c.outcome, Errored)]
