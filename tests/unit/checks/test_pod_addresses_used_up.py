"""CNI-02."""

from __future__ import annotations

import pytest

from tests.unit.companions import not_started, with_companions, without_companions
from tests.unit.recorded import findings, healthy, outcomes

ID = "CNI-02"
SANDBOX = "FailedCreatePodSandBox"


@pytest.mark.parametrize(
    "said",
    [
        "failed to allocate for range 0: no IP addresses available in range set: 10.4.2.1-10.4.2.2",
        "Unable to allocate IP via local cilium agent: No more IPs available",
        "add cmd: failed to assign an IP address to container",
    ],
)
def test_no_address_is_left(said: str) -> None:
    """The words of several address managers."""
    (found,) = findings(ID, not_started(with_companions(), "n3", SANDBOX, said))
    assert found.nodes == {"n3"}
    assert said in found.evidence[0].text
    assert "198.19.2.0/24" in found.evidence[1].text


def test_other_words_are_another_finding() -> None:
    """CNI-08."""
    other = not_started(with_companions(), "n3", SANDBOX, 'failed to find plugin "bridge"')
    assert findings(ID, other) == []


def test_healthy_and_unknown() -> None:
    """Silent where all came up; skipped without companions."""
    assert outcomes(ID, with_companions()) == {"Passed"}
    assert outcomes(ID, without_companions(healthy())) == {"Skipped"}
