"""nft's JSON to chains: whose table it is, counters, and odd shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netdoctor.agent.absence import Unreadable
from kubectl_netdoctor.agent.collectors import nftables


def document(*objects: dict[str, Any]) -> str:
    """Text as `nft -j` prints it."""
    return json.dumps({"nftables": [{"metainfo": {"json_schema_version": 1}}, *objects]})


def chain(**more: Any) -> dict[str, Any]:
    """A chain object."""
    return {"chain": {"family": "inet", "table": "t", "name": "c", "handle": 1, **more}}


def rule(handle: int, *expr: Any) -> dict[str, Any]:
    """A rule object."""
    named = {"family": "inet", "table": "t", "chain": "c", "handle": handle}
    return {"rule": {**named, "expr": list(expr)}}


def test_counter_numbers_are_no_part_of_the_rule() -> None:
    """Two readings of one rule have the same expression."""
    counted = [
        document(chain(), rule(4, {"counter": {"packets": n, "bytes": n * 60}}, {"drop": None}))
        for n in (7, 12)
    ]
    before, after = (nftables.parse(text) for text in counted)
    assert before[0].rules[0].expression == '[{"counter":null},{"drop":null}]'
    assert before[0].rules[0].expression == after[0].rules[0].expression
    (moved,) = nftables.with_movement(tuple(before), tuple(after))
    assert (moved.rules[0].packets, moved.rules[0].moved) == (12, 5)


def test_named_counters_and_new_rules_have_no_movement() -> None:
    """A reference to a named counter holds no number, and a new handle is a new rule."""
    before = nftables.parse(document(chain(), rule(4, {"counter": "named"})))
    after = nftables.parse(
        document(chain(), rule(4, {"counter": "named"}), rule(5, {"counter": {"packets": 3}}))
    )
    (found,) = nftables.with_movement(tuple(before), tuple(after))
    assert [(r.packets, r.moved) for r in found.rules] == [(None, None), (3, None)]
    assert found.rules[0].expression == '[{"counter":"named"}]'


def test_devices_of_an_ingress_chain() -> None:
    """One device is text, several are a list in newer releases."""
    devices = [
        nftables.parse(document(chain(dev=device)))[0].device for device in ("eth0", ["a", "b"])
    ]
    assert devices == ["eth0", "a,b"]


def test_no_output_is_no_chain() -> None:
    """Nft prints nothing for an empty ruleset in some releases."""
    assert nftables.parse("") == []
    assert nftables.parse_tables("\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '{"nftables": 3}',
        document({"rule": {"family": "ip", "table": "t", "chain": "c", "expr": []}}),
        document({"chain": {"family": "ip", "table": "t"}}),
        document({"table": "filter"}),
    ],
)
def test_odd_json(text: str) -> None:
    """What cannot be understood is refused, not half-read."""
    with pytest.raises(Unreadable, match="nft"):
        (nftables.parse_tables if 'table": "filter' in text else nftables.parse)(text)


def test_tables_that_iptables_cannot_read_are_native() -> None:
    """iptables-nft-save says in a comment where it finds something that is not its own."""
    text = (
        "# Table `raw' contains incompatible base-chains, use 'nft' tool to list them.\n"
        "*raw\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n"
        "# Table `mangle' is incompatible, use 'nft' tool.\n*nat\nCOMMIT\n"
    )
    assert nftables.parse_owned(text) == {"nat"}
