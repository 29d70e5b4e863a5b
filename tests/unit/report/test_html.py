"""The HTML page: valid, self-contained, and deaf to what the cluster says."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.analysis.case import Case, cases
from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.checks.base import Evidence
from kubectl_netdoctor.report.html.labels import labels
from kubectl_netdoctor.report.html.markup import Markup, escape, join, tag
from kubectl_netdoctor.report.html.page import page
from tests.unit.checks import hop_samples
from tests.unit.recorded import FOLDER, healthy, judged, recorded
from tests.unit.report.crowds import LONG, crowd
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
    diagnosis = hostile(name)
    text = page(diagnosis, exit_code=1)
    assert_tame(text)
    assert text.count('class="rank"') == len(diagnosis.findings)
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "<script>alert(1)</script>" in words(parsed(text))


def part(root: ET.Element, case: Case) -> ET.Element:
    """The element of a row, found by its number and ID."""
    (found,) = (
        element
        for element in root.iter()
        if len(element)
        and " ".join("".join(element[0].itertext()).split()[:2]) == f"Row {case.number}"
        and element[0].find(f"{SPACE}code") is not None
        and element[0].findtext(f"{SPACE}code") == case.ranked.finding.id
    )
    return found


def lists(element: ET.Element) -> list[list[str]]:
    """The entries of each list beneath an element."""
    return [
        [" ".join("".join(entry.itertext()).split()) for entry in found]
        for found in element.iter(f"{SPACE}ul")
    ]


def told(seen: Iterable[Evidence]) -> list[str]:
    """Observations as the page words them; never an empty list."""
    texts = [" ".join(f"{e.node or ''} {e.text}".split()) for e in seen]
    return texts or ["nothing that was looked at"]


@pytest.mark.parametrize("name", NAMES)
def test_every_row_has_its_number_and_its_case(name: str) -> None:
    """Folded ones too: why it ranks there, what else speaks for it, and what against it."""
    diagnosis = judged(recorded(name))
    root = parsed(page(diagnosis, exit_code=1))
    for case in cases(diagnosis):
        why = part(root, case).find(f"{SPACE}details[@class='why']")
        assert why is not None
        evidence = case.ranked.finding.evidence
        assert lists(why) == [
            list(case.why), told(case.pro[len(evidence) :]), told(case.contra)
        ]  # fmt: skip


def test_folded_rows_stand_in_the_order_of_their_numbers() -> None:
    """All rows of a report with one cause: its own number first, none left out."""
    diagnosis = judged(recorded("vxlan_port_blocked"))
    root = parsed(page(diagnosis, exit_code=1))
    ranks = [e for e in root.iter(f"{SPACE}span") if e.get("class") == "rank"]
    numbers = ["".join(rank.itertext()) for rank in ranks]
    assert numbers == [f"Row {n}" for n in range(1, len(diagnosis.findings) + 1)]
    assert len(numbers) == 4


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


def test_long_names_leave_room_for_the_numbers() -> None:
    """The eye gets what tells nodes apart, the pointer and everyone else the whole name."""
    root = parsed(page(crowd(3, called=LONG), exit_code=1))
    heat = next(t for t in root.iter(f"{SPACE}table") if t.get("class") == "heat")
    edges = [e for e in heat.iter(f"{SPACE}th") if e.get("title")]
    assert [e.get("title") for e in edges] == [LONG.format(n) for n in range(3)] * 2
    assert [[span.text for span in e] for e in edges] == [
        [f"…{n}", LONG.format(n)] for n in range(3)
    ] * 2


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["n1", "n2"], ["n1", "n2"]),
        (["worker-1", "worker-2"], ["worker-1", "worker-2"]),
        (["kind-control-plane", "kind-worker", "kind-worker2"], ["…control-plane", "…worker", "…worker2"]),
        (["a.example.internal", "b.example.internal"], ["a", "b"]),
        (["long-name-of-a-node", "long-name-of-a-node-2"], ["…node", "…node-2"]),
        (["the-only-node-there-is"], ["the-only-node-there-is"]),
    ],
)  # fmt: skip
def test_labels_are_what_tells_names_apart(names: list[str], short: list[str]) -> None:
    """Whole words only, and only where names are long."""
    assert list(labels(names).values()) == short


@given(st.sets(st.text("ab.-", max_size=30)))
def test_no_two_nodes_have_the_same_label(names: set[str]) -> None:
    """And none has nothing of its name left."""
    short = labels(sorted(names))
    assert len(set(short.values())) == len(names)
    assert all(label.removeprefix("…") in name for name, label in short.items())


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
