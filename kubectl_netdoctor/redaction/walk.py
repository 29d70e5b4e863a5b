"""Every string of a snapshot, with the place where it stands; new facts are walked like old ones."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

Change = Callable[[type, str, str], str]
"""Class, field and string to the string that shall stand there."""


def walk(value: T, change: Change) -> T:
    """The value with its strings changed. Words of a closed list (Literal, enums) stay."""
    return typing.cast("T", _walk(value, type(value), "", change))


def _walk(value: Any, owner: type, name: str, change: Change) -> Any:
    if isinstance(value, Enum) or value is None:
        return value
    if isinstance(value, str):
        return change(owner, name, value)
    if isinstance(value, tuple):
        return tuple(_walk(v, owner, name, change) for v in value)
    if isinstance(value, dict):
        return {
            change(owner, f"{name}.keys", k): _walk(v, owner, name, change)
            for k, v in value.items()
        }
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _walk_fields(value, change)
    return value


def _walk_fields(value: Any, change: Change) -> Any:
    cls: type = type(value)
    new = {}
    for name in _open_fields(cls):
        was = getattr(value, name)
        now = _walk(was, cls, name, change)
        if now is not was:
            new[name] = now
    return dataclasses.replace(value, **new) if new else value


@cache
def _open_fields(cls: Any) -> tuple[str, ...]:
    """Fields that can hold a string of no closed list."""
    hints = typing.get_type_hints(cls)
    return tuple(f.name for f in dataclasses.fields(cls) if not _closed(hints[f.name]))


def _closed(hint: Any) -> bool:
    if typing.get_origin(hint) is typing.Literal or hint in (int, float, bool, type(None)):
        return True
    parts = [a for a in typing.get_args(hint) if a is not Ellipsis]
    if typing.get_origin(hint) is dict:
        return False
    return bool(parts) and all(_closed(p) for p in parts)
