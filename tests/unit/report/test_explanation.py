"""Where a row ranks and why, in every form that people and programs read."""

from __future__ import annotations

import dataclasses
import io
import json
import re

from jsonschema import Draft202012Validator

from kubectl_netdoctor.analysis.case import cases
from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.ranking import rank
from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.cli.show import render
from kubectl_netdoctor.report.document import document
from kubectl_netdoctor.report.explanation import explained, explanation
from kubectl_netdoctor.report.table import table
from kubectl_netdoctor.report.terminal import PLAIN, Style
from tests.unit.analysis.test_ranking import finding
from tests.unit.recorded import healthy, judged, recorded
from tests.unit.report.hostile import hostile
from tests.unit.report.test_schema import validator

NARROW = Style(80, colour=False, unicode=False)


def many(count: int) -> Diagnosis:
    """So many causes on as many nodes, and one symptom."""
    found = [finding("NIC-03", f"n{n}", paths=((f"n{n}", "n0"),)) for n in range(count)]
    symptom = finding("DNS-05", "n1", paths=(("n1", "n0"),))
    return dataclasses.replace(judged(healthy()), findings=rank([*found, symptom], catalogue()))


def unwrapped(text: str) -> str:
    """Text with its line breaks taken out."""
    return " ".join(text.split())


def test_rows_are_numbered_alike_everywhere() -> None:
    """N of the table is the place in JSON, the number of the fix, and that in Markdown."""
    diagnosis = many(12)
    wide = table(diagnosis, NARROW, wide=True)
    numbers = re.findall(r"^(\d+) +(?:high|critical) \(\w+\) +(\S+)", wide, re.MULTILINE)
    rows = document(diagnosis, exit_code=1)["findings"]
    assert numbers == [(str(n), row["id"]) for n, row in enumerate(rows, 1)]
    assert len(rows) == 13
    assert re.findall(r"^FIX (\d+)", wide, re.MULTILINE) == [str(n) for n in range(1, 13)]
    short = render(diagnosis, "short", 1, io.StringIO())
    assert re.findall(r"^(\d+) \[", short, re.MULTILINE) == [str(n) for n in range(1, 13)]
    markdown = render(diagnosis, "markdown", 1, io.StringIO())
    assert re.findall(r"^\| (\d+) \|", markdown, re.MULTILINE) == [str(n) for n in range(1, 13)]
    assert "<summary>13 DNS-05" in markdown


def test_the_number_costs_two_columns() -> None:
    """Rows keep within 80 columns, and the heading stands over its column."""
    lines = table(judged(recorded("vxlan_port_blocked")), NARROW).split("\n\n")[1].splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].index("SEV") == lines[1].index("critical") == 2


def test_severities_are_painted_behind_their_number() -> None:
    """Also where numbers have two digits; a further line of a row has no colour."""
    text = table(many(10), Style(80, colour=True, unicode=False))
    grid = text.split("\n\n")[1].splitlines()
    painted = [line for line in grid if "\x1b[" in line]
    assert len(painted) == 10
    assert painted[0].startswith("1  \x1b[1;31mcritical\x1b[0m") or painted[0].startswith(
        "1  \x1b[31mhigh\x1b[0m"
    )
    assert painted[9].startswith("10 \x1b[31mhigh\x1b[0m")


def test_wide_says_why_rows_stand_in_this_order() -> None:
    """All sentences of all rows, and what speaks against them; the plain table says none."""
    diagnosis = judged(recorded("fdb_entry_deleted"))
    wide = unwrapped(table(diagnosis, PLAIN, wide=True))
    for case in cases(diagnosis):
        assert all(sentence in wide for sentence in case.why)
        assert all(f"against: {e.text}" in wide for e in case.contra)
    assert "WHY IN THIS ORDER" not in table(diagnosis, PLAIN)
    assert "WHY IN THIS ORDER" not in table(judged(healthy()), PLAIN, wide=True)


def test_the_document_argues_each_finding_and_no_advice() -> None:
    """`for` begins with the evidence."""
    report = document(judged(recorded("forward_drop")), exit_code=1)
    for found in report["findings"]:
        assert found["for"][: len(found["evidence"])] == found["evidence"]
        assert found["why"]
    assert report["findings"][0]["against"]
    assert not any("why" in row for row in report["advice"])


def test_the_text_holds_the_whole_case() -> None:
    """Of one row, within the width of the terminal."""
    diagnosis = judged(recorded("vxlan_port_blocked"))
    for case in cases(diagnosis):
        text = explanation(diagnosis, case, NARROW)
        flat = unwrapped(text)
        for said in (*(e.text for e in (*case.pro, *case.contra)), *case.why, case.action):
            assert unwrapped(said) in flat
        assert f"row {case.number} of 4" in flat
        assert case.scope in flat
        commands = case.ranked.finding.fix.commands
        assert all(len(line) <= 80 or line.strip() in commands for line in text.splitlines())


def test_nothing_against_is_said() -> None:
    """Never an empty heading: it would look as if something were missing."""
    diagnosis = judged(recorded("dns_endpoint_dropped"))
    (case,) = cases(diagnosis)
    assert not case.contra
    assert "AGAINST   nothing that was looked at" in explanation(diagnosis, case, PLAIN)


def test_the_json_of_one_finding_is_that_of_the_report() -> None:
    """With its number, and how many there are."""
    diagnosis = judged(recorded("ip_forward_off"))
    report = json.loads(render(diagnosis, "json", 1, io.StringIO()))
    for case in cases(diagnosis):
        one = explained(diagnosis, case)
        assert one["finding"] == report["findings"][case.number - 1]
        assert (one["number"], one["of"]) == (case.number, 2)
        validator("finding").validate(one["finding"])
        Draft202012Validator.check_schema(validator("finding").schema)


def test_hostile_text_steers_no_terminal() -> None:
    """Names and evidence of nodes stand in the case too."""
    diagnosis = hostile()
    for case in cases(diagnosis):
        text = explanation(diagnosis, case, PLAIN)
        assert not {"\x1b", "\x07", "\r", "\u202e"} & set(text)
