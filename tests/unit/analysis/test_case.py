"""The case of a finding: what speaks for it, what against it, and what is not known."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.analysis.case import Case, cases
from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.engine import Errored
from kubectl_netdoctor.analysis.fleet import fleet
from kubectl_netdoctor.analysis.fleet_evidence import speaks
from kubectl_netdoctor.analysis.ranking import rank
from kubectl_netdoctor.checks.base import Evidence, Finding
from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.facts.pod_probe import PodProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.e2e.faults import FAULTS
from tests.unit.analysis.test_ranking import finding
from tests.unit.recorded import change_node, healthy, judged, recorded, without


def argued(diagnosis: Diagnosis, number: int = 1) -> Case:
    """The case of one row."""
    return cases(diagnosis)[number - 1]


def texts(evidence: tuple[Evidence, ...]) -> str:
    """All sentences."""
    return "\n".join(e.text for e in evidence)


def with_rows(*found: Finding) -> Diagnosis:
    """The healthy lab, where these were found."""
    return dataclasses.replace(judged(healthy()), findings=rank(found, catalogue()))


@pytest.mark.parametrize("name", list(FAULTS))
def test_every_recorded_finding_has_its_case(name: str) -> None:
    """Its own evidence first, whatever stands under it, its place in words and what to do."""
    diagnosis = judged(recorded(name))
    found = cases(diagnosis)
    assert [c.number for c in found] == list(range(1, len(diagnosis.findings) + 1))
    for case in found:
        mine = case.ranked.finding
        assert case.pro[: len(mine.evidence)] == mine.evidence
        assert (case.scope, case.action) == (mine.scope, mine.fix.text)
        under = [c for c in found if c.ranked.caused_by == mine.key]
        more = texts(case.pro[len(mine.evidence) :])
        for c in under:
            assert f"row {c.number} ({c.ranked.finding.id}) stands under it" in more
            assert c.scope in more
        assert ("stands under it" in more) == bool(under)


def test_nothing_found_is_no_case() -> None:
    """And costs no look at the fleet."""
    assert cases(judged(healthy())) == ()


def test_the_order_of_nodes_does_not_matter() -> None:
    """Sentences name nodes in their own order."""
    snapshot = recorded("forward_drop")
    turned = dataclasses.replace(snapshot, nodes=snapshot.nodes[::-1])
    assert cases(judged(turned)) == cases(judged(snapshot))


def test_effects_that_were_not_seen_are_weak_evidence_against() -> None:
    """ENC-01 explains DNS-21, which had pods to ask from on these nodes and found nothing."""
    against = texts(argued(judged(recorded("vxlan_port_blocked"))).contra)
    assert against.startswith("weak, since not every effect shows: ")
    assert "DNS-21" in against
    assert "looked at n1, n2, n3 and found nothing" in against


def test_what_did_not_look_is_not_known_instead() -> None:
    """Without companions DNS-21 neither speaks against it nor is passed over."""
    case = argued(judged(without(recorded("vxlan_port_blocked"), PodProbes)))
    weak, unknown = (
        [e.text for e in case.contra if e.text.startswith(start)] for start in ("weak", "not known")
    )
    assert not any("DNS-21" in text for text in weak)
    assert any("DNS-21" in text and "could show an effect of it" in text for text in unknown)


def test_an_empty_look_is_none() -> None:
    """TGT-01 passes where no place was named: that says nothing."""
    assert "TGT-01" not in texts(argued(judged(recorded("forward_drop"))).contra)


def test_a_node_without_the_facts_was_not_looked_at() -> None:
    """One node's pods could not probe: the sentence names the other two."""

    def emptied(snapshot: Snapshot) -> Snapshot:
        return change_node(
            snapshot, "n2", PodProbes, lambda p: dataclasses.replace(p, items=(), dns=())
        )

    before = argued(judged(recorded("packet_loss"))).contra
    after = argued(judged(emptied(recorded("packet_loss")))).contra
    assert any("RTE-13" in e.text and "looked at n1, n2, n3 and" in e.text for e in before)
    assert any("RTE-13" in e.text and "looked at n1, n3 and" in e.text for e in after)


def test_causes_that_were_looked_for_in_vain_speak_for_it() -> None:
    """Nothing beneath: only of what stands at the top, and only checks that looked there."""
    cause, symptom = cases(judged(recorded("forward_drop")))[:2]
    assert "nothing beneath it: " in texts(cause.pro)
    assert "RTE-09" in texts(cause.pro)
    assert "nothing beneath it" not in texts(symptom.pro)


def test_a_check_that_broke_is_named_with_its_reason() -> None:
    """What could be beneath it is not excluded then."""
    diagnosis = judged(recorded("packet_loss"))
    broken = tuple(
        dataclasses.replace(c, outcome=Errored("KeyError: x")) if c.check.id == "RTE-08" else c
        for c in diagnosis.coverage
    )
    case = argued(dataclasses.replace(diagnosis, coverage=broken))
    assert "RTE-08 on n1, n2, n3 could be beneath it, and could not run: KeyError: x" in texts(
        case.contra
    )
    assert "RTE-08" not in texts(case.pro)


def test_what_the_kernel_does_not_have_is_no_gap() -> None:
    """No kube-proxy, so no word of when it wrote its rules: that is no check that could not run."""
    diagnosis = judged(recorded("kube_proxy_gone"))
    assert "SVC-11" not in texts(argued(diagnosis).contra)


def test_what_it_could_cause_elsewhere_speaks_against_it() -> None:
    """A missing entry for one pair does not explain a cut on two: two rows, and each says so."""
    cause = finding("ENC-05", "n3", paths=(("n3", "n1"),))
    wider = finding("ENC-01", "n3", paths=(("n3", "n1"), ("n3", "n2")))
    rows = cases(with_rows(cause, wider))
    by_id = {c.ranked.finding.id: c for c in rows}
    number = by_id["ENC-01"].number
    assert f"it can cause row {number} (ENC-01), but that was seen also" in texts(
        by_id["ENC-05"].contra
    )
    assert "it can cause" not in texts(by_id["ENC-01"].contra)


def test_what_two_explain_together_speaks_for_both() -> None:
    """Though the row stands under the first of them only."""
    both = finding("DNS-05", "n3", paths=(("n3", "n1"), ("n3", "n2")))
    rows = cases(with_rows(finding("RTE-09", "n1"), finding("NF-01", "n2"), both))
    for case in rows[:2]:
        assert "row 3 (DNS-05) is explained by it and others together" in texts(case.pro)
        assert "it can cause" not in texts(case.contra)


def test_the_ledger_of_a_symptom_speaks_for_its_cause() -> None:
    """Where the cause itself has no such sentence."""
    told = Evidence("18 of 18 probes n1 to n3 through the tunnel: last seen leaving n1 eth0", "n1")
    cause = finding("RTE-01", "n3")
    symptom = dataclasses.replace(
        finding("ENC-01", "n3", paths=(("n1", "n3"),)), evidence=(told, Evidence("lost", "n1"))
    )
    assert told in argued(with_rows(cause, symptom)).pro
    itself = dataclasses.replace(cause, evidence=(Evidence(told.text, "n3"),))
    assert told not in argued(with_rows(itself, symptom)).pro


def test_the_fleet_speaks_too() -> None:
    """Forwarding is off on n3 and on for the others, which should be like it."""
    diagnosis = judged(recorded("ip_forward_off"))
    case = argued(diagnosis)
    alike = fleet(diagnosis.snapshot)
    apart, same = speaks(case.ranked.finding, alike, {"n1", "n2", "n3"})
    assert apart
    assert set(apart) <= {e.text for e in case.pro}
    assert set(same) <= {e.text for e in case.contra}
    assert "net.ipv4.ip_forward: 0 on n3, 1 on 2 of 3" in texts(case.pro)


def test_confidence_is_left_as_it_is() -> None:
    """The case argues, it does not judge: no row changes by it."""
    diagnosis = judged(recorded("fdb_entry_deleted"))
    assert tuple(c.ranked for c in cases(diagnosis)) == diagnosis.findings
