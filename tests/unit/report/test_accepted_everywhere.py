"""An accepted finding is told in every format, as one that does not count."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest
from junitparser import Failure, JUnitXml, Skipped

from kubectl_netdoctor.analysis.diagnosis import Diagnosis, Suppressed
from kubectl_netdoctor.cli.outputs import FORMATS
from kubectl_netdoctor.cli.show import render
from tests.unit.recorded import judged, recorded
from tests.unit.report.test_html import assert_tame
from tests.unit.report.test_schema import validator

REASON = "known since spring"


@pytest.fixture(scope="module")
def diagnosis() -> Diagnosis:
    """A fault with everything that it explains, accepted."""
    found = judged(recorded("vxlan_port_blocked"))
    apart = tuple(Suppressed(ranked, REASON, "2027-01-01") for ranked in found.findings)
    return dataclasses.replace(found, findings=(), suppressed=apart)


def text(diagnosis: Diagnosis, output: str) -> str:
    """One format, as into a pipe."""
    return render(diagnosis, output, 0, io.StringIO())


@pytest.mark.parametrize("output", FORMATS)
def test_it_is_told_with_its_reason(diagnosis: Diagnosis, output: str) -> None:
    """Never dropped in silence."""
    said = text(diagnosis, output)
    assert "ENC-01" in said
    assert REASON in said
    assert "2027-01-01" in said


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
    kinds = {r["ruleId"]: r["suppressions"][0]["status"] for r in found if "suppressions" in r}
    assert kinds["ENC-01"] == "accepted"
