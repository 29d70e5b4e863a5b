"""MTU-03."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.checks.base import Confidence, Severity
from kubectl_netdoctor.facts.path_mtu import Arrival, PathMtu, SizeProbe
from tests.unit.path_sizes import (
    address,
    measured,
    nothing,
    over,
    passes,
    refused,
    silent,
    told,
    under,
)
from tests.unit.recorded import findings, healthy, judged, outcomes

Both = dict[tuple[str, str], tuple[PathMtu, ...]]


def hole(*pairs: tuple[str, str], limit: int = 1404) -> Both:
    """Underlay and overlay swallow large packets on these pairs."""
    return {(a, b): (under(b, silent(limit)), over(b, silent(limit - 50, 1450))) for a, b in pairs}


N3 = (("n3", "n1"), ("n3", "n2"), ("n1", "n3"), ("n2", "n3"))


def test_a_switch_port_names_the_node_and_the_arithmetic() -> None:
    """All pairs of n3, both ways: n3, once; the tunnel's loss is part of it."""
    (found,) = findings("MTU-03", measured(hole(*N3)))
    assert found.nodes == {"n3"}
    assert (found.severity, found.confidence) == (Severity.HIGH, Confidence.CERTAIN)
    assert found.title == "Packets larger than 1404 bytes vanish on the underlay"
    texts = [e.text for e in found.evidence]
    assert "to n3 (198.18.0.13): eth0 says 1500; 1404 passes, 1405 vanishes" in texts[0]
    assert any(
        "eth0 1500 - 50 VXLAN = 1450; flannel.1 says 1450; 1354 passes, 1355 vanishes" in t
        for t in texts
    )
    assert texts[-1].startswith("no router is between")


def test_the_diagnosis_has_this_cause_only() -> None:
    """Nothing else is found beside it."""
    assert [r.finding.id for r in judged(measured(hole(*N3))).causes] == ["MTU-03"]


def test_a_row_of_one_scanned_node() -> None:
    """n3 alone was scanned: it is n3, whatever the others say."""
    (found,) = findings("MTU-03", measured(hole(*N3), nodes=("n3",)))
    assert (set(found.nodes), found.scope) == ({"n3"}, "n3 to n1, n2")


def test_one_direction_is_told_by_what_came_in() -> None:
    """n3 saw whole requests of n1 and n2 come in: only what it sends is lost."""
    seen = {"n3": (Arrival(address("n1"), 1500), Arrival(address("n2"), 1500))}
    (found,) = findings("MTU-03", measured(hole(*N3), arrivals=seen))
    assert found.paths == (("n3", "n1"), ("n3", "n2"))
    assert any("1500 bytes from n1 came in" in e.text and e.node == "n3" for e in found.evidence)


def test_a_pair_and_everybody() -> None:
    """One pair is both its ends; all pairs are the cluster."""
    (one,) = findings("MTU-03", measured(hole(("n1", "n2"))))
    assert (set(one.nodes), one.confidence) == ({"n1", "n2"}, Confidence.LIKELY)
    everybody = hole(*((a, b) for a in ("n1", "n2", "n3") for b in ("n1", "n2", "n3") if a != b))
    (found,) = findings("MTU-03", measured(everybody))
    assert found.subjects[0].kind == "Cluster"


def test_a_router_whose_errors_are_filtered_is_named() -> None:
    """Over a gateway, ICMP is to be let through; the tunnel passes, in fragments."""
    path = under("n1", silent(1400), gateway="198.18.0.1")
    (found,) = findings("MTU-03", measured({("n3", "n1"): (path,)}))
    assert "198.18.0.1" in found.evidence[-1].text
    assert found.fix.commands == ("sysctl -w net.ipv4.tcp_mtu_probing=1",)
    assert found.severity is Severity.HIGH


def test_only_the_tunnel() -> None:
    """The underlay passes all that its devices say, the tunnel does not."""
    (found,) = findings("MTU-03", measured({("n3", "n1"): (over("n1", silent(1300, 1450)),)}))
    assert found.title == "Packets larger than 1300 bytes vanish inside the tunnel"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(under("n1", nothing()), id="a peer that answers no echo is unknown"),
        pytest.param(under("n1", refused(1400, "message-too-long")), id="EMSGSIZE of this machine"),
        pytest.param(told("n1"), id="a router that tells"),
        pytest.param(told("n1", mtu=0), id="an old router that names no size, RFC 1191 section 5"),
        pytest.param(under("n1", silent(1404, lost=6)), id="loss that spares no size"),
        pytest.param(under("n1", silent(1404, tries=2)), id="too few tries"),
        pytest.param(under("n1", silent(1404), route_mtu=1400), id="the route says so itself"),
        pytest.param(
            over("n1", passes(1300), route_mtu=1300), id="a route's MTU, as Cilium has it"
        ),
        pytest.param(
            under("n1", (SizeProbe(1400, 1, 0, {"timeout": 1}), *passes(1500))),
            id="one lost packet",
        ),
        pytest.param(under("n1", passes(1450), nic=1450), id="a cloud's NIC of 1450"),
    ],
)
def test_look_alikes_are_silent(path: PathMtu) -> None:
    """None of these is a black hole."""
    assert findings("MTU-03", measured({("n3", "n1"): (path,)})) == []


@pytest.mark.parametrize(("nic", "inner"), [(1450, 1400), (1460, 1410), (9000, 8950)])
def test_networks_of_another_size_are_right(nic: int, inner: int) -> None:
    """Hetzner, GCE, jumbo frames: everything fits."""
    everybody = {
        (a, b): (under(b, nic=nic), over(b, mtu=inner))
        for a in ("n1", "n2", "n3")
        for b in ("n1", "n2", "n3")
        if a != b
    }
    snapshot = measured(everybody)
    for check in ("MTU-02", "MTU-03", "MTU-04", "MTU-07"):
        assert findings(check, snapshot) == []


def test_jumbo_frames_on_one_side_without_a_tunnel_that_uses_them() -> None:
    """Routed pods, or a tunnel that is as small as the others': TCP follows the smaller side."""
    jumbo: Both = {
        ("n3", b): (under(b, silent(1500, 9000), nic=9000), over(b)) for b in ("n1", "n2")
    }
    assert findings("MTU-03", measured(jumbo)) == []
    assert findings("MTU-03", measured(jumbo, nodes=("n3",))) == []
    routed = {pair: (paths[0],) for pair, paths in jumbo.items()}
    assert findings("MTU-03", measured(routed, nodes=("n3",), tunnel=False)) == []


def test_a_peer_that_was_not_scanned_may_have_a_smaller_nic() -> None:
    """The overlay fits what passes: no more than a hint, until the other end is scanned too."""
    fitting: Both = {("n3", "n1"): (under("n1", silent(1460)), over("n1", mtu=1400))}
    (found,) = findings("MTU-03", measured(fitting, nodes=("n3",)))
    assert found.severity is Severity.LOW
    (found,) = findings("MTU-03", measured(fitting))
    assert found.severity is Severity.MEDIUM


def test_an_overlay_that_does_not_fit_what_passes_is_high() -> None:
    """The tunnel passes in fragments, but it needs more than the underlay passes whole."""
    cut: Both = {("n3", "n1"): (under("n1", silent(1460)), over("n1"))}
    (found,) = findings("MTU-03", measured(cut, nodes=("n3",)))
    assert found.severity is Severity.HIGH


def test_nothing_measured_is_no_pass() -> None:
    """Peers that answer nothing leave the question open; so does a snapshot without the fact."""
    deaf: Both = {
        (a, b): (under(b, nothing()), over(b, nothing(1450)))
        for a in ("n1", "n2", "n3")
        for b in ("n1", "n2", "n3")
        if a != b
    }
    assert outcomes("MTU-03", measured(deaf)) == {"Skipped"}
    assert outcomes("MTU-03", measured({})) == {"Passed"}
    assert healthy().nodes
