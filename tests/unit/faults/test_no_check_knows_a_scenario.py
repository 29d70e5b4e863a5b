"""The package knows nothing of the lab: no address, name or object of it, and no scenario's name."""

from __future__ import annotations

import re
from pathlib import Path

import kubectl_netdoctor
from tests.faults.change import NAMESPACE
from tests.faults.scenario import all_scenarios

LAB = (
    r"\b198\.1[89]\.\d+\.[1-9]",
    r"netlab",
    r"\bsw0\b",
    r"\bNETLAB",
    rf"\"{NAMESPACE}\"",
    r"netdoctor-shop",
)
SOURCES = sorted(Path(kubectl_netdoctor.__file__).parent.rglob("*.py"))


def test_no_source_names_the_lab() -> None:
    """Addresses of RFC 2544's range, which the lab uses, and what else only the lab has."""
    assert len(SOURCES) > 100
    pattern = re.compile("|".join(LAB))
    assert [s.name for s in SOURCES if pattern.search(s.read_text(encoding="utf-8"))] == []


def test_no_source_names_a_scenario() -> None:
    """A variant's name has a node in it: nothing of that kind is written in the package."""
    names = [n for n in all_scenarios() if "-" in n]
    text = "\n".join(s.read_text(encoding="utf-8") for s in SOURCES)
    assert [n for n in names if n in text] == []
