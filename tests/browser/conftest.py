"""A Chromium for the tests of the HTML report."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Browser, Page, browser, executable


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A running browser; without one the tests are skipped, but not in CI."""
    path = executable()
    if path is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("there is no Chromium")
    with browser(path) as running:
        yield running


@pytest.fixture
def page(chromium: Browser) -> Page:
    """A fresh page."""
    return chromium.page()


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Where the report is written."""
    return tmp_path / "report.html"
