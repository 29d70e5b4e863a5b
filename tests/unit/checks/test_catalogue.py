"""The catalogue tests itself: every check has its page, its name, its test and its facts."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import pytest

from kubectl_netdoctor import agent
from kubectl_netdoctor.analysis.plan import facts_for, sysctls_for
from kubectl_netdoctor.checks.base import ID_FORM, SECTIONS, Check, needs_of
from kubectl_netdoctor.checks.catalogue import RETIRED, catalogue, select, unknown
from kubectl_netdoctor.facts.base import FACTS, Scope

CHECKS = catalogue()
each = pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
HERE = Path(__file__).parent


@each
def test_the_page_is_complete(check: Check) -> None:
    """A title that is one sentence, and all headings with text."""
    assert check.title.endswith(".")
    assert list(check.page) == list(SECTIONS)
    assert all(len(text) > 10 for text in check.page.values())


@each
def test_the_slug_is_the_file_and_the_test(check: Check) -> None:
    """A stranger finds a check and its test by one name."""
    assert check.function.__module__ == f"kubectl_netdoctor.checks.{check.slug}"
    assert (HERE / f"test_{check.slug}.py").is_file()


@each
def test_ids_are_well_formed_and_not_reused(check: Check) -> None:
    """An ID that was retired is never given again."""
    assert ID_FORM.match(check.id)
    assert check.id not in RETIRED


@each
def test_the_signature_is_the_list_of_needs(check: Check) -> None:
    """Needs are read from the annotations, so they cannot disagree with the body."""
    assert check.needs == needs_of(check.function)
    assert check.needs


def test_every_fact_that_a_check_needs_has_a_producer() -> None:
    """The plan asks for keys that the agent collects or probes."""
    folders = [str(Path(agent.__path__[0]) / sub) for sub in ("collectors", "probes")]
    producers = {m.name for m in pkgutil.iter_modules(folders)}
    assert set(facts_for(CHECKS.values())) <= producers


def test_every_node_fact_has_a_producer_of_its_name() -> None:
    """A fact is found by one name in the contract and in the agent."""
    folders = [str(Path(agent.__path__[0]) / sub) for sub in ("collectors", "probes")]
    producers = {m.name for m in pkgutil.iter_modules(folders)}
    assert {k for k, f in FACTS.items() if f.scope is Scope.NODE} <= producers


def test_selection_is_by_prefix() -> None:
    """DNS takes all DNS checks; --ignore wins over --select."""
    assert set(select(["DNS"])) == {i for i in CHECKS if i.startswith("DNS-")}
    assert "DNS-05" not in select(["DNS"], ["DNS-05"])
    assert unknown(["DNS", "XYZ"]) == ["XYZ"]


def test_the_plan_asks_for_the_sysctls_of_the_selected_checks() -> None:
    """A selection narrows what nodes are asked for."""
    assert "net.ipv4.ip_forward" in sysctls_for(select(["RTE-09"]).values())
    assert facts_for(select(["CT-01"]).values()) == ("conntrack", "conntrack_flows")
