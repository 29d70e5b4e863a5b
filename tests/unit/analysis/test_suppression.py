"""Accepted findings do not count, are told apart, and end on their day."""

from __future__ import annotations

from datetime import date

import pytest

from kubectl_netdoctor.analysis.suppression import Suppression, suppress
from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.errors import ExitCode
from kubectl_netdoctor.facts.system import Sysctls
from tests.unit.recorded import change_node, judged, recorded

TODAY = date(2026, 11, 23)
LATER = date(2027, 3, 1)


def entry(check: str, **more: tuple[str, ...]) -> Suppression:
    """An entry that is valid for a while."""
    return Suppression(check, "known", LATER, **more)


def test_a_suppressed_cause_takes_its_symptoms_with_it() -> None:
    """Nothing is left that counts, and the verdict says how many."""
    before = judged(recorded("forward_drop"))
    done = suppress(before, [entry("NF-01")], TODAY)
    assert done.findings == ()
    assert len(done.suppressed) == len(before.findings) > 1
    assert {s.reason for s in done.suppressed} == {"known"}
    assert done.verdict.text.startswith(f"{len(done.suppressed)} accepted, nothing else")
    assert done.exit_code(Severity.LOW) is ExitCode.CLEAN
    assert done.notes == ()


def test_a_suppressed_symptom_leaves_its_cause() -> None:
    """And the cause does not name it any more."""
    done = suppress(judged(recorded("forward_drop")), [entry("RTE-13")], TODAY)
    assert [r.finding.id for r in done.causes] == ["NF-01"]
    assert not any("RTE-13" in key for key in done.causes[0].explains)
    assert done.exit_code(Severity.HIGH) is ExitCode.FINDINGS


@pytest.mark.parametrize(
    ("places", "fits"),
    [
        ({"nodes": ("n3",)}, True),
        ({"nodes": ("n*",)}, True),
        ({"nodes": ("n1",)}, False),
        ({"subjects": ("Node/n3",)}, True),
        ({"subjects": ("Service/*",)}, False),
        ({"nodes": ("n3",), "subjects": ("Node/*",)}, True),
    ],
)
def test_places_are_patterns(places: dict[str, tuple[str, ...]], fits: bool) -> None:
    """Of nodes and of subjects; what fits nothing is named."""
    done = suppress(judged(recorded("ip_forward_off")), [entry("RTE-09", **places)], TODAY)
    assert bool(done.suppressed) is fits
    assert bool(done.findings) is not fits
    assert any("matches nothing" in n for n in done.notes) is not fits


def test_a_finding_of_a_pod_is_found_by_its_subject_or_its_node() -> None:
    """A DNS endpoint, which is a pod on a node."""
    before = judged(recorded("dns_endpoint_dropped"))
    for places in ({"subjects": ("Pod/kube-system/coredns-*", "Node/*")}, {"nodes": ("n3",)}):
        assert suppress(before, [entry("DNS-05", **places)], TODAY).findings == ()
    only = suppress(before, [entry("DNS-05", nodes=("n1",))], TODAY)
    assert only.findings == before.findings


def test_one_node_of_several_is_taken_out_of_the_row() -> None:
    """The others still count, with their own evidence."""
    snapshot = recorded("ip_forward_off")
    name = "net.ipv4.ip_forward"
    for node in ("n1", "n2"):
        snapshot = change_node(snapshot, node, Sysctls, lambda s: Sysctls({**s.values, name: "0"}))
    before = judged(snapshot)
    row = next(r for r in before.findings if r.finding.id == "RTE-09")
    assert len(row.finding.subjects) > 1
    done = suppress(before, [entry("RTE-09", nodes=("n1",))], TODAY)
    left = next(r for r in done.findings if r.finding.id == "RTE-09")
    assert left.finding.nodes == row.finding.nodes - {"n1"}
    assert not any(e.node == "n1" for e in left.finding.evidence)
    assert [s.ranked.finding.nodes for s in done.suppressed] == [{"n1"}]
    keys = {r.finding.key for r in done.findings}
    assert {r.caused_by for r in done.findings} - {None} <= keys
    assert {k for r in done.findings for k in r.explains} <= keys


def test_an_expired_entry_counts_no_more_and_is_named() -> None:
    """Its last day is still good."""
    before = judged(recorded("packet_loss"))
    good = suppress(before, [Suppression("NIC-03", "known", TODAY)], TODAY)
    assert good.findings == ()
    assert "expires on 2026-11-23" in good.notes[0]
    bad = suppress(before, [Suppression("NIC-03", "known", date(2026, 11, 22))], TODAY)
    assert bad.findings == before.findings
    assert bad.notes == ("suppression NIC-03 expired on 2026-11-22: it counts no more",)


def test_an_entry_without_a_day_is_named() -> None:
    """It works, and somebody should look at it again."""
    done = suppress(judged(recorded("packet_loss")), [Suppression("NIC-03", "x", None)], TODAY)
    assert done.findings == ()
    assert "no day" in done.notes[0]
