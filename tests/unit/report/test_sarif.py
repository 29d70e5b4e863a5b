"""SARIF, held against the schema of the standard."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import validator_for

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.cli.show import render
from tests.unit.recorded import FOLDER, judged, recorded
from tests.unit.report.acceptance import accepted
from tests.unit.report.hostile import hostile
from tests.unit.report.sarif_reader import complaints, schema

NAMES = sorted(p.name.removesuffix(".json.gz") for p in FOLDER.iterdir())
GOLDEN = Path(__file__).parent.parent.parent / "golden" / "vxlan_port_blocked.sarif"


def sarif(diagnosis: Diagnosis) -> Any:
    """The log."""
    return json.loads(render(diagnosis, "sarif", 1, io.StringIO()))


def test_the_schema_is_one() -> None:
    """It follows its own meta-schema, and is read by the draft that it names."""
    validator = schema()
    validator.check_schema(validator.schema)
    assert validator_for(validator.schema) is type(validator)


@pytest.mark.parametrize(
    "diagnosis",
    [
        *(pytest.param(judged(recorded(name)), id=name) for name in NAMES),
        pytest.param(hostile(), id="hostile"),
        pytest.param(accepted("vxlan_port_blocked"), id="accepted"),
    ],
)
def test_it_is_what_the_standard_says(diagnosis: Diagnosis) -> None:
    """The schema allows all of it, and every finding is a result, in order."""
    log = sarif(diagnosis)
    assert complaints(log) == []
    results = [*diagnosis.findings, *diagnosis.advice, *(s.ranked for s in diagnosis.suppressed)]
    assert [r["ruleId"] for r in log["runs"][0]["results"]] == [r.finding.id for r in results]


def test_the_golden_report_fits() -> None:
    """What is kept as the example is valid, too."""
    assert complaints(json.loads(GOLDEN.read_text())) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("version", "2.0", "$.version: enum"),
        ("runs.0.comment", "x", "$.runs[0]: additionalProperties"),
        ("runs.0.tool", {}, "$.runs[0].tool: required"),
        ("runs.0.tool.driver.informationUri", "x", "$.runs[0].tool.driver.informationUri: format"),
        ("runs.0.invocations", {}, "$.runs[0].invocations: type"),
        ("runs.0.invocations.0.endTimeUtc", "today", "$.runs[0].invocations[0].endTimeUtc: format"),
        ("runs.0.results.0.level", "fatal", "$.runs[0].results[0].level: enum"),
        ("runs.0.results.0.message", "text", "$.runs[0].results[0].message: type"),
        ("runs.0.results.0.ruleId", None, "$.runs[0].results[0].ruleId: type"),
        ("runs.0.results.0.ruleIndex", True, "$.runs[0].results[0].ruleIndex: type"),
        ("runs.0.results.0.ruleIndex", -2, "$.runs[0].results[0].ruleIndex: minimum"),
    ],
)
def test_a_wrong_log_does_not_fit(path: str, value: Any, said: str) -> None:
    """What is wrong is found, once, at its place and by its rule."""
    log = sarif(judged(recorded("packet_loss")))
    at: Any = log
    *way, last = path.split(".")
    for key in way:
        at = at[int(key) if key.isdigit() else key]
    at[last] = value
    (found,) = complaints(log)
    assert found.startswith(f"{said}: ")


@pytest.mark.parametrize(
    ("started", "shown"),
    [
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
        ("20261123T120000+0200", "2026-11-23T10:00:00Z"),
        ("2026-11-23 10:00:00.123+00:00", "2026-11-23T10:00:00Z"),
        ("2026-11-23", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("three", None),
    ],
)
def test_times_are_written_as_the_standard_wants(started: str, shown: str | None) -> None:
    """A file of another hand may have any; without a zone it is no moment."""
    snapshot = recorded("packet_loss")
    run = dataclasses.replace(snapshot.run, started=started)
    log = sarif(judged(dataclasses.replace(snapshot, run=run)))
    assert log["runs"][0]["invocations"][0].get("startTimeUtc") == shown
    assert complaints(log) == []
