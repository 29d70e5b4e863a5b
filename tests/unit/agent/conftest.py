"""Runs against recorded nodes and against directories that a test fills."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.run import Run
from tests.fixtures.plans import plan
from tests.fixtures.recorded import NODES, RecordedHost

Files = dict[str, str]


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Run]:
    """Make a run on a node that has these files, below its root, and no others."""

    def make(files: Files, **changes: Any) -> Run:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Run(plan(**changes), RecordedHost(tmp_path))

    return make


@pytest.fixture
def here() -> Run:
    """A run on this machine, with an empty plan."""
    return Run(plan(), Host())


@pytest.fixture(params=sorted(path.name for path in NODES.iterdir() if path.is_dir()))
def recorded(request: pytest.FixtureRequest) -> Path:
    """Each recorded node."""
    return NODES / str(request.param)
