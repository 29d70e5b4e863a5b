"""Label selectors."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netdoctor.facts.label_selector import keys, selects

LABELS = {"app": "web", "tier": "front"}


def rule(key: str, operator: str, *values: str) -> dict[str, Any]:
    """A selector of one expression."""
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "taken"),
    [
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "web", "tier": "back"}}, False),
        ({"matchLabels": {"other": "x"}}, False),
        (rule("app", "In", "web", "db"), True),
        (rule("other", "In", "x"), False),
        (rule("app", "NotIn", "web"), False),
        (rule("other", "NotIn", "x"), True),
        (rule("app", "Exists"), True),
        (rule("other", "Exists"), False),
        (rule("other", "DoesNotExist"), True),
        (rule("app", "Gt", "1"), False),
        ({"matchExpressions": ["odd"]}, False),
        ({"matchLabels": ["odd"]}, False),
        (None, False),
    ],
)
def test_selects(selector: Any, taken: bool) -> None:
    """All parts must hold; what has no known form takes nothing."""
    assert selects(selector, LABELS) is taken


def test_keys() -> None:
    """Of both forms."""
    assert keys({"matchLabels": {"a": "1"}, **rule("b", "Exists")}) == {"a", "b"}
    assert keys(None) == keys({"matchExpressions": ["odd"]}) == frozenset()
