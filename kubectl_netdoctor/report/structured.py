"""JSON and YAML text of the report document."""

from __future__ import annotations

import json
from typing import Any


def to_json(document: dict[str, Any]) -> str:
    """Indented JSON, ASCII only, with a final newline."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def to_yaml(document: dict[str, Any]) -> str:
    """YAML of the same document."""
    import yaml  # noqa: PLC0415  # comes with the kubernetes client, and costs 20 ms

    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=False, width=100)
    return text
