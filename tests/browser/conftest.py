"""A Chromium for the tests of the HTML report: the machine's own, or Debian's, installed here."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Browser, Page, browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-dejavu-core")


def found() -> str | None:
    """Where Chromium is."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> None:
    """Install Debian's packages, where this process may."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        subprocess.run(["apt-get", *words], env=quiet, check=True, capture_output=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A running browser; without one the tests are skipped, but not in CI."""
    if not found():
        install()
    path = found()
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
