"""The HTML report in a real browser: it loads nothing, runs nothing foreign, and can be used.

NETDOCTOR_SCREENSHOTS=DIR keeps pictures of it: desktop, dark, phone and paper.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import axe_core_python
import pytest

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.report.html.page import page as render
from tests.browser.chromium import Page
from tests.unit.recorded import judged, recorded
from tests.unit.report.crowds import LONG, crowd
from tests.unit.report.hostile import hostile

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
OPEN_ALL = "document.querySelectorAll('details').forEach(part => part.open = true)"
FAULT = "vxlan_port_blocked"


def shown(page: Page, file: Path, diagnosis: Diagnosis) -> None:
    """Write the report and open it."""
    file.write_text(render(diagnosis, exit_code=1), encoding="utf-8")
    page.open(file)


def reports() -> list[object]:
    """Small, healthy, hostile, long names, a large map, and tiles."""
    return [
        pytest.param(judged(recorded(FAULT)), id="fault"),
        pytest.param(judged(recorded("healthy")), id="healthy"),
        pytest.param(hostile(FAULT), id="hostile"),
        pytest.param(crowd(8, called=LONG), id="names"),
        pytest.param(crowd(12), id="map"),
        pytest.param(crowd(61), id="tiles"),
    ]


@pytest.mark.parametrize("diagnosis", reports())
def test_nothing_is_loaded_and_nothing_foreign_runs(
    page: Page, report: Path, diagnosis: Diagnosis
) -> None:
    """One request, for the file itself; no dialog, no violation of the policy, no exception."""
    shown(page, report, diagnosis)
    page.run(OPEN_ALL)
    assert page.requests() == [report.as_uri()]
    assert page.complaints() == []
    assert page.run("document.scripts.length") == 1


def test_the_policy_is_in_force(page: Page, report: Path) -> None:
    """What the tests above rely on: a script that gets into the page does not run."""
    text = render(judged(recorded(FAULT)), exit_code=1)
    report.write_text(
        text.replace("</h1>", "</h1><script>window.ran = 1</script><img src=x onerror='ran=2'>")
    )
    page.open(report)
    assert page.run("window.ran === undefined")
    assert len(page.complaints()) >= 2


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False)])
@pytest.mark.parametrize("diagnosis", reports())
def test_axe_finds_no_violation(
    page: Page, report: Path, diagnosis: Diagnosis, width: int, *, dark: bool
) -> None:
    """Contrast, names, structure, keyboard: with everything unfolded."""
    page.size(width, 900)
    page.media(dark=dark)
    shown(page, report, diagnosis)
    page.run(OPEN_ALL)
    page.run(f"{AXE}; 0")
    script = "axe.run().then(r => r.violations.map(v => [v.id, v.nodes[0].html.slice(0, 200)]))"
    assert page.run(script) == []


@pytest.mark.parametrize("width", [320, 800])
@pytest.mark.parametrize("diagnosis", reports())
def test_it_fits_a_phone(page: Page, report: Path, diagnosis: Diagnosis, width: int) -> None:
    """The page never scrolls sideways; wide tables do so in their own frame."""
    page.size(width, 800, phone=True)
    shown(page, report, diagnosis)
    page.run(OPEN_ALL)
    assert page.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "kind"), [(1280, "screen"), (794, "print")])
def test_maps_of_long_names_are_seen_whole(page: Page, report: Path, width: int, kind: str) -> None:
    """On paper too, where nothing scrolls and one map would be printed over the next."""
    page.size(width, 900)
    page.media(kind=kind)
    shown(page, report, crowd(8, called=LONG))
    frames = "[...document.querySelectorAll('.maps .scroll')]"
    assert page.run(f"{frames}.length") == 6
    assert page.run(f"{frames}.every(map => map.scrollWidth <= map.clientWidth)")


def test_tables_can_be_read_on_a_phone(page: Page, report: Path) -> None:
    """Values beside their names, and the reason of a check that did not run, without scrolling."""
    page.size(390, 800, phone=True)
    shown(page, report, judged(recorded(FAULT)))
    cut = "[...document.querySelectorAll('{} td')].filter(e => e.getBoundingClientRect().right > 390).length"
    for table in (".facts", ".ledger"):
        assert page.run(cut.format(table)) == 0


def test_why_a_row_ranks_there_opens_by_keyboard(page: Page, report: Path) -> None:
    """It is folded until asked for."""
    shown(page, report, judged(recorded(FAULT)))
    seen = "document.querySelector('.why .sides').checkVisibility()"
    assert page.run(seen) is False
    page.run("document.querySelector('.why summary').focus()")
    press_enter(page)
    assert until(page, seen)


def test_a_thousand_nodes_open_whole(page: Page, report: Path) -> None:
    """A tile for each on both layers, the last part included, in a file that can be attached.

    How long it takes: `python -m tests.bench html`.
    """
    diagnosis = crowd(1000)
    shown(page, report, diagnosis)
    tiles = "[...document.querySelectorAll('.tiles')].map(list => [...list.children].map({}))"
    names = [node.name for node in diagnosis.snapshot.nodes]
    assert page.run(tiles.format("tile => tile.title.split(':')[0]")) == [names, names]
    assert page.run(tiles.format("tile => tile.getClientRects().length")) == [[1] * 1000] * 2
    checks = {cell.check.id for cell in diagnosis.coverage}
    assert page.run("document.querySelectorAll('#coverage tbody tr').length") == len(checks)
    assert page.complaints() == []
    assert report.stat().st_size < 2_000_000


def test_a_number_of_the_map_opens_its_pair(page: Page, report: Path) -> None:
    """By keyboard too: the details open and get the focus."""
    shown(page, report, judged(recorded(FAULT)))
    page.run("document.querySelector('#paths td a').focus()")
    press_enter(page)
    assert until(page, "document.activeElement.matches('details.pair[open] > summary')")
    assert page.run("document.activeElement.innerText").startswith("n1 → n2 underlay")


def test_a_command_is_copied(page: Page, report: Path) -> None:
    """The button says so, also to those who do not see it."""
    shown(page, report, judged(recorded(FAULT)))
    assert page.run("[...document.querySelectorAll('button')].every(b => !b.hidden)")
    page.run(
        "window.copied = null;"
        "Object.defineProperty(navigator, 'clipboard',"
        " {value: {writeText: async text => { window.copied = text; }}}); 0"
    )
    page.run("document.querySelector('.commands button').click()")
    assert until(page, "document.getElementById('said').textContent === 'Copied'")
    assert page.run("window.copied").startswith("iptables-nft -t filter -D INPUT")


def test_paper_shows_what_is_folded(page: Page, report: Path) -> None:
    """Printing unfolds the findings' symptoms and cases, and folds them again."""
    shown(page, report, judged(recorded(FAULT)))
    open_ = "[...document.querySelectorAll('.explains, .why')].map(part => part.open)"
    assert page.run(open_) == [False] * 5
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run(open_) == [True] * 5
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run(open_) == [False] * 5
    assert page.paper().startswith(b"%PDF")


def test_it_can_be_read_without_scripts(page: Page, report: Path) -> None:
    """Everything is there; only the buttons are not."""
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    report.write_text(render(judged(recorded(FAULT)), exit_code=1), encoding="utf-8")
    page.open(report, scripts=False)
    assert page.run("document.querySelector('.commands button').hidden")
    assert page.run("document.querySelectorAll('.finding').length") == 1


def test_pictures(page: Page, report: Path, tmp_path: Path) -> None:
    """It is drawn at every width; NETDOCTOR_SCREENSHOTS keeps the pictures for people."""
    folder = Path(os.environ.get("NETDOCTOR_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    for name, width, dark, kind in (
        ("desktop", 1280, False, "screen"),
        ("dark", 1280, True, "screen"),
        ("phone", 390, False, "screen"),
        ("paper", 794, False, "print"),
    ):
        page.size(width, 900, phone=name == "phone")
        page.media(dark=dark, kind=kind)
        shown(page, report, judged(recorded(FAULT)))
        picture = folder / f"report-{name}.png"
        page.picture(picture)
        assert picture.read_bytes().startswith(b"\x89PNG")


def press_enter(page: Page) -> None:
    """Where the focus is."""
    for kind in ("rawKeyDown", "char", "keyUp"):
        page.call(
            "Input.dispatchKeyEvent", type=kind, key="Enter", text="\r", windowsVirtualKeyCode=13
        )


def until(page: Page, condition: str) -> bool:
    """Whether it comes true within two seconds."""
    end = time.monotonic() + 2
    while time.monotonic() < end:
        if page.run(condition):
            return True
        time.sleep(0.02)
    return False
