"""All checks: importing this package's modules registers them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache

from kubectl_netdoctor import checks
from kubectl_netdoctor.checks.base import CHECKS, Check

RETIRED: dict[str, str] = {}
"""IDs that are no longer checked, with the release that dropped them; never used again."""


@cache
def catalogue() -> dict[str, Check]:
    """Every check by ID, in the order of IDs."""
    for module in pkgutil.iter_modules(checks.__path__):
        importlib.import_module(f"{checks.__name__}.{module.name}")
    return dict(sorted(CHECKS.items()))


def select(wanted: Iterable[str] = (), ignored: Iterable[str] = ()) -> dict[str, Check]:
    """The checks whose ID starts with one of `wanted` (none: all) and with none of `ignored`."""
    keep, drop = tuple(wanted), tuple(ignored)
    return {
        i: c
        for i, c in catalogue().items()
        if (not keep or i.startswith(keep)) and not (drop and i.startswith(drop))
    }


def unknown(prefixes: Iterable[str]) -> list[str]:
    """The prefixes that fit no check."""
    return [p for p in prefixes if not any(i.startswith(p) for i in catalogue())]
