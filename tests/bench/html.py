"""How long a browser takes to open the HTML report, as a ratio to an empty page.

python -m tests.bench html [RUNS]     needs Chromium, no lab

From the order to load the file until everything is drawn. The nodes are recorded ones, many times
over, each with ten peers; every seventh has trouble.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from kubectl_netdoctor.report.html.page import page as render
from tests.bench.ratio import compare
from tests.browser.chromium import browser, executable
from tests.unit.report.crowds import crowd

NODES = (10, 100, 1000)
EMPTY = '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Empty</title></html>'


def main(arguments: list[str]) -> None:
    """Print one line for each number of nodes."""
    runs = int([*arguments, "20"][0])
    chromium = executable()
    if chromium is None:
        message = "there is no Chromium"
        raise SystemExit(message)
    with tempfile.TemporaryDirectory() as folder, browser(chromium) as running:
        page, empty = running.page(), Path(folder) / "empty.html"
        empty.write_text(EMPTY, encoding="utf-8")
        for count in NODES:
            file = Path(folder) / f"{count}.html"
            file.write_text(render(crowd(count), exit_code=1), encoding="utf-8")
            compare(
                f"html, {count} nodes",
                runs,
                lambda _, file=file: page.open(file),  # type: ignore[misc]
                lambda _: page.open(empty),
            )
            print(f"{'':18} {file.stat().st_size / 1000:.0f} kB", flush=True)
