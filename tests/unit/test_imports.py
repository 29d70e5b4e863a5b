"""What importing costs, and that no layer reaches where it must not."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("kubernetes", "scapy", "dns", "pyroute2", "tabulate", "yaml", "urllib3")


def loaded_after(statement: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    """--help and completion load click and nothing that costs."""
    assert loaded_after("import kubectl_netdoctor.cli.completion").isdisjoint(HEAVY)


def test_the_agent_never_loads_the_kubernetes_client() -> None:
    """A privileged container holds no cluster credentials and no client to use them."""
    assert "kubernetes" not in loaded_after("import kubectl_netdoctor.agent.__main__")


@pytest.mark.parametrize(
    "module", ["checks.catalogue", "analysis.diagnosis", "cluster.run", "cli.show"]
)
def test_scapy_stays_on_the_node(module: str) -> None:
    """Scapy is GPL-2.0: nothing of the command line imports it."""
    assert {"scapy", "dns"}.isdisjoint(loaded_after(f"import kubectl_netdoctor.{module}"))
