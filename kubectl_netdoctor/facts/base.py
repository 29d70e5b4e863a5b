"""What a fact is, how its absence is written down, and the catalogue of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

SCHEMA_VERSION = 1
"""Version of every wire form below: envelope, plan and snapshot. Another one is refused by name."""


class Reason(StrEnum):
    """Why a fact is not there."""

    NOT_PRESENT = "not_present"  # the kernel or the cluster does not have it
    DENIED = "denied"  # permission, RBAC or a missing capability
    TIMED_OUT = "timed_out"  # its own deadline passed
    FAILED = "failed"  # the collector broke or its input could not be parsed
    NOT_ASKED = "not_asked"  # the plan did not name it
    NOT_REPORTED = "not_reported"  # the node did not answer, or only its summary arrived


@dataclass(frozen=True, slots=True)
class Missing:
    """The absence of a fact, never to be read as zero, empty or healthy.

    `detail` is one sentence for people.
    """

    reason: Reason
    detail: str


class Scope(StrEnum):
    """Where a fact is true: on one node, or for the whole cluster."""

    NODE = "node"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class FactType:
    """One entry of the catalogue: the wire key, unique and never reused, and its class."""

    key: str
    scope: Scope
    cls: type


FACTS: dict[str, FactType] = {}
KEYS: dict[type, str] = {}

_C = TypeVar("_C", bound=type)


def fact(key: str, *, scope: Scope = Scope.NODE) -> Callable[[_C], _C]:
    """Register a frozen dataclass as a fact under its wire key.

    Raises ValueError when the key is taken.
    """

    def register(cls: _C) -> _C:
        if key in FACTS:
            msg = f"fact key {key!r} is taken by {FACTS[key].cls.__name__}"
            raise ValueError(msg)
        FACTS[key] = FactType(key, scope, cls)
        KEYS[cls] = key
        return cls

    return register
