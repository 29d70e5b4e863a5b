"""Snapshots in which every string that a fact can hold is a canary; made by reflection."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any

from kubectl_netdoctor.facts.base import FACTS, Missing, Reason, Scope
from kubectl_netdoctor.facts.envelope import Envelope
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus, RunInfo, Snapshot

Form = Callable[[int], str]


class Canaries:
    """Builds values of any type. `seen`: the canaries that were put in."""

    def __init__(self, form: Form, *, absent: bool) -> None:
        self._form = form
        self._absent = absent
        self.seen: list[str] = []
        self.places: list[str] = []

    def text(self, place: str) -> str:
        """A new canary."""
        self.seen.append(self._form(len(self.seen)))
        self.places.append(place)
        return self.seen[-1]

    def value(self, hint: Any, place: str) -> Any:
        """A value of that type with a canary in every string."""
        origin, inner = typing.get_origin(hint), typing.get_args(hint)
        if hint is Any or hint is str:
            return self.text(place)
        if origin in (typing.Union, types.UnionType):
            if Missing in inner and self._absent:
                return Missing(Reason.FAILED, self.text(place))
            rest = [h for h in inner if h not in (Missing, type(None))]
            return self.value(rest[0] if rest else Missing, place)
        if origin is typing.Literal:
            return inner[0]
        if origin is dict:
            return {self.text(f"{place} key"): self.value(inner[1], place)}
        if origin is tuple:
            kinds = inner[:1] if inner[-1] is Ellipsis else inner
            return tuple(self.value(h, place) for h in kinds)
        if hint is Missing:
            return Missing(Reason.FAILED, self.text(place))
        if dataclasses.is_dataclass(hint):
            return self.filled(typing.cast("type", hint))
        if isinstance(hint, type) and issubclass(hint, Enum):
            return next(iter(hint))
        return {int: 7, float: 7.5, bool: True}[hint]

    def filled(self, cls: type) -> Any:
        """An object of a dataclass."""
        hints = typing.get_type_hints(cls)
        return cls(
            **{
                f.name: self.value(hints[f.name], f"{cls.__name__}.{f.name}")
                for f in dataclasses.fields(cls)
            }
        )

    def facts(self, scope: Scope) -> dict[str, Any]:
        """Every registered fact of a scope."""
        known = [f for f in FACTS.values() if f.scope is scope]
        if self._absent:
            fields = {f.key: f.cls for f in known}
            odd = list(fields)[::2]  # half of them absent as a whole
            return {
                k: Missing(Reason.FAILED, self.text(k)) if k in odd else self.filled(c)
                for k, c in fields.items()
            }
        return {f.key: self.filled(f.cls) for f in known}

    def snapshot(self) -> Snapshot:
        """Two nodes: one that answered, one that did not."""
        run = dataclasses.replace(
            self.filled(RunInfo),
            id="0badcafe",
            started="2026-11-23T19:09:02Z",
            ended="2026-11-23T19:09:09Z",
            tool_version="0.1.0",
            local=False,
        )
        envelope = Envelope(
            schema=1,
            run="0badcafe",
            node=self.text("Envelope.node"),
            agent_version="0.1.0",
            started="2026-11-23T19:09:02Z",
            ended="2026-11-23T19:09:09Z",
            facts=self.facts(Scope.NODE),
            seconds={"conntrack": 0.1},
            log=(self.text("Envelope.log"),),
        )
        reason, digest = self.text("NodeReport.reason"), self.text("NodeReport.image_digest")
        nodes = (
            NodeReport(envelope.node, NodeStatus.ANSWERED, reason, envelope, digest),
            NodeReport(self.text("NodeReport.name"), NodeStatus.FAILED, reason, None, digest),
        )
        return Snapshot(run, nodes, self.facts(Scope.CLUSTER))
