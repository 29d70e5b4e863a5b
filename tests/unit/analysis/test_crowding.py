"""Findings in great numbers: few rows, and work that grows with the nodes and not with their pairs."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter

import pytest

from kubectl_netdoctor.analysis import ranking
from kubectl_netdoctor.analysis.crowding import MOST, crowded
from kubectl_netdoctor.analysis.ranking import rank
from kubectl_netdoctor.checks.base import Confidence, Finding, Severity, node
from kubectl_netdoctor.checks.many_peers import FEW
from kubectl_netdoctor.facts.snapshot import Snapshot, from_json, to_json
from tests.unit.analysis.test_ranking import CHECKS, finding
from tests.unit.recorded import judged, recorded


def many(count: int, check_id: str = "ENC-05") -> list[Finding]:
    """One finding on each of so many pairs, with a title of its own."""
    found = [finding(check_id, f"n{i:05}", paths=((f"n{i:05}", f"m{i:05}"),)) for i in range(count)]
    return [dataclasses.replace(f, title=f"entry {i}") for i, f in enumerate(found)]


def test_few_findings_stay_as_they_are() -> None:
    """Also the last one that fits, and one more, which needs nobody to stand for it."""
    for count in (MOST, MOST + 1):
        assert sorted(f.title for f in crowded(many(count))) == sorted(f.title for f in many(count))


def test_of_very_many_the_last_one_stands_for_the_others() -> None:
    """No place is lost, their number is said, and it is no surer than the least sure of them."""
    found = many(MOST + 50)
    found[-1] = dataclasses.replace(found[-1], confidence=Confidence.POSSIBLE)
    kept = crowded(found)
    assert len(kept) == MOST + 1
    assert f"and {50 - 1} more like it" in kept[-1].title
    assert kept[-1].confidence is Confidence.POSSIBLE
    assert {p for f in kept for p in f.paths} == {p for f in found for p in f.paths}
    assert {n for f in kept for n in f.nodes} == {n for f in found for n in f.nodes}
    assert crowded(reversed(found)) == kept


def test_what_becomes_one_row_is_no_crowd() -> None:
    """One fault on a thousand nodes is one row with all of them."""
    found = [finding("RTE-09", f"n{i}") for i in range(1000)]
    (row,) = rank(crowded(found), CHECKS)
    assert len(row.finding.subjects) == 1000


def test_the_others_are_folded_only_where_all_of_their_places_are_explained() -> None:
    """One more cause makes the difference."""
    symptoms = [dataclasses.replace(f, id="ENC-01") for f in many(MOST + 50)]
    causes = [
        finding("ENC-05", f"n{i:05}", paths=((f"n{i:05}", f"m{i:05}"),)) for i in range(MOST + 50)
    ]
    last = "more like it"
    for known, folded in ((causes, True), (causes[:-1], False)):
        rows = rank([*crowded(symptoms), *known], CHECKS)
        (row,) = [r for r in rows if last in r.finding.title]
        assert (row.caused_by is not None) is folded


def test_ranking_looks_only_at_what_shares_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand broken nodes: each symptom is compared with the causes on its own node."""
    calls = Counter[str]()
    real = ranking.covered

    def counted(cause: Finding, symptom: Finding) -> object:
        calls["covered"] += 1
        return real(cause, symptom)

    monkeypatch.setattr(ranking, "covered", counted)
    found = [finding(i, f"n{k}") for k in range(1000) for i in ("RTE-09", "RTE-13", "DNS-21")]
    rows = rank(found, CHECKS)
    assert [r.finding.id for r in rows if r.caused_by is None] == ["RTE-09"]
    assert calls["covered"] < 10 * len(found)


def claimants(count: int) -> Snapshot:
    """So many nodes that all hold the addresses, routes and tunnels of three recorded ones."""
    data = json.loads(json.dumps(to_json(recorded("healthy"))))
    nodes, machines = data["nodes"], data["cluster"]["nodes"]["items"]
    data["nodes"] = [
        {**(n := nodes[i % 3]), "name": f"w{i}", "envelope": {**n["envelope"], "node": f"w{i}"}}
        for i in range(count)
    ]
    own = ("198.18.0.11", "198.18.0.12", "198.18.0.13")
    data["cluster"]["nodes"]["items"] = [
        {**_moved(machines[i % 3], own[i % 3], f"198.18.9.{i}", i), "name": f"w{i}"}
        for i in range(count)
    ]
    return from_json(data)


def _moved(machine: object, before: str, after: str, number: int) -> dict[str, object]:
    text = json.dumps(machine).replace(before, after)
    found: dict[str, object] = json.loads(
        text.replace(f"198.19.{number % 3}.", f"198.20.{number}.")
    )
    return found


def test_nodes_that_miss_all_peers_have_one_finding_each() -> None:
    """A snapshot of clones: its findings grow with the nodes, not with their pairs."""
    count = 3 * FEW
    found = judged(claimants(count)).findings
    numbers = Counter(r.finding.id for r in found)
    assert numbers["ENC-05"] == numbers["RTE-01"] == count
    row = next(r.finding for r in found if r.finding.id == "ENC-05")
    assert row.title == f"The VXLAN entries for {count - 1} peers are missing or wrong"
    assert len(row.paths) == count - 1
    assert row.evidence[-1].text.startswith("and ") or "probes" in row.evidence[-1].text
    assert row.fix.commands[-1] == f"# and {count - 1 - FEW} more"


def test_worst_of_a_crowd_is_kept() -> None:
    """What is cut is what ranks last."""
    low = [dataclasses.replace(f, severity=Severity.LOW) for f in many(MOST * 2)]
    worst = dataclasses.replace(low[-1], severity=Severity.CRITICAL, subjects=(node("z"),))
    assert crowded([*low, worst])[0] == worst
