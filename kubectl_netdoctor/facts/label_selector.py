"""Label selectors as the API defines them, and what they select.

Source: Kubernetes documentation, Labels and Selectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def selects(selector: object, labels: Mapping[str, str]) -> bool:
    """Whether a selector takes these labels; an empty one takes all, one of no known form none."""
    if not isinstance(selector, dict):
        return False
    exact = selector.get("matchLabels") or {}
    rules = selector.get("matchExpressions") or []
    if not isinstance(exact, dict) or not isinstance(rules, list):
        return False
    return all(labels.get(k) == v for k, v in exact.items()) and all(
        _holds(rule, labels) for rule in rules
    )


def _holds(rule: Any, labels: Mapping[str, str]) -> bool:
    if not isinstance(rule, dict):
        return False
    value, wanted = labels.get(str(rule.get("key"))), rule.get("values") or ()
    match rule.get("operator"):
        case "In":
            return value is not None and value in wanted
        case "NotIn":
            return value is None or value not in wanted
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False


def keys(selector: object) -> frozenset[str]:
    """The labels that a selector looks at."""
    if not isinstance(selector, dict):
        return frozenset()
    exact, rules = selector.get("matchLabels"), selector.get("matchExpressions")
    named = list(exact) if isinstance(exact, dict) else []
    if isinstance(rules, list):
        named += [r["key"] for r in rules if isinstance(r, dict) and isinstance(r.get("key"), str)]
    return frozenset(named)
