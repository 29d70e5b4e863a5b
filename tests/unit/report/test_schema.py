"""The published schema of the JSON report: it fits what is written, and names all of it."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.checks.base import Confidence, Risk, Severity
from kubectl_netdoctor.cli.show import render
from kubectl_netdoctor.errors import ExitCode
from kubectl_netdoctor.facts.snapshot import NodeStatus
from tests.unit.recorded import FOLDER, judged, recorded
from tests.unit.report.hostile import hostile

ROOT = Path(__file__).parent.parent.parent.parent
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "report.schema.json").read_text())
NAMES = sorted(p.name.removesuffix(".json.gz") for p in FOLDER.iterdir())


def closed(schema: Any) -> Any:
    """The same schema without room for fields that it does not name."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(part) for key, part in schema.items()}
    return {**made, "additionalProperties": False} if "properties" in made else made


def validator(part: str = "") -> Draft202012Validator:
    """A strict validator of the report, or of one of its definitions."""
    schema = closed(SCHEMA)
    if part:
        schema = {"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]}
    return Draft202012Validator(schema)


def text(diagnosis: Diagnosis, output: str) -> str:
    """One format, as into a pipe."""
    return render(diagnosis, output, 1, io.StringIO())


def test_the_schema_is_one() -> None:
    """It follows its own meta-schema."""
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_report_fits(name: str) -> None:
    """And has no field that the schema does not name, as a whole and line by line."""
    diagnosis = judged(recorded(name))
    validator().validate(json.loads(text(diagnosis, "json")))
    lines = text(diagnosis, "jsonl").splitlines()
    for line in lines:
        validator("line").validate(json.loads(line))
    kinds = [json.loads(line)["type"] for line in lines]
    assert kinds[0] == "header"
    assert kinds[-1] == "verdict"


def test_a_hostile_report_fits() -> None:
    """Whatever nodes say, the form stays."""
    validator().validate(json.loads(text(hostile(), "json")))


@pytest.mark.parametrize("path", ["verdict.severity", "run.exitCode", "findings.0.fix", "nodes"])
def test_a_wrong_report_does_not_fit(path: str) -> None:
    """The schema refuses what is not one."""
    report = json.loads(text(judged(recorded("packet_loss")), "json"))
    at: Any = report
    *way, last = path.split(".")
    for key in way:
        at = at[int(key) if key.isdigit() else key]
    at[last] = {"x": 1}
    with pytest.raises(ValidationError):
        validator().validate(report)


def test_words_are_those_of_the_code() -> None:
    """Every value of an enumeration that the code can write, and no other."""
    parts = copy.deepcopy(SCHEMA["$defs"])
    finding = parts["finding"]["properties"]
    assert parts["severity"]["enum"] == [s.value for s in Severity]
    assert finding["confidence"]["enum"] == [c.value for c in Confidence]
    assert finding["fix"]["properties"]["risk"]["enum"] == [r.value for r in Risk]
    assert parts["node"]["properties"]["status"]["enum"] == [s.value for s in NodeStatus]
    codes = SCHEMA["properties"]["run"]["properties"]["exitCode"]["enum"]
    never = {ExitCode.USAGE, ExitCode.COULD_NOT_RUN}  # there is no report then
    assert set(codes) == {int(c) for c in ExitCode if c not in never}
