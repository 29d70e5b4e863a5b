"""JSON and YAML text of the report document."""

from __future__ import annotations

import json
import re
from typing import Any

NUMBER = re.compile(
    r"[-+]?(?:(?:[\d_]+\.?[\d_]*|\.[\d_]+)(?:[eE][-+]?[\d_]+)?|0?[box][\da-fA-F_]+)$", re.ASCII
)
"""What any reader of YAML takes for a number, 1.1 or 1.2: the ID of a run may look like one."""


def to_json(document: dict[str, Any]) -> str:
    """Indented JSON, ASCII only, with a final newline."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def to_yaml(document: dict[str, Any]) -> str:
    """YAML of the same document, the same to readers of YAML 1.1 and 1.2."""
    import yaml  # noqa: PLC0415  # comes with the kubernetes client, and costs 20 ms

    class Quoting(yaml.SafeDumper):
        """Quotes what any reader would take for a number."""

    Quoting.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, list("-+.0123456789"))
    text: str = yaml.dump(document, Dumper=Quoting, sort_keys=False, allow_unicode=False, width=100)
    return text
