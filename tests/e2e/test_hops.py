"""The hop ledger on real nodes: drops at known places, and the sentence that names each of them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hop_faults import HOPS, SCAN
from tests.e2e.netdoctor import scan
from tests.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.extended]

SHOWN = (
    "sender_output_outer",
    "wire_outer_from",
    "wire_outer_to",
    "receiver_input_outer",
    "receiver_forward",
    "receiver_bridge",
    "wire_plain_from",
)
"""The others are for `python -m tests.bench hops`."""


@pytest.mark.parametrize("name", SHOWN)
def test_the_ledger_names_the_hop(lab: Lab, name: str) -> None:
    """The first row is the fault, and one of its sentences says where packets were last seen."""
    hop = HOPS[name]
    with hop.inject(lab):
        during = scan(lab, *SCAN)
    assert during.first == hop.expected, during.report["findings"]
    texts = [e["text"] for e in during.report["findings"][0]["evidence"]]
    assert any(hop.says in text for text in texts), texts


def test_a_wire_that_loses_is_blamed_and_nothing_else(lab: Lab) -> None:
    """One direction only: no rule on either node, so the finding says what lies between."""
    hop = HOPS["wire_outer_from"]
    with hop.inject(lab):
        during = scan(lab, *SCAN)
    row = during.report["findings"][0]
    texts = [e["text"] for e in row["evidence"]]
    assert any("nothing on either node drops these packets" in text for text in texts), texts
    assert "lost on the way n3 to n1" in row["scope"]


def test_healthy_is_silent_with_a_complete_ledger(lab: Lab, tmp_path: Path) -> None:
    """Every node listened on its NIC and its tunnel, and saw its own probes come back."""
    file = tmp_path / "healthy.json.gz"
    done = scan(lab, *SCAN, "--save", str(file))
    assert done.serious == []
    saved: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    for report in saved["nodes"]:
        fact = report["envelope"]["facts"]["hops"]
        roles = {tap["role"] for tap in fact["taps"] if tap["missing"] is None}
        assert {"nic", "tunnel"} <= roles
        assert fact["truncated"] == 0
        answers = [s for s in fact["sightings"] if s["answer"] and s["way"] == "in"]
        assert {"node", "overlay"} <= {s["kind"] for s in answers}
