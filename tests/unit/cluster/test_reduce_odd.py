"""From API JSON to facts: odd objects never break anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.cluster import fields, reduce
from kubectl_netdoctor.cluster.pod_status import read
from kubectl_netdoctor.facts import codec

REDUCERS: list[Callable[[Any], Any]] = [
    reduce.reduce_version,
    reduce.reduce_node,
    reduce.reduce_pod,
    reduce.reduce_service,
    reduce.reduce_endpoint_slice,
    reduce.reduce_daemon_set,
    reduce.reduce_deployment,
    reduce.reduce_config_map,
    reduce.reduce_network_policy,
]


KEYS = st.sampled_from(
    [
        "metadata",
        "spec",
        "status",
        "name",
        "namespace",
        "labels",
        "annotations",
        "items",
        "conditions",
        "type",
        "address",
        "addresses",
        "podCIDRs",
        "taints",
        "key",
        "effect",
        "containers",
        "image",
        "containerStatuses",
        "state",
        "waiting",
        "reason",
        "ports",
        "port",
        "nodePort",
        "targetPort",
        "endpoints",
        "targetRef",
        "kind",
        "ownerReferences",
        "controller",
        "clusterIPs",
        "selector",
        "template",
        "replicas",
        "data",
        "restartCount",
        "terminated",
        "message",
        "exitCode",
    ]
)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


JSON = st.recursive(
    SCALARS | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=30,
)


OBJECTS = st.fixed_dictionaries({}, optional={"metadata": JSON, "spec": JSON, "status": JSON})


@pytest.mark.parametrize("reducer", REDUCERS)
@settings(max_examples=40)
@given(obj=OBJECTS | JSON)
def test_odd_objects(reducer: Callable[[Any], Any], obj: Any) -> None:
    """Whatever arrives, a fact comes out that survives the wire."""
    fact = reducer(obj)

    assert codec.decode(type(fact), codec.loads(codec.dumps(fact))) == fact


@given(obj=OBJECTS | JSON)
def test_odd_pod_status(obj: Any) -> None:
    """The status of a Pod is read without trust either."""
    assert read(obj).phase


@given(st.text())
def test_one_line(text: str) -> None:
    """Foreign words are one line of printable characters."""
    line = fields.one_line(text, 50)
    assert len(line) <= 50
    assert line.isprintable()
