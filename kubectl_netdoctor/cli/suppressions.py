"""Reads the file of --suppressions: strictly, since a wrong entry would hide a fault or nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import yaml

from kubectl_netdoctor.analysis.suppression import Suppression
from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.cli.whole_file import read_bounded
from kubectl_netdoctor.errors import BadInput
from kubectl_netdoctor.redaction.secrets import without_secrets

MAX_BYTES = 1 << 20
FIELDS = ("id", "reason", "expires", "nodes", "subjects")
HINT = (
    "write: suppressions: [{id: CT-06, reason: why, expires: 2027-01-31, nodes: [n1], "
    "subjects: [Service/*]}]"
)


def read_suppressions(file: str) -> tuple[Suppression, ...]:
    """All entries. Raises BadInput with the number of the one that is wrong."""
    data = read_bounded(file, MAX_BYTES)
    try:
        content = yaml.load(data, Loader=_Strict)  # noqa: S506  # a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        why = " ".join(str(exc).split())[:200] or type(exc).__name__
        raise BadInput(f"{file}: not YAML: {why}", hint=HINT) from exc
    if not isinstance(content, dict) or content.keys() != {"suppressions"}:
        raise BadInput(f"{file}: expected one key, suppressions", hint=HINT)
    entries = content["suppressions"] or []
    if not isinstance(entries, list):
        raise BadInput(f"{file}: suppressions is no list", hint=HINT)
    return tuple(_entry(e, f"{file}: entry {number}") for number, e in enumerate(entries, 1))


class _Strict(yaml.SafeLoader):
    """Without aliases, which make a very large text of a short one; and every key once."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise ValueError("aliases are not read here")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    line = key.start_mark.line + 1
                    raise ValueError(f"line {line} has the key {key.value!r:.40} a second time")
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _entry(data: object, where: str) -> Suppression:
    if not isinstance(data, dict):
        raise BadInput(f"{where} is no mapping", hint=HINT)
    if strange := [str(k) for k in data if k not in FIELDS]:
        raise BadInput(f"{where}: unknown field {strange[0]!r:.40}", hint=HINT)
    check, reason = data.get("id"), data.get("reason")
    if not isinstance(check, str) or check not in catalogue():
        hint = "kubectl netdoctor checks lists them"
        raise BadInput(f"{where}: {check!r:.40} is the ID of no check", hint=hint)
    if not isinstance(reason, str) or not reason.strip():
        raise BadInput(f"{where} ({check}) gives no reason", hint=HINT)
    return Suppression(
        check,
        without_secrets(" ".join(reason.split())),
        _day(data.get("expires"), f"{where} ({check})"),
        _patterns(data.get("nodes"), f"{where} ({check}): nodes"),
        _patterns(data.get("subjects"), f"{where} ({check}): subjects"),
    )


def _day(value: object, where: str) -> date | None:
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise BadInput(f"{where}: {value!r:.40} is no day: write 2027-01-31", hint=HINT) from None


def _patterns(value: object, where: str) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if values is None:
        return ()
    if not isinstance(values, list) or not values or not all(isinstance(v, str) for v in values):
        raise BadInput(f"{where} is no list of names", hint=HINT)
    return tuple(values)
