"""Cluster DNS with settings of somebody's own, and a change that it has not been told yet."""

from __future__ import annotations

from contextlib import AbstractContextManager

from tests.e2e.dns_faults import corefile
from tests.faults import witness
from tests.faults.change import in_api, service
from tests.faults.scenario import Scenario
from tests.lab import Lab


def kept_for_a_minute(lab: Lab) -> AbstractContextManager[None]:
    """Twice the usual times: still a moment."""
    return corefile(lab, lambda t: t.replace("ttl 30", "ttl 60").replace("cache 30", "cache 60"))


def questions_logged(lab: Lab) -> AbstractContextManager[None]:
    """For a search of somebody's own; it costs time with each question."""
    return corefile(lab, lambda text: text.replace("    errors\n", "    errors\n    log\n", 1))


SCENARIOS = [
    Scenario(
        f"quiet-dns-{name}",
        inject,
        witness.works(witness.unanswered("n1", witness.dns_service)),
    )
    for name, inject in (
        ("kept-for-a-minute", kept_for_a_minute),
        ("questions-logged", questions_logged),
        ("service-just-made", in_api(service("new"))),
    )
]
