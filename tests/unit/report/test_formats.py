"""Every format, against a golden file and against what hostile text could do to it.

NETDOCTOR_UPDATE_GOLDEN=1 rewrites the golden files; read the difference before committing it.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
from pathlib import Path

import pytest
import yaml

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.cli.outputs import FORMATS
from kubectl_netdoctor.cli.show import render
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus
from kubectl_netdoctor.redaction.redact import without_all_secrets
from kubectl_netdoctor.report.document import document
from kubectl_netdoctor.report.table import table
from kubectl_netdoctor.report.terminal import PLAIN, Style, clean, style_of
from tests.unit.recorded import judged, recorded
from tests.unit.report.hostile import hostile

GOLDEN = Path(__file__).parent.parent.parent / "golden"


def rendered(diagnosis: Diagnosis, output: str) -> str:
    """Text of one format, as into a pipe."""
    return render(diagnosis, output, 1, io.StringIO())


@pytest.mark.parametrize("output", FORMATS)
def test_golden(output: str) -> None:
    """The recorded fault is printed exactly as committed."""
    text = rendered(judged(without_all_secrets(recorded("vxlan_port_blocked"))), output)
    file = GOLDEN / f"vxlan_port_blocked.{output}"
    if os.environ.get("NETDOCTOR_UPDATE_GOLDEN") == "1":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text


def test_json_and_yaml_are_the_same_document() -> None:
    """Two spellings of one report."""
    diagnosis = judged(recorded("fdb_entry_deleted"))
    assert json.loads(rendered(diagnosis, "json")) == yaml.safe_load(rendered(diagnosis, "yaml"))


def test_causes_and_what_they_explain_point_at_each_other() -> None:
    """`causedBy` and `explains` are keys of findings in the same document."""
    found = document(judged(recorded("vxlan_port_blocked")), exit_code=1)["findings"]
    keys = {f["key"]: f for f in found}
    assert len(keys) == len(found)
    for finding in found:
        for key in finding["explains"]:
            assert keys[key]["causedBy"] == finding["key"]


@pytest.mark.parametrize("output", FORMATS)
def test_hostile_text_steers_no_terminal(output: str) -> None:
    """No control or direction character of a node reaches the output, in any format."""
    text = rendered(hostile(), output)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\r" not in text
    assert "\u202e" not in text


def test_hostile_text_is_no_markup() -> None:
    """Markdown shows it as text: no tag, no cell, no code fence is opened by it."""
    text = rendered(hostile(), "markdown")
    assert "<script>" not in text.replace(clean("alert"), "alert").split("```")[0]
    assert all(
        line.count("|") - line.count("\\|") in (0, 3, 7)
        for line in text.splitlines()
        if line.startswith("|")
    )


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_table_keeps_within_its_width(width: int) -> None:
    """Rows of the table wrap; commands stay whole, so that they can be pasted."""
    text = table(judged(recorded("vxlan_port_blocked")), Style(width, colour=False, unicode=False))
    rows = text.split("\nFIX")[0].splitlines()
    assert max(len(line) for line in rows[3:]) <= width + 12
    assert any(line.startswith("1 critical") for line in rows)


def test_colour_only_on_a_terminal_and_without_no_color() -> None:
    """A pipe gets plain ASCII; NO_COLOR wins on a terminal even when it is empty."""

    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    assert style_of(Terminal(), {}).colour
    assert not style_of(Terminal(), {"NO_COLOR": ""}).colour
    assert style_of(io.StringIO(), {}) == PLAIN
    text = table(judged(recorded("packet_loss")), style_of(Terminal(), {}))
    assert "\x1b[" in text


def test_a_node_without_an_answer_is_never_left_out() -> None:
    """Every human format names it with its reason."""
    diagnosis = hostile()
    dead = NodeReport("n9", NodeStatus.NOT_REACHED, "NotReady since noon", None)
    snapshot = dataclasses.replace(diagnosis.snapshot, nodes=(dead,))
    for output in ("table", "wide", "short", "markdown"):
        text = rendered(dataclasses.replace(diagnosis, snapshot=snapshot), output)
        assert "n9" in text
        assert "NotReady since noon" in text
