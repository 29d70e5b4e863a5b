"""NODE-11."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.system import Kernel
from tests.unit.recorded import change_node, findings, healthy, outcomes, sysctl


def test_the_odd_one_out_is_named() -> None:
    """Two of three have one value, n3 has another."""
    (found,) = findings("NODE-11", sysctl(healthy(), "n3", "net.core.somaxconn", "128"))
    assert found.nodes == {"n3"}
    assert found.evidence[0].text.startswith("net.core.somaxconn = 128, most nodes have")


def test_equal_nodes_are_silent() -> None:
    """No drift, no advice."""
    assert findings("NODE-11", healthy()) == []


def test_no_majority_no_claim() -> None:
    """Three nodes with three values: nobody is the odd one."""
    mixed = sysctl(
        sysctl(healthy(), "n2", "net.core.somaxconn", "1"), "n3", "net.core.somaxconn", "2"
    )
    assert findings("NODE-11", mixed) == []


def test_values_derived_from_memory_are_compared_among_equals() -> None:
    """A node with more memory has a higher file-max by itself."""
    bigger = change_node(
        sysctl(healthy(), "n3", "fs.file-max", "1234567"), "n3", Kernel,
        lambda k: dataclasses.replace(k, memory_bytes=k.memory_bytes * 4),
    )  # fmt: skip
    assert findings("NODE-11", bigger) == []


def test_two_nodes_have_no_majority() -> None:
    """It does not run at all on fewer than three."""
    two = dataclasses.replace(healthy(), nodes=healthy().nodes[:2])
    assert outcomes("NODE-11", two) == {"Skipped"}
