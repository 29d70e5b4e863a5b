"""What a check is and what it says."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeVar

V = TypeVar("V")

SECTIONS = ("Meaning", "Impact", "Diagnosis", "Mitigation", "Source")
ID_FORM = re.compile(r"^[A-Z][A-Z0-9]{1,4}-\d{2}$")


class Inconclusive(Exception):  # an answer, not an error
    """Raised by a check whose facts are there and prove nothing either way; the text says why."""


class Severity(StrEnum):
    """How bad it is; INFO is advice and never ranked with faults."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Confidence(StrEnum):
    """CERTAIN: cannot be otherwise. LIKELY: fits better than anything else. POSSIBLE: a lead."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"

    @property
    def rank(self) -> int:
        """0 for the surest."""
        return list(Confidence).index(self)


class Risk(StrEnum):
    """What applying a fix can do to running traffic."""

    SAFE = "safe"
    DISRUPTIVE = "disruptive"


@dataclass(frozen=True, slots=True)
class Fix:
    """Text and commands to apply by hand; the tool itself never applies anything.

    `run_on`: a shell on each node that the finding names, or wherever kubectl works.
    """

    text: str
    commands: tuple[str, ...] = ()
    risk: Risk = Risk.SAFE
    verify: str | None = None
    rollback: str | None = None
    run_on: Literal["node", "kubectl"] = "node"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about, in the API's own kinds: Node, Pod, Service, Cluster."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation with its numbers; `node` is where it was made, None for the API."""

    text: str
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found.

    A check may leave out id, severity (then its own) and subjects (then the node it ran for):
    the engine fills them in. `paths`: (from, to) node names of the directed pairs on which it was
    seen; empty where it is about the nodes themselves.
    """

    title: str
    evidence: tuple[Evidence, ...]
    fix: Fix
    severity: Severity | None = None
    confidence: Confidence = Confidence.CERTAIN
    subjects: tuple[Subject, ...] = ()
    scope: str = ""
    paths: tuple[tuple[str, str], ...] = ()
    id: str = ""

    @property
    def nodes(self) -> frozenset[str]:
        """Names of the nodes among the subjects."""
        return frozenset(s.name for s in self.subjects if s.kind == "Node")

    @property
    def subjects_text(self) -> str:
        """Subjects in one line."""
        return ",".join(f"{s.kind}/{s.name}" for s in self.subjects)

    @property
    def key(self) -> str:
        """Stable name of this finding within a run."""
        return f"{self.id}@{self.subjects_text}"


def node(name: str) -> Subject:
    """A node as a subject."""
    return Subject("Node", name)


CLUSTER = Subject("Cluster", "cluster")


class PerNode(dict[str, V]):
    """A fact of all nodes that have it, by node name: makes a check see the whole cluster."""


@dataclass(frozen=True, slots=True)
class Need:
    """One annotated parameter of a check: the fact it stands for, and how it is wanted."""

    type: type
    optional: bool
    per_node: bool


Function = Callable[..., Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """One rule. `explains`: IDs of findings that this one causes on the same nodes."""

    id: str
    slug: str
    severity: Severity
    since: str
    function: Function
    needs: Mapping[str, Need]
    sysctls: tuple[str, ...]
    explains: tuple[str, ...]

    @property
    def title(self) -> str:
        """First line of the docstring."""
        return (self.function.__doc__ or "").strip().splitlines()[0]

    @property
    def page(self) -> dict[str, str]:
        """The docstring's sections by their headings."""
        return sections(self.function.__doc__ or "")


CHECKS: dict[str, Check] = {}

_F = TypeVar("_F", bound=Function)


def check(
    check_id: str,
    severity: Severity,
    *,
    since: str,
    sysctls: tuple[str, ...] = (),
    explains: tuple[str, ...] = (),
) -> Callable[[_F], _F]:
    """Register a check under its ID. Its annotated parameters are the facts that it needs."""

    def register(function: _F) -> _F:
        if check_id in CHECKS or not ID_FORM.match(check_id):
            raise ValueError(f"check ID {check_id!r} is taken or malformed")
        CHECKS[check_id] = Check(
            check_id,
            function.__name__,
            severity,
            since,
            function,
            needs_of(function),
            sysctls,
            explains,
        )
        return function

    return register


def needs_of(function: Function) -> dict[str, Need]:
    """Read a check's needs from its signature."""
    hints = typing.get_type_hints(function)
    hints.pop("return", None)
    return {name: _need(hint) for name, hint in hints.items()}


def _need(hint: Any) -> Need:
    args = typing.get_args(hint)
    if type(None) in args:
        inner = _need(next(a for a in args if a is not type(None)))
        return dataclasses.replace(inner, optional=True)
    if typing.get_origin(hint) is PerNode:
        return Need(args[0], optional=False, per_node=True)
    return Need(hint, optional=False, per_node=False)


def sections(docstring: str) -> dict[str, str]:
    """Split a docstring at its fixed headings; text before the first one is the title."""
    found: dict[str, list[str]] = {}
    current: str | None = None
    for raw in docstring.splitlines():
        line = raw.strip()
        head, colon, rest = line.partition(":")
        if colon and head in SECTIONS:
            current = head
            found[current] = [rest.strip()]
        elif current and line:
            found[current].append(line)
    return {k: " ".join(v).strip() for k, v in found.items()}


def evidence(*texts: str) -> tuple[Evidence, ...]:
    """Evidence from plain sentences; the engine adds the node."""
    return tuple(Evidence(text) for text in texts)
