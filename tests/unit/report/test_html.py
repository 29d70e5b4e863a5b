"""The HTML page: valid, self-contained, and deaf to what the cluster says."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import xml.etree.ElementTree as ET

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.report.html.markup import Markup, escape, join, tag
from kubectl_netdoctor.report.html.page import page
from tests.unit.checks import hop_samples
from tests.unit.recorded import FOLDER, healthy, judged, recorded
from tests.unit.report.crowds import crowd
from tests.unit.report.hostile import hostile

SPACE = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
NAMES = sorted(p.name.removesuffix(".json.gz") for p in FOLDER.iterdir())
ATTRIBUTES = {
    "aria-hidden", "aria-label", "aria-labelledby", "charset", "class", "colspan", "content",
    "height", "hidden", "href", "http-equiv", "id", "lang", "name", "open", "role", "scope",
    "tabindex", "text-anchor", "title", "type", "viewBox", "width", "x", "x1", "x2", "y", "y1", "y2",
}  # fmt: skip
"""All that a page may have: no handler, no style, no source, no other address."""


def parsed(text: str) -> ET.Element:
    """The page read by an independent parser that accepts no error."""
    root = html5lib.HTMLParser(strict=True).parse(text)
    assert isinstance(root, ET.Element)
    return root


def words(root: ET.Element) -> str:
    """All text of a page."""
    body = root.find(f"{SPACE}body")
    assert body is not None
    return " ".join(" ".join(body.itertext()).split())


def assert_tame(text: str) -> None:
    """One script and one style, ours by their hash; nothing else that runs, loads or leads away."""
    root = parsed(text)
    scripts, styles = (list(root.iter(f"{SPACE}{name}")) for name in ("script", "style"))
    assert (len(scripts), len(styles)) == (1, 1)
    policy = next(m.get("content", "") for m in root.iter(f"{SPACE}meta") if m.get("http-equiv"))
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for element, rule in ((scripts[0], "script-src"), (styles[0], "style-src")):
        digest = hashlib.sha256((element.text or "").encode()).digest()
        assert f"{rule} 'sha256-{base64.b64encode(digest).decode()}'" in policy
    names = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(names) == len(set(names))
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES, element.attrib
        if link := element.get("href"):
            assert link.startswith("#")
            assert link[1:] in names
    assert not {e.tag for e in root.iter()} & {f"{SPACE}{n}" for n in ("img", "iframe", "link")}


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_report_is_valid(name: str) -> None:
    """A strict parser finds no error, and the page holds its findings, fixes and reasons."""
    diagnosis = judged(recorded(name))
    text = page(diagnosis, exit_code=1)
    assert_tame(text)
    said = words(parsed(text))
    for ranked in diagnosis.findings:
        assert " ".join(ranked.finding.title.split()) in said
        for item in ranked.finding.evidence:
            assert " ".join(item.text.split()) in said
    for command in (c for r in diagnosis.causes for c in r.finding.fix.commands):
        assert " ".join(command.split()) in said
    assert diagnosis.snapshot.run.id in said


@pytest.mark.parametrize("name", NAMES)
def test_hostile_text_is_text(name: str) -> None:
    """With hostile words in every field of every fact, the page stays ours."""
    text = page(hostile(name), exit_code=1)
    assert_tame(text)
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "<script>alert(1)</script>" in words(parsed(text))


def test_headings_go_down_step_by_step() -> None:
    """One first heading, and no level left out: a screen reader walks by them."""
    root = parsed(page(judged(recorded("vxlan_port_blocked")), exit_code=1))
    levels = [int(e.tag[-1]) for e in root.iter() if re.fullmatch(rf"{SPACE}h[1-6]", e.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_tables_are_tables() -> None:
    """Each has a caption, and every head says for what."""
    root = parsed(page(judged(recorded("packet_loss")), exit_code=1))
    tables = list(root.iter(f"{SPACE}table"))
    assert len(tables) > 8
    for table in tables:
        assert table.find(f"{SPACE}caption") is not None
        assert all(head.get("scope") for head in table.iter(f"{SPACE}th"))


def cells(diagnosis: Diagnosis, caption: str) -> list[list[str]]:
    """The numbers of one map, row by row."""
    root = parsed(page(diagnosis, exit_code=1))
    for table in root.iter(f"{SPACE}table"):
        name = table.find(f"{SPACE}caption")
        if name is not None and (name.text or "").startswith(caption):
            body = table.find(f"{SPACE}tbody")
            assert body is not None
            return [
                ["".join(cell.itertext()) for cell in row.findall(f"{SPACE}td")] for row in body
            ]
    raise AssertionError(caption)


def test_the_maps_show_the_fault() -> None:
    """The blocked tunnel: overlay lost towards n3 and from it, the underlay whole."""
    diagnosis = judged(recorded("vxlan_port_blocked"))
    assert cells(diagnosis, "Loss, underlay") == [
        ["·", "0", "0"], ["0", "·", "0"], ["0", "0", "·"],
    ]  # fmt: skip
    assert cells(diagnosis, "Loss, overlay") == [
        ["·", "0", "100"], ["0", "·", "100"], ["100", "100", "·"],
    ]  # fmt: skip
    assert cells(diagnosis, "Path MTU, overlay") == [
        ["·", "1450", "none"], ["1450", "·", "none"], ["none", "none", "·"],
    ]  # fmt: skip


def test_drawings_are_said_too() -> None:
    """No distribution without its numbers in words."""
    root = parsed(page(judged(recorded("dns_endpoint_dropped")), exit_code=1))
    drawn = [e for e in root.iter(f"{SVG}svg") if e.get("role") == "img"]
    assert drawn
    assert all(" answers, half within " in (e.get("aria-label") or "") for e in drawn)


def test_the_hop_ledger_stands_at_its_pair() -> None:
    """Where captures are there, the interfaces on the way are listed with what was seen."""
    lost = hop_samples.sightings(("n1", "n3"), "overlay", 2)
    hops = hop_samples.captures(lost)
    said = words(parsed(page(judged(hop_samples.with_hops(healthy(), hops)), exit_code=1)))
    assert "Where the probes were seen" in said
    assert "n1 eth0 request out 20 of 20" in said
    assert "n3 eth0 request in 0 of 20, 20 no more" in said


@pytest.mark.parametrize("count", [9, 61, 200])
def test_larger_clusters_are_summed_up(count: int) -> None:
    """More nodes than fit beside each other, and more than fit into a map."""
    text = page(crowd(count), exit_code=1)
    assert_tame(text)
    assert len(text) < 1 << 20
    assert ("tiles" in text.split("</style>")[1]) == (count > 60)


def test_nothing_measured_is_a_page_too() -> None:
    """A node that did not answer is named with its reason, and nothing is called healthy."""
    text = page(hostile(), exit_code=3)
    assert "not-reached" in words(parsed(text))


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text())
def test_any_text_stays_text(inside: str, attribute: str) -> None:
    """Element content and attribute values come back as they went in, but for control characters."""
    made = tag("p", inside, title=attribute).text
    root = html5lib.parseFragment(made, treebuilder="etree")
    assert [e.tag for e in root.iter()][1:] == [f"{SPACE}p"]
    paragraph = next(root.iter(f"{SPACE}p"))
    plain = html5lib.parseFragment(f"<p>{escape(inside)}</p>", treebuilder="etree")
    assert paragraph.text == next(plain.iter(f"{SPACE}p")).text
    assert set(paragraph.attrib) == {"title"}


def test_only_markup_is_markup() -> None:
    """A string is text wherever it stands; what we made is not escaped twice."""
    assert tag("b", "<i>").text == "<b>&lt;i&gt;</b>"
    assert join("a", None, [Markup("<br>"), "<"]).text == "a<br>&lt;"
    assert tag("a", "x", href="#y", class_="z", hidden=False, open=True).text == (
        '<a href="#y" class="z" open>x</a>'
    )
