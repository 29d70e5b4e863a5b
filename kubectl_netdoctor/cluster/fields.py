"""Reading one field of an API object: whatever is absent, null or odd becomes the default."""

from __future__ import annotations

from typing import Any


def dig(obj: object, *path: str) -> Any:
    """The value under a path of keys, None where the path ends early."""
    for key in path:
        if not isinstance(obj, dict):
            return None
        obj = obj.get(key)
    return obj


def text(obj: object, *path: str) -> str:
    """A string, empty where there is none."""
    value = dig(obj, *path)
    return value if isinstance(value, str) else ""


def some_text(obj: object, *path: str) -> str | None:
    """A string that is not empty, or None."""
    return text(obj, *path) or None


def number(obj: object, *path: str) -> int:
    """An integer, 0 where there is none: the API leaves zeros out."""
    value = dig(obj, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def some_number(obj: object, *path: str) -> int | None:
    """An integer or None."""
    value = dig(obj, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def flag(obj: object, *path: str) -> bool:
    """Whether the value is true; the API leaves false out."""
    return dig(obj, *path) is True


def some_flag(obj: object, *path: str) -> bool | None:
    """A boolean, or None where the API says neither."""
    value = dig(obj, *path)
    return value if isinstance(value, bool) else None


def objects(obj: object, *path: str) -> list[dict[str, Any]]:
    """The objects of a list; anything else in it is left out."""
    value = dig(obj, *path)
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def texts(obj: object, *path: str) -> tuple[str, ...]:
    """The strings of a list; anything else in it is left out."""
    value = dig(obj, *path)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def text_map(obj: object, *path: str) -> dict[str, str]:
    """The strings of a mapping; anything else in it is left out."""
    value = dig(obj, *path)
    if not isinstance(value, dict):
        return {}
    return {str(k): v for k, v in value.items() if isinstance(v, str)}


def one_line(message: str, limit: int = 400) -> str:
    """Foreign words on one line, without control characters."""
    words = "".join(c if c.isprintable() else " " for c in message).split()
    line = " ".join(words)
    return line if len(line) <= limit else line[: limit - 1] + "…"
