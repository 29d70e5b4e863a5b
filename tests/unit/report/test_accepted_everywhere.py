"""An accepted finding is told in every format, as one that does not count."""

from __future__ import annotations

import io
import json

import pytest
from junitparser import Failure, JUnitXml, Skipped

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.cli.outputs import FORMATS
from kubectl_netdoctor.cli.show import render
from tests.unit.report.acceptance import EXPIRES, REASON, accepted
from tests.unit.report.test_html import assert_tame
from tests.unit.report.test_schema import validator


@pytest.fixture(scope="module")
def diagnosis() -> Diagnosis:
    """A fault with everything that it explains, accepted."""
    return accepted("vxlan_port_blocked")


def text(diagnosis: Diagnosis, output: str) -> str:
    """One format, as into a pipe."""
    return render(diagnosis, output, 0, io.StringIO())


@pytest.mark.parametrize("output", FORMATS)
def test_it_is_told_with_its_reason(diagnosis: Diagnosis, output: str) -> None:
    """Never dropped in silence: counted, with why and until when, beside what is left."""
    said = " ".join(text(diagnosis, output).split())
    assert len(diagnosis.suppressed) > 1
    assert f"{len(diagnosis.suppressed)} accepted, nothing else found" in said
    assert {s.ranked.finding.id for s in diagnosis.suppressed} >= {"ENC-01"}
    assert all(s.ranked.finding.id in said for s in diagnosis.suppressed)
    assert REASON in said
    assert EXPIRES in said


def test_forms_stay_valid(diagnosis: Diagnosis) -> None:
    """HTML, the JSON report and its lines."""
    assert_tame(text(diagnosis, "html"))
    validator().validate(json.loads(text(diagnosis, "json")))
    for line in text(diagnosis, "jsonl").splitlines():
        validator("line").validate(json.loads(line))


def test_it_fails_no_pipeline(diagnosis: Diagnosis) -> None:
    """Skipped in JUnit, suppressed in SARIF."""
    report = JUnitXml.fromstring(text(diagnosis, "junit").encode())
    results = [r for suite in report for case in suite for r in case.result]
    assert not [r for r in results if isinstance(r, Failure)]
    assert [r for r in results if isinstance(r, Skipped) and REASON in (r.message or "")]
    found = json.loads(text(diagnosis, "sarif"))["runs"][0]["results"]
    (how,) = next(r["suppressions"] for r in found if r["ruleId"] == "ENC-01")
    assert (how["kind"], how["status"]) == ("external", "accepted")
    assert how["justification"] == f"{REASON} (until {EXPIRES})"
