"""Snapshots that an older tool saved: read as ever, judged as far as they go, and saying so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_netdoctor.analysis.engine import Skipped
from kubectl_netdoctor.analysis.ranking import Ranked
from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.saved import load
from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.conntrack_flows import ConntrackFlows
from kubectl_netdoctor.facts.dns_cpu import DnsCpus
from kubectl_netdoctor.facts.dns_records import DnsRecords
from kubectl_netdoctor.facts.hops import Hops
from kubectl_netdoctor.facts.kube_proxy import KubeProxySync
from kubectl_netdoctor.facts.pod_namespaces import PodNamespaces
from kubectl_netdoctor.facts.policy_pods import PolicyPods
from kubectl_netdoctor.facts.target import TargetProbes
from kubectl_netdoctor.facts.transport import TransportProbes
from tests.unit.recorded import FOLDER, judged, recorded

EARLY = FOLDER.parent / "snapshots_older" / "0.1-early"
"""Of the days before the first release: without these facts, and without a list of those known."""
UNKNOWN = (
    ConntrackFlows,
    DnsCpus,
    DnsRecords,
    Hops,
    KubeProxySync,
    PodNamespaces,
    PolicyPods,
    TargetProbes,
    TransportProbes,
)
LATER_CHECKS = {
    "CT-02", "CT-04", "CT-05", "DNS-03", "DNS-14", "DNS-18", "ENC-02", "ENC-03", "MTU-05", "MTU-06",
    "NIC-05", "POL-01", "SVC-04", "SVC-08", "SVC-11", "TCP-01", "TGT-01",
}  # fmt: skip
NOT_MEASURED = "new since then: the tool that saved this (0.1.0) did not collect it yet"


def analyzed(capsys: pytest.CaptureFixture[str], file: Path) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON document of `analyze`."""
    with pytest.raises(SystemExit) as ended:
        main(["analyze", str(file), "-o", "json"])
    assert isinstance(ended.value.code, int)
    return ended.value.code, json.loads(capsys.readouterr().out)


def first(row: Ranked) -> tuple[object, ...]:
    """What a row says whatever is known of the hops."""
    found = row.finding
    return found.id, found.severity, found.title, found.nodes, found.fix.commands


@pytest.mark.parametrize(("name", "code"), [("healthy", 0), ("vxlan_port_blocked", 1)])
def test_an_older_snapshot_is_judged_as_before(
    capsys: pytest.CaptureFixture[str], name: str, code: int
) -> None:
    """The same first row as of today's recording; what was not collected is no pass and no fault."""
    file = EARLY / f"{name}.json.gz"
    got, document = analyzed(capsys, file)
    assert got == code, document
    older, newer = judged(load(str(file))), judged(recorded(name))
    assert older.verdict.complete
    assert [first(r) for r in older.causes] == [first(r) for r in newer.causes]
    assert [f["id"] for f in document["findings"]] == [r.finding.id for r in older.findings]
    keys = {KEYS[cls] for cls in UNKNOWN}
    later = {
        c.check.id: c.outcome
        for c in older.coverage
        if any(KEYS.get(n.type) in keys and not n.optional for n in c.check.needs.values())
    }
    assert set(later) >= LATER_CHECKS
    for outcome in later.values():
        assert isinstance(outcome, Skipped)
        assert outcome.missing.detail == NOT_MEASURED
    assert not [r for r in older.findings if any("last seen" in e.text for e in r.finding.evidence)]
