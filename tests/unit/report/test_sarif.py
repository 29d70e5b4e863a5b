"""SARIF, held against the objects of the standard by a reader that is not ours."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from typing import Any

import pysarif
import pytest

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.cli.show import render
from tests.unit.recorded import FOLDER, judged, recorded
from tests.unit.report.acceptance import accepted
from tests.unit.report.hostile import hostile
from tests.unit.report.sarif_reader import complaints

NAMES = sorted(p.name.removesuffix(".json.gz") for p in FOLDER.iterdir())


def sarif(diagnosis: Diagnosis) -> Any:
    """The log."""
    return json.loads(render(diagnosis, "sarif", 1, io.StringIO()))


@pytest.mark.parametrize(
    "diagnosis",
    [
        *(pytest.param(judged(recorded(name)), id=name) for name in NAMES),
        pytest.param(hostile(), id="hostile"),
        pytest.param(accepted("vxlan_port_blocked"), id="accepted"),
    ],
)
def test_it_is_what_the_standard_says(diagnosis: Diagnosis) -> None:
    """No property is unknown, none is missing, and every value has its type."""
    log = sarif(diagnosis)
    assert complaints(log) == []
    read = pysarif.load_from_dict(log)
    results = [*diagnosis.findings, *diagnosis.advice, *(s.ranked for s in diagnosis.suppressed)]
    assert [r.rule_id for r in read.runs[0].results] == [r.finding.id for r in results]


CHANGES: dict[str, Callable[[Any], object]] = {
    "$.version: '2.0' is none of ('2.1.0',)": lambda log: log.update(version="2.0"),
    "$.runs[0].tool: missing": lambda log: log["runs"][0].pop("tool"),
    "$.runs[0].comment: unknown": lambda log: log["runs"][0].update(comment="x"),
    "$.runs[0].results[0].message: no object": lambda log: log["runs"][0]["results"][0].update(
        message="text"
    ),
    "$.runs[0].results[0].ruleIndex: True is no int": lambda log: log["runs"][0]["results"][
        0
    ].update(ruleIndex=True),
    "$.runs[0].results[0].ruleId: None is no str": lambda log: log["runs"][0]["results"][0].update(
        ruleId=None
    ),
    "$.runs[0].invocations: no list": lambda log: log["runs"][0].update(invocations={}),
}


@pytest.mark.parametrize("said", CHANGES)
def test_the_reader_is_strict(said: str) -> None:
    """What is wrong is found, once, at its place."""
    log = copy.deepcopy(sarif(judged(recorded("packet_loss"))))
    CHANGES[said](log)
    assert complaints(log) == [said]
