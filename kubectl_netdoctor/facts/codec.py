"""Frozen dataclasses to JSON values and back, strictly: a wrong type is an error with its path.

Foreign input ends here. Unknown keys are refused, so that nothing is half-read.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from kubectl_netdoctor.facts.base import Missing, Reason

T = TypeVar("T")

MISSING_KEY = "missing"
MAX_VALUES = 12_000_000  # of one document; a scan of 1,000 nodes has 8.5 million
MAX_NUMBER = 1 << 64  # the kernel's counters end there


class DecodeError(ValueError):
    """The input is not what the schema says; the message names the place."""


def encode(value: object) -> Any:
    """JSON value of a dataclass, tuple, mapping or scalar. Raises TypeError on anything else."""
    if isinstance(value, Missing):
        return {MISSING_KEY: value.reason.value, "detail": value.detail}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [encode(v) for v in value]
    if isinstance(value, dict):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, str | int | float | bool):
        return value
    msg = f"{type(value).__name__} has no wire form"
    raise TypeError(msg)


def decode(cls: type[T], data: object, path: str = "$") -> T:
    """Read a JSON value as `cls`. Raises DecodeError."""
    return typing.cast("T", _decode(cls, data, path))


def loads(text: str | bytes) -> Any:
    """json.loads without NaN, Infinity and twice the same key; bad text is a DecodeError.

    A few bytes of JSON become a hundred of memory: the number of values is bounded before.
    """
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if data.count(b",") + data.count(b"[") + data.count(b"{") > MAX_VALUES:
        msg = f"more than {MAX_VALUES} values"
        raise DecodeError(msg)
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as exc:
        msg = f"not JSON{_why(exc)}"
        raise DecodeError(msg) from exc


def refuse_unknown(data: Mapping[str, object], known: Collection[str], path: str) -> None:
    """Raise DecodeError for a key that this version does not know: nothing is half-read."""
    if unknown := sorted(str(k) for k in data if k not in known):
        msg = f"{path}: unknown field {unknown[0]!r:.60}"
        raise DecodeError(msg)


def dumps(value: object) -> str:
    """Compact JSON text with sorted keys, so that equal values have equal text."""
    return json.dumps(
        encode(value), sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True
    )


def _why(error: Exception) -> str:
    """What is wrong with a text, in words that are not Python's own."""
    match error:
        case json.JSONDecodeError():
            return f", from line {error.lineno}, column {error.colno} on"
        case UnicodeDecodeError():
            return f": byte {error.start} is no {error.encoding.upper()}"
        case RecursionError():
            return ": nested too deeply"
        case _:
            return f": {error}"


def _no_constant(name: str) -> object:
    msg = f"{name} is no number"
    raise ValueError(msg)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        msg = "one key stands twice in an object"
        raise ValueError(msg)
    return table


@cache
def _fields(cls: type) -> tuple[dict[str, Any], frozenset[str]]:
    """Type of each field, and the names of those without a default."""
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)
    needed = frozenset(
        f.name
        for f in fields
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    )
    return {f.name: hints[f.name] for f in fields}, needed


def _wrong(path: str, wanted: str, data: object) -> DecodeError:
    return DecodeError(f"{path}: expected {wanted}, got {type(data).__name__}")


def _decode(hint: Any, data: object, path: str) -> object:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _decode_union(typing.get_args(hint), data, path)
    if origin is tuple:
        return _decode_tuple(typing.get_args(hint), data, path)
    if origin is dict:
        if not isinstance(data, dict):
            raise _wrong(path, "an object", data)
        inner = typing.get_args(hint)[1]
        return {str(k): _decode(inner, v, f"{path}.{k}") for k, v in data.items()}
    if origin is typing.Literal:
        if data not in typing.get_args(hint):
            msg = f"{path}: {data!r:.60} is none of {', '.join(map(str, typing.get_args(hint)))}"
            raise DecodeError(msg)
        return data
    if hint is Missing:
        return _decode_missing(data, path)
    if dataclasses.is_dataclass(hint):
        return _decode_dataclass(typing.cast("type", hint), data, path)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        if data not in [member.value for member in hint]:
            msg = f"{path}: {data!r:.60} is no {hint.__name__}"
            raise DecodeError(msg)
        return hint(str(data))
    return _decode_scalar(hint, data, path)


def _decode_scalar(hint: Any, data: object, path: str) -> object:
    if hint is float and isinstance(data, int | float) and not isinstance(data, bool):
        try:
            number = float(data)
        except OverflowError as exc:
            msg = f"{path}: number out of range"
            raise DecodeError(msg) from exc
        if math.isfinite(number):
            return number
        raise _wrong(path, "a finite number", data)
    if hint is int and isinstance(data, int) and not isinstance(data, bool):
        if abs(data) < MAX_NUMBER:
            return data
        msg = f"{path}: number out of range"
        raise DecodeError(msg)
    if (hint is str and isinstance(data, str)) or (hint is bool and isinstance(data, bool)):
        return data
    if hint is types.NoneType and data is None:
        return None
    raise _wrong(path, getattr(hint, "__name__", str(hint)), data)


def _decode_union(hints: tuple[Any, ...], data: object, path: str) -> object:
    if data is None and types.NoneType in hints:
        return None
    is_missing = isinstance(data, dict) and MISSING_KEY in data
    if Missing in hints and is_missing:
        return _decode_missing(data, path)
    rest = [h for h in hints if h is not Missing and h is not types.NoneType]
    if len(rest) != 1:
        msg = f"{path}: {data!r:.60} does not fit"
        raise DecodeError(msg)
    return _decode(rest[0], data, path)


def _decode_tuple(hints: tuple[Any, ...], data: object, path: str) -> object:
    if not isinstance(data, list):
        raise _wrong(path, "a list", data)
    if len(hints) == 2 and hints[1] is Ellipsis:
        return tuple(_decode(hints[0], v, f"{path}[{i}]") for i, v in enumerate(data))
    if len(hints) != len(data):
        msg = f"{path}: expected {len(hints)} items, got {len(data)}"
        raise DecodeError(msg)
    return tuple(
        _decode(h, v, f"{path}[{i}]") for i, (h, v) in enumerate(zip(hints, data, strict=True))
    )


def _decode_missing(data: object, path: str) -> Missing:
    if not isinstance(data, dict) or data.keys() != {MISSING_KEY, "detail"}:
        raise _wrong(path, "a missing fact", data)
    reason = _decode(Reason, data[MISSING_KEY], f"{path}.{MISSING_KEY}")
    detail = _decode(str, data["detail"], f"{path}.detail")
    return Missing(Reason(str(reason)), str(detail))


def _decode_dataclass(cls: type, data: object, path: str) -> object:
    if not isinstance(data, dict):
        raise _wrong(path, f"an object ({cls.__name__})", data)
    hints, needed = _fields(cls)
    refuse_unknown(data, hints, path)
    if absent := sorted(needed - data.keys()):
        msg = f"{path}: field {absent[0]!r} is not there"
        raise DecodeError(msg)
    build = typing.cast("Callable[..., object]", cls)
    return build(**{k: _decode(hints[k], v, f"{path}.{k}") for k, v in data.items()})
