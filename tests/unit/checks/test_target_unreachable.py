"""TGT-01: what the user named gets an answer, from both vantages, whatever it is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.checks.base import Finding, PerNode, Severity
from kubectl_netdoctor.checks.target_unreachable import target_unreachable
from kubectl_netdoctor.facts.target import TargetProbe, TargetProbes

GOOD = TargetProbe(
    vantage="node",
    host="db.example",
    port=5432,
    server="192.0.2.53",
    lookup_ms=1.5,
    lookup=None,
    address="198.51.100.7",
    protocol="tcp",
    sent=5,
    received=5,
    rtt_ms=(10.0, 12.0, 11.0, 12.0, 14.0),
    errors={},
)
SILENT: dict[str, Any] = {"received": 0, "rtt_ms": (), "errors": {"timeout": 5}}
UNKNOWN: dict[str, Any] = {
    "lookup": "NXDOMAIN",
    "lookup_ms": None,
    "address": None,
    "sent": 0,
    "received": 0,
    "rtt_ms": (),
}


def seen(node: dict[str, Any], pod: dict[str, Any] | None = None) -> list[Finding]:
    """Findings on two nodes, the second one healthy."""
    good = (GOOD, dataclasses.replace(GOOD, vantage="pod"))
    own = [dataclasses.replace(GOOD, **node)]
    if pod is not None:
        own.append(dataclasses.replace(GOOD, vantage="pod", **pod))
    facts = PerNode({"a": TargetProbes(1.0, None, tuple(own)), "b": TargetProbes(1.0, None, good)})
    return list(target_unreachable(facts))


def test_what_answers_is_advice_with_its_round_trip() -> None:
    """Never a fault, also where a probe or two were lost."""
    (found,) = seen({"received": 4, "errors": {"timeout": 1}}, {})
    assert found.severity is Severity.INFO
    assert "median 12.0 ms" in found.evidence[0].text
    assert "1 timeout" in found.evidence[0].text


def test_from_pods_only() -> None:
    """The vantage that works is named: it tells where not to look."""
    (found,) = seen({}, SILENT)
    assert found.severity is None
    assert found.title.startswith("db.example:5432 is not reached from pods, from nodes it is")
    assert [s.name for s in found.subjects] == ["a"]
    assert "5 timeout" in found.evidence[0].text
    assert "for comparison" in found.evidence[-1].text


def test_a_refusal_is_told_apart_from_silence() -> None:
    """RST: it was reached, and nothing listens."""
    (found,) = seen({"received": 0, "rtt_ms": (), "errors": {"refused": 5}})
    assert "5 refused" in found.evidence[0].text


def test_a_name_without_an_address() -> None:
    """The server that said so, and what it said."""
    (found,) = seen(UNKNOWN, UNKNOWN)
    assert "has no address" in found.title
    assert found.evidence[0].text.endswith("by 192.0.2.53: NXDOMAIN")


@pytest.mark.parametrize("sent", [0, 2])
def test_too_few_probes_prove_nothing(sent: int) -> None:
    """A window that was cut short is no fault of the target."""
    (found,) = seen({"sent": sent, "received": 0, "rtt_ms": (), "errors": {}})
    assert found.severity is Severity.INFO


def test_nothing_named_is_nothing_found() -> None:
    """The default: no place outside is ever probed."""
    assert not list(target_unreachable(PerNode({"a": TargetProbes(1.0, None, ())})))
