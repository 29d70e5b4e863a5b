"""What one scenario is: a fault, a witness that it is in force, and what a good report says of it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.lab import Lab

FOLDER = Path(__file__).parent / "scenarios"
Inject = Callable[[Lab], AbstractContextManager[None]]
Witness = Callable[[Lab], str]
"""An empty text once the fault is in force, else what is still missing; never our own probes."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What a good report says of one fault.

    `ids`: the check's ID; several where the taxonomy has more than one right name. `nodes`: must all
    be among the subjects. `place` and `fix`: regular expressions that the scope (with title and
    evidence) and the fix (with its commands) must match.
    """

    ids: tuple[str, ...]
    nodes: tuple[str, ...] = ()
    place: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario; without causes it is a quiet case."""

    name: str
    inject: Inject
    witness: Witness
    causes: tuple[Cause, ...] = ()
    scan: tuple[str, ...] = ("--all-nodes",)
    settle: float = 0.0  # seconds that the fault must have lasted: age gates
    unreached: tuple[str, ...] = ()  # nodes that cannot answer

    @property
    def quiet(self) -> bool:
        """Whether nothing of medium or above may be reported."""
        return not self.causes

    def answers_to(self, text: str) -> bool:
        """Whether the name contains the text, or a cause has it as its ID."""
        return text in self.name or any(text in cause.ids for cause in self.causes)


def all_scenarios(*, without: str | None = None) -> Mapping[str, Scenario]:
    """Every scenario by its name, in the order of their names; `without` those of one module."""
    found: dict[str, Scenario] = {}
    for module in _modules(without):
        for scenario in importlib.import_module(module).SCENARIOS:
            if scenario.name in found:
                message = f"{module}: a second scenario is called {scenario.name}"
                raise ValueError(message)
            found[scenario.name] = scenario
    return dict(sorted(found.items()))


def _modules(without: str | None) -> Iterator[str]:
    names = (f"tests.faults.scenarios.{m.name}" for m in pkgutil.iter_modules([str(FOLDER)]))
    return (name for name in names if name != without)
