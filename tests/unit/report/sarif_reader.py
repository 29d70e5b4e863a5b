"""SARIF 2.1.0 as pysarif reads it, strictly: its classes are the schema, one for each object.

pysarif itself passes over what it does not know. Here every property must be one of its fields, of
the field's type; what the schema requires must be there, and null is no value. It has all objects
and properties of the standard's schema, but for two names: `$schema`, and `suppression.status`,
which drafts called `state`.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any

import pysarif

NAMES = {("SarifLog", "schema"): "$schema", ("Suppression", "state"): "status"}


def complaints(log: Any) -> list[str]:
    """What the standard does not allow, with its place."""
    return list(_object(log, pysarif.SarifLog, "$"))


def _value(value: Any, hint: Any, path: str) -> Iterator[str]:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or hint is pysarif.PropertyBag:
        if hint is not Any and not isinstance(value, dict):
            yield f"{path}: no object"
    elif origin is typing.Union:
        (hint,) = (h for h in inner if h is not type(None))
        yield from _value(value, hint, path)
    elif origin is typing.Literal:
        if value not in inner:
            yield f"{path}: {value!r} is none of {inner}"
    elif origin is list:
        if not isinstance(value, list):
            yield f"{path}: no list"
            return
        for number, one in enumerate(value):
            yield from _value(one, inner[0], f"{path}[{number}]")
    elif dataclasses.is_dataclass(hint):
        yield from _object(value, hint, path)
    elif not isinstance(value, (int, float) if hint is float else hint) or (
        isinstance(value, bool) and hint is not bool
    ):
        yield f"{path}: {value!r} is no {hint.__name__}"


def _object(value: Any, cls: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: no object"
        return
    hints = typing.get_type_hints(cls)
    fields = {NAMES.get((cls.__name__, f.name), _camel(f.name)): f for f in dataclasses.fields(cls)}
    yield from (f"{path}.{key}: unknown" for key in value if key not in fields)
    for key, field in fields.items():
        if key in value:
            yield from _value(value[key], hints[field.name], f"{path}.{key}")
        elif field.default is field.default_factory is dataclasses.MISSING:
            yield f"{path}.{key}: missing"


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
