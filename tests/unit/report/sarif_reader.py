"""SARIF 2.1.0, held against the schema that OASIS publishes with the standard.

The package linceo carries that file unchanged: its digest is that of the published one, so nothing
else about linceo has to be trusted, and none of its code runs.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator

# https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json
PUBLISHED = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
CARRIED = "linceo/data/sarif-schema-2.1.0.json"


@cache
def schema() -> Draft4Validator:
    """The published schema, formats of times and addresses included."""
    text = Path(str(metadata.distribution("linceo").locate_file(CARRIED))).read_bytes()
    assert hashlib.sha256(text).hexdigest() == PUBLISHED
    return Draft4Validator(json.loads(text), format_checker=Draft4Validator.FORMAT_CHECKER)


def complaints(log: Any) -> list[str]:
    """What the schema does not allow: the place, its rule, and what is wrong there."""
    return [f"{e.json_path}: {e.validator}: {e.message}" for e in schema().iter_errors(log)]
