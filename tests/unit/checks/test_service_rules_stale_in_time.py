"""SVC-02: a rollout, a node or a kube-proxy that just started is no fault."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest

from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.cluster import Nodes, Pods
from kubectl_netdoctor.facts.service_changes import ServiceChanges
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.checks.service_samples import (
    READY,
    RIGHT,
    STALE,
    on_n3,
    settled,
    shop,
    why_skipped,
    with_rules,
    without_rules,
)
from tests.unit.recorded import (
    change_cluster,
    change_items,
    healthy,
)


def seconds_before(snapshot: Snapshot, seconds: int) -> str:
    """A time so long before the run."""
    started = datetime.fromisoformat(snapshot.run.started)
    return (started - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(("seconds", "fires"), [(-2, False), (5, False), (59, False), (61, True)])
def test_a_rollout_is_silent_for_a_minute(seconds: int, fires: bool) -> None:
    """What was written just before the run, or during it, may not be programmed yet."""
    base = shop(READY)
    rolling = with_rules(settled(base, seconds_before(base, seconds)), STALE)
    assert bool(on_n3(rolling)) is fires
    if not fires:
        assert "less than a minute ago" in why_skipped(rolling)


def test_unknown_times_prove_nothing() -> None:
    """Behind a proxy that drops managedFields, or in a snapshot of an older version."""
    assert on_n3(with_rules(settled(shop(READY), None), STALE)) == []
    older = shop(READY)
    rest = {k: v for k, v in older.cluster.items() if k != KEYS[ServiceChanges]}
    assert "not known" in why_skipped(
        with_rules(dataclasses.replace(settled(older), cluster=rest), STALE)
    )


def test_rules_that_came_inside_the_window_are_silent() -> None:
    """kube-proxy is at work on this Service."""
    quiet_now = with_rules(settled(shop(READY)), STALE, moved=None)
    assert on_n3(quiet_now) == []


def test_a_service_made_meanwhile_is_no_deleted_one() -> None:
    """It came after the inventory was read: the second reading knows it."""
    assert on_n3(with_rules(settled(healthy(), there=True), RIGHT)) == []


def test_one_rollout_does_not_hide_another_services_fault() -> None:
    """Only the Service that changes is left out."""
    base = shop(READY)
    both = with_rules(settled(base, seconds_before(base, 1)), STALE)
    (found,) = on_n3(without_rules(both, "kube-system/kube-dns:dns cluster IP"))
    assert "shop/web" not in " ".join(e.text for e in found.evidence)


def test_a_node_or_a_kube_proxy_that_just_started_is_silent() -> None:
    """The first full sync takes its time."""
    stale = with_rules(settled(shop(READY)), STALE)
    young = change_cluster(
        stale, Pods,
        change_items(Pods, lambda p: dataclasses.replace(p, created=stale.run.started)),
    )  # fmt: skip
    assert "started less than a minute ago" in why_skipped(young)

    def back(machine: Any) -> Any:
        since = tuple(dataclasses.replace(c, since=stale.run.started) for c in machine.conditions)
        return dataclasses.replace(machine, conditions=since)

    booted = change_cluster(stale, Nodes, change_items(Nodes, back))
    assert "started less than a minute ago" in why_skipped(booted)


# -- other proxies ----------------------------------------------------------------------------------
