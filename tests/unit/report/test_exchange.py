"""JUnit and SARIF, read by independent readers, and held against the diagnosis."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite

from kubectl_netdoctor.analysis import engine
from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.cli.show import render
from tests.unit.recorded import FOLDER, judged, recorded
from tests.unit.report.hostile import HOSTILE, hostile

NAMES = sorted(p.name.removesuffix(".json.gz") for p in FOLDER.iterdir())


def diagnoses() -> list[Any]:
    """All recorded faults, and the hostile one."""
    return [
        *(pytest.param(judged(recorded(n)), id=n) for n in NAMES),
        pytest.param(hostile(), id="!"),
    ]


def junit(diagnosis: Diagnosis) -> JUnitXml:
    """The report as a JUnit reader sees it."""
    return JUnitXml.fromstring(render(diagnosis, "junit", 1, io.StringIO()).encode())


def sarif(diagnosis: Diagnosis) -> dict[str, Any]:
    """The one run of the SARIF log."""
    log = json.loads(render(diagnosis, "sarif", 1, io.StringIO()))
    assert log["version"] == "2.1.0"
    assert set(log) == {"$schema", "version", "runs"}
    (run,) = log["runs"]
    return dict(run)


@pytest.mark.parametrize("diagnosis", diagnoses())
def test_junit_has_a_case_for_each_cell_and_node(diagnosis: Diagnosis) -> None:
    """Counts agree with what is inside, and with the diagnosis."""
    report = junit(diagnosis)
    suites = [s for s in report if isinstance(s, TestSuite)]
    cases = [case for suite in suites for case in suite]
    nodes = diagnosis.snapshot.nodes
    assert len(cases) == report.tests == len(diagnosis.coverage) + len(nodes)
    kinds = [type(result) for case in cases for result in case.result]
    skipped = [c for c in diagnosis.coverage if isinstance(c.outcome, engine.Skipped)]
    assert kinds.count(Skipped) == report.skipped == len(skipped)
    assert kinds.count(Failure) == report.failures
    assert kinds.count(Error) == report.errors == len(diagnosis.silent)
    for suite in suites:
        assert suite.tests == len(list(suite))
        assert {case.classname for case in suite} == {f"netdoctor.{suite.name}"}
    assert len({(case.classname, case.name) for case in cases}) == len(cases)


def test_junit_fails_where_the_fault_is() -> None:
    """The failure holds the finding, its evidence and its fix; advice fails nothing."""
    diagnosis = judged(recorded("vxlan_port_blocked"))
    failed = {
        case.name: result
        for suite in junit(diagnosis)
        if isinstance(suite, TestSuite)
        for case in suite
        for result in case.result
        if isinstance(result, Failure)
    }
    assert {name.split()[0] for name in failed} == {r.finding.id for r in diagnosis.findings}
    (cut,) = (r for name, r in failed.items() if name.startswith("ENC-01"))
    assert cut.type == "critical"
    assert "0/20 through the tunnel" in (cut.text or "")
    assert "iptables-nft -t filter -D INPUT" in (cut.text or "")
    assert not [name for name in failed if name.startswith("NODE-10")]
    assert not [r for s in junit(judged(recorded("healthy"))) for c in s for r in c.result
                if isinstance(r, Failure)]  # fmt: skip


@pytest.mark.parametrize("diagnosis", diagnoses())
def test_sarif_has_what_the_standard_wants(diagnosis: Diagnosis) -> None:
    """Required properties, closed words, unique rules, and indexes that lead to them."""
    run = sarif(diagnosis)
    driver = run["tool"]["driver"]
    assert driver["name"] == "kubectl-netdoctor"
    rules = driver["rules"]
    ids = [rule["id"] for rule in rules]
    assert len(set(ids)) == len(ids)
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
        assert re.fullmatch(r"[A-Za-z0-9]+", rule["name"])
    rows = [*diagnosis.findings, *diagnosis.advice]
    assert len(run["results"]) == len(rows)
    for result, ranked in zip(run["results"], rows, strict=True):
        assert result["message"]["text"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == ranked.finding.id
        # §3.27.10: a result that is no failure has level none.
        assert (result["kind"] == "fail") == (ranked.severity is not Severity.INFO)
        assert (result["level"] == "none") == (result["kind"] != "fail")
        places = [p for place in result["locations"] for p in place["logicalLocations"]]
        assert len(places) == len(ranked.finding.subjects)
        assert all(p["fullyQualifiedName"].endswith(p["name"]) for p in places)
    (invocation,) = run["invocations"]
    real = "T" in diagnosis.snapshot.run.started and HOSTILE not in diagnosis.snapshot.run.started
    assert ("startTimeUtc" in invocation) == ("endTimeUtc" in invocation) == real
    assert invocation["executionSuccessful"] is diagnosis.verdict.complete
    for told in invocation["toolExecutionNotifications"]:
        assert told["message"]["text"]
        assert told["level"] in ("note", "error")
        assert told.get("associatedRule", {"id": ids[0]})["id"] in ids


def test_sarif_names_the_place() -> None:
    """The first result is the cause, at its node, with its level."""
    first = sarif(judged(recorded("vxlan_port_blocked")))["results"][0]
    assert (first["ruleId"], first["level"]) == ("ENC-01", "error")
    place = first["locations"][0]["logicalLocations"][0]
    assert place == {"name": "n3", "fullyQualifiedName": "Node/n3", "kind": "node"}


def test_what_was_not_measured_is_told() -> None:
    """A node that did not answer is an error in both."""
    diagnosis = hostile()
    errors = [r for s in junit(diagnosis) for c in s for r in c.result if isinstance(r, Error)]
    assert len(errors) == 1
    (invocation,) = sarif(diagnosis)["invocations"]
    assert invocation["toolExecutionNotifications"][0]["level"] == "error"


@pytest.mark.parametrize("output", ["junit", "sarif"])
def test_no_control_character_is_left(output: str) -> None:
    """Whatever reads it may print it."""
    text = render(hostile(), output, 1, io.StringIO())
    said = json.dumps(json.loads(text), ensure_ascii=False) if output == "sarif" else text
    assert not [c for c in HOSTILE if not c.isprintable() and c not in "\r\n" and c in said]
