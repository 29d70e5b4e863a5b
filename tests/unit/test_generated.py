"""What is committed is what the generator writes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from kubectl_netdoctor.checks.catalogue import catalogue

ROOT = Path(__file__).parent.parent.parent


def generator() -> ModuleType:
    """docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_fresh() -> None:
    """Pages of the checks, and the generated parts of the README."""
    assert generator().stale() == []


def test_the_generator_notices_a_change() -> None:
    """A README whose table was edited by hand is stale."""
    module = generator()
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert module.readme(text) == text
    assert module.readme(text.replace("| [CT-01]", "| [CT-99]")) == text


def test_the_changelog_names_every_check() -> None:
    """A new check is a line of the changelog."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [i for i in catalogue() if i not in text] == []
