"""DNS-14."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.dns_records import DnsRecords
from tests.unit.dns_zones import servers, zones
from tests.unit.recorded import findings, healthy, outcomes, without


def test_minutes_are_named() -> None:
    """One row for the whole service, with the servers and the seconds."""
    (found,) = findings("DNS-14", zones(lambda z: dataclasses.replace(z, denied_for=300)))
    assert found.title.endswith("for up to 300 s")
    assert found.severity == "low"
    assert len(found.evidence) == 4


def test_one_server_alone() -> None:
    """A Corefile that was reloaded in one pod only."""
    first = servers()[0]
    snapshot = zones(lambda z: dataclasses.replace(z, denied_for=300 if z.server == first else 30))
    (found,) = findings("DNS-14", snapshot)
    assert all(first in e.text for e in found.evidence)


def test_the_usual_values_are_silent() -> None:
    """5 seconds of the plugin, 30 of kubeadm, a minute."""
    for seconds in (5, 30, 60):
        changed = zones(lambda z, s=seconds: dataclasses.replace(z, denied_for=s))  # type: ignore[misc]
        assert outcomes("DNS-14", changed) == {"Passed"}


def test_no_answer_is_no_claim() -> None:
    """A zone with a wildcard, or silence; and an older agent."""
    silent = zones(lambda z: dataclasses.replace(z, denied_for=None))
    assert outcomes("DNS-14", silent) == {"Skipped"}
    assert outcomes("DNS-14", without(healthy(), DnsRecords)) == {"Skipped"}


def test_the_recorded_lab_is_judged_and_silent() -> None:
    """Its servers say 30 seconds."""
    assert outcomes("DNS-14", healthy()) == {"Passed"}
