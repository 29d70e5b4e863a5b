"""YAML, Markdown and the plain texts as readers see them that are not ours."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from ruamel.yaml import YAML

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.cli.show import render
from kubectl_netdoctor.report.structured import to_yaml
from tests.unit.recorded import FOLDER, judged, recorded
from tests.unit.report.acceptance import accepted
from tests.unit.report.hostile import hostile

NAMES = sorted(p.name.removesuffix(".json.gz") for p in FOLDER.iterdir())
REPORTS = [
    *(pytest.param(judged(recorded(name)), id=name) for name in NAMES),
    pytest.param(hostile(), id="hostile"),
    pytest.param(accepted("vxlan_port_blocked"), id="accepted"),
]
# What a block of HTML may be: our folding, and the words of its one line.
FOLD = re.compile(r"</?details>\n?|<details>\n<summary>[^<>\n]*</summary>\n?")
ODD = [
    "1984e327", "00005789", "0o17", "12E+03", ".5e1", "no", "~", "0x1F", "1_000", "1:30", "2026-11-23",
]  # fmt: skip


def text(diagnosis: Diagnosis, output: str) -> str:
    """One format, as into a pipe."""
    return render(diagnosis, output, 1, io.StringIO())


def newer(document: str) -> Any:
    """YAML 1.2, read by another implementation than the one that wrote it."""
    return YAML(typ="safe", pure=True).load(document)


@pytest.mark.parametrize("diagnosis", REPORTS[-3:])
def test_yaml_is_the_json_report(diagnosis: Diagnosis) -> None:
    """To readers of YAML 1.1 and of 1.2."""
    document = text(diagnosis, "yaml")
    assert yaml.safe_load(document) == newer(document) == json.loads(text(diagnosis, "json"))


@settings(deadline=None)
@given(st.one_of(st.sampled_from(ODD), st.from_regex(r"\A[-+]?[0-9.eEo]{1,8}\Z"), st.text()))
def test_a_word_stays_a_word_in_yaml(word: str) -> None:
    """The ID of a run is hexadecimal: 1984e327 is no number."""
    document = to_yaml({"id": word, "share": 0.5})
    assert yaml.safe_load(document) == newer(document) == {"id": word, "share": 0.5}


def tokens(diagnosis: Diagnosis) -> list[Token]:
    """The Markdown report, parsed as CommonMark with GitHub's tables."""
    return MarkdownIt("commonmark").enable("table").parse(text(diagnosis, "markdown"))


@pytest.mark.parametrize("diagnosis", REPORTS)
def test_markdown_has_no_markup_but_ours(diagnosis: Diagnosis) -> None:
    """Folding is the only HTML, it is closed, and nothing inline is more than text."""
    found = tokens(diagnosis)
    html = [t.content for t in found if t.type == "html_block"]
    assert [block for block in html if not FOLD.fullmatch(block)] == []
    assert "".join(html).count("<details>") == "".join(html).count("</details>") > 0
    inside = {child.type for t in found for child in t.children or ()}
    assert inside <= {"text", "text_special", "softbreak", "entity"}


@pytest.mark.parametrize("diagnosis", REPORTS)
def test_markdown_tables_are_whole(diagnosis: Diagnosis) -> None:
    """A row for each cause and each field of the header; every row has as many cells as its head."""
    tables: list[list[int]] = []
    for token in tokens(diagnosis):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append(0)
        elif token.type in ("td_open", "th_open"):
            tables[-1][-1] += 1
    *findings, ticket = tables
    assert [len(rows) - 1 for rows in findings] == [len(diagnosis.causes)] * bool(
        diagnosis.findings
    )
    assert len(ticket) > 8
    assert all(len(set(rows)) == 1 for rows in tables)


@pytest.mark.parametrize("diagnosis", REPORTS)
def test_markdown_commands_are_code(diagnosis: Diagnosis) -> None:
    """One fence for each row with commands, and nothing else is code."""
    code = [t for t in tokens(diagnosis) if t.type in ("fence", "code_block")]
    rows = [*diagnosis.findings, *diagnosis.advice]
    assert len(code) == len([r for r in rows if r.finding.fix.commands])
    assert {t.type for t in code} <= {"fence"}


@pytest.mark.parametrize("output", ["table", "wide", "short"])
@pytest.mark.parametrize("diagnosis", REPORTS)
def test_plain_text_is_ascii(diagnosis: Diagnosis, output: str) -> None:
    """Into a pipe, a chat, a ticket."""
    said = text(diagnosis, output)
    assert said.isascii()
    assert all(line.isprintable() for line in said.splitlines())
