"""SVC-05."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.checks.base import Confidence, Finding, Severity
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.checks.service_samples import A, endpoint, piece, rules, settled, shop, with_rules
from tests.unit.recorded import findings, healthy

INSIDE = (
    rules()[0]
    .replace("no endpoints", "no local endpoints")
    .replace("REJECT --reject-with icmp-port-unreachable", "DROP")
)
OUTSIDE = (
    'filter KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "shop/web:http has no local '
    'endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30080 -j DROP'
)


def dropped(line: str, moved: int | None, snapshot: Snapshot | None = None) -> list[Finding]:
    """What is found when so many packets met the rule inside the window."""
    base = snapshot or settled(shop(piece(endpoint(A))))
    return findings("SVC-05", with_rules(base, [line], moved=moved))


def test_clients_on_the_node_are_medium() -> None:
    """They time out here and nowhere else."""
    (found,) = dropped(INSIDE, 7)
    assert found.nodes == {"n3"}
    assert found.severity is Severity.MEDIUM
    assert "7 packets dropped" in found.evidence[0].text
    assert found.fix.commands[0].startswith('kubectl -n shop patch service web -p \'{"spec":')


def test_clients_from_outside_are_low() -> None:
    """A port scanner is one of them."""
    (found,) = dropped(OUTSIDE, 7)
    assert found.severity is Severity.LOW
    assert found.confidence is Confidence.LIKELY


@pytest.mark.parametrize("line", [INSIDE, OUTSIDE])
@pytest.mark.parametrize("moved", [0, None])
def test_the_policy_alone_is_as_wanted(line: str, moved: int | None) -> None:
    """No packet came, or the rule has only just appeared."""
    assert dropped(line, moved) == []


def test_a_refusal_for_lack_of_any_endpoint_is_another_fault() -> None:
    """SVC-03's."""
    assert dropped(rules()[0], 7) == []


def test_a_rollout_is_silent() -> None:
    """The backend of this node is being replaced."""
    base = shop(piece(endpoint(A)))
    assert dropped(INSIDE, 7, settled(base, base.run.started)) == []
    assert dropped(INSIDE, 7, base) == []


def test_a_hostile_comment_goes_into_no_command() -> None:
    """Nothing of it is to be pasted; such a Service does not exist either."""
    line = INSIDE.replace("shop/web:http", "x/$(reboot):y")
    assert dropped(line, 7) == []


def test_a_healthy_lab_is_silent() -> None:
    """Nothing to say."""
    assert findings("SVC-05", settled(healthy())) == []
