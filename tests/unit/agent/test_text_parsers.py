"""Every parser of kernel and command text: exact on samples, and never worse than Absence."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.agent import http, kubelet, netlink
from kubectl_netdoctor.agent.absence import Absence, Unreadable
from kubectl_netdoctor.agent.collectors import (
    conntrack,
    cpu_times,
    iptables,
    kernel,
    nftables,
    pressure,
    protocol_counters,
    resolver,
    softirqs,
    softnet,
)
from kubectl_netdoctor.agent.probes import echo
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.system import CpuTime, SoftnetCpu
from tests.fixtures.recorded import NODES

PARSERS: dict[str, Callable[[str], Any]] = {
    "conntrack": conntrack.sum_columns,
    "cpu_times": cpu_times.parse,
    "iptables": iptables.parse,
    "kernel.cpus": kernel.count_cpus,
    "kernel.os_release": kernel.os_release,
    "kernel.hypervisor": kernel.hypervisor_of,
    "kubelet.config": kubelet.parse_config,
    "nftables": nftables.parse,
    "nftables.tables": nftables.parse_tables,
    "nftables.owned": nftables.parse_owned,
    "pressure": pressure.parse,
    "protocol_counters": protocol_counters.parse_pairs,
    "protocol_counters.snmp6": protocol_counters.parse_snmp6,
    "resolver": resolver.parse,
    "softirqs": softirqs.parse,
    "softnet": softnet.parse,
}
SAMPLES = [
    (NODES / "lab-flannel" / name).read_text()
    for name in (
        "proc/stat",
        "proc/softirqs",
        "proc/net/snmp",
        "proc/net/snmp6",
        "proc/net/softnet_stat",
        "proc/net/stat/nf_conntrack",
        "proc/pressure/cpu",
        "commands/iptables_nft_save-c.txt",
        "etc/resolv.conf",
    )
]
TEXT = st.text(max_size=200) | st.text('*:[]-A 0123\n#{}",.=/', max_size=200)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=60, deadline=None)
@given(text=TEXT)
@example(text="*filter\n:INPUT ACCEPT [" + "9" * 30 + ":0]\n")
@example(text="[" * 5000)
@example(text='{"nftables": [{"rule": {"expr": [null, {"counter": 3}], "handle": true}}]}')
@example(text='{"nftables": [3, {"chain": []}]}')
@example(text="cpu\u00b2 1 2 3")
def test_any_text(name: str, text: str) -> None:
    """A parser returns, or raises the one error that a schedule expects."""
    with contextlib.suppress(Absence):
        PARSERS[name](text)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=40, deadline=None)
@given(sample=st.sampled_from(SAMPLES), cut=st.floats(0, 1), byte=st.characters(), data=st.data())
def test_damaged_text(name: str, sample: str, cut: float, byte: str, data: st.DataObject) -> None:
    """Real text that is cut off or has one strange character does no worse."""
    at = data.draw(st.integers(0, len(sample)))
    damaged = (sample[:at] + byte + sample[at + 1 :])[: int(len(sample) * cut) + 1]
    with contextlib.suppress(Absence):
        PARSERS[name](damaged)


@settings(deadline=None)
@given(st.binary(max_size=120), st.sampled_from([4, 6]), st.booleans())
def test_any_packet(data: bytes, version: int, raw: bool) -> None:
    """What arrives on an ICMP socket is understood or passed over."""
    heard = echo.understand(data, "192.0.2.1", version, raw=raw)
    assert heard is None or heard.sequence <= 0xFFFF


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_any_netlink_packet(data: bytes) -> None:
    """A damaged packet is split as far as it goes, or refused."""
    try:
        spans = list(netlink.split(data))
    except Unreadable:
        return
    assert all(offset + length <= len(data) for offset, length, _, _ in spans)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_http_answer(data: bytes) -> None:
    """A status has three digits, or there is none."""
    status = http.status_of(data)
    assert status is None or 0 <= status <= 999


def test_http_status() -> None:
    """The first line counts."""
    assert http.status_of(b"HTTP/1.0 503 Service Unavailable\r\n\r\n") == 503
    assert http.status_of(b"SSH-2.0-OpenSSH_9.2\r\n") is None


def test_conntrack_columns() -> None:
    """Hexadecimal, summed over the CPUs, without `entries` that each CPU repeats."""
    text = "entries  found insert_failed\n00000010 00000001 0000000a\n00000010 00000000 00000001\n"
    assert conntrack.sum_columns(text) == {"found": 1, "insert_failed": 11}


def test_softnet_names_its_cpu() -> None:
    """Since Linux 5.10 a line says its CPU; before, its place does."""
    with_cpu = "00000005 00000001 00000002 " + "00000000 " * 9 + "00000003 0 0\n"
    assert softnet.parse(with_cpu) == {3: {"processed": 5, "dropped": 1, "squeezed": 2}}
    old = "00000005 00000001 00000002 0 0 0 0 0 0 0 0\n"
    assert softnet.parse(old) == {0: {"processed": 5, "dropped": 1, "squeezed": 2}}


def test_softnet_wraps_at_32_bits(here: Run) -> None:
    """These counters have 32 bits on every machine."""
    before = {0: {"processed": 0xFFFFFFFE, "dropped": 0, "squeezed": 7}}
    after = {0: {"processed": 3, "dropped": 0, "squeezed": 7}, 1: {"processed": 1, "dropped": 0}}
    fact = softnet.softnet(before, after, Window(1.0, here))
    assert fact.cpus == (SoftnetCpu(0, 5, 0, 0),)


def test_cpu_ticks_never_run_backwards(here: Run) -> None:
    """Iowait may step back (proc(5)): no time, and a note; an unplugged CPU is left out."""
    before = cpu_times.parse("cpu  9 9\ncpu0 1 2 3 4 100 6 7 8 9 10\ncpu1 1 1 1 1 1 1 1 1\n")
    after = cpu_times.parse("cpu0 11 2 3 14 98 6 7 9 9 10\nintr 5\n")
    fact = cpu_times.cpu_times(before, after, Window(1.0, here))
    assert fact.cpus == (CpuTime(0, 10, 0, 0, 10, 0, 0, 0, 1),)
    assert fact.cpus[0].total == 21
    assert here.log == ["cpu_times: a counter of cpu0 stepped back by 2 ticks"]


def test_softirq_row_of_another_shape_is_left_out(here: Run) -> None:
    """A kind that has other CPUs than before has no movement."""
    fact = softirqs.softirqs(
        {"NET_RX": (1, 2), "TIMER": (5,)},
        {"NET_RX": (4, 2), "TIMER": (6, 1)},
        Window(1.0, here),
    )
    assert fact.counts == {"NET_RX": (3, 0)}
    assert here.log == ["softirqs: TIMER was reset or has other CPUs now: left out"]


def test_protocol_counters_without_gauges(here: Run) -> None:
    """Established connections are a state; what did not move is not listed."""
    text = "Tcp: RtoAlgorithm MaxConn CurrEstab InSegs\nTcp: 1 -1 {} {}\n"
    before = protocol_counters.parse_pairs(text.format(9, 100))
    after = protocol_counters.parse_pairs(text.format(3, 107))
    after |= protocol_counters.parse_snmp6("Ip6InReceives  \t4\nIp6OutNoRoutes 2\n")
    before |= protocol_counters.parse_snmp6("Ip6InReceives  \t4\nIp6OutNoRoutes 1\n")
    fact = protocol_counters.protocol_counters(before, after, Window(1.0, here))
    assert fact.deltas == {"Tcp.InSegs": 7, "Ip6.OutNoRoutes": 1}


def test_protocol_counters_refuse_a_shifted_table() -> None:
    """Names and values that do not fit are no counters."""
    with pytest.raises(Unreadable, match="do not fit together"):
        protocol_counters.parse_pairs("Ip: A B\nIp: 1\n")
    with pytest.raises(Unreadable, match="'Udp' stands below 'Ip'"):
        protocol_counters.parse_pairs("Ip: A\nUdp: 1\n")


@pytest.mark.parametrize(
    ("text", "cpus"), [("0\n", 1), ("0-3\n", 4), ("0-3,5\n", 5), ("0,2,4-7\n", 6)]
)
def test_online_cpus(text: str, cpus: int) -> None:
    """The kernel's list format."""
    assert kernel.count_cpus(text) == cpus


def test_os_release_quotes() -> None:
    """os-release(5) allows both quotes and comments."""
    text = "# a comment\nID=ubuntu\nVERSION_ID=\"22.04\"\nNAME='Ubuntu'\nbroken line\n"
    assert kernel.os_release(text) == {"ID": "ubuntu", "VERSION_ID": "22.04", "NAME": "Ubuntu"}


@pytest.mark.parametrize(
    ("dmi", "kind"),
    [
        ("QEMU Standard PC (Q35 + ICH9, 2009)", "kvm"),
        ("Amazon EC2 m6i.large", "kvm"),
        ("VMware, Inc. VMware20,1", "vmware"),
        ("Microsoft Corporation Virtual Machine", "microsoft"),
        ("Xen HVM domU", "xen"),
        ("Dell Inc. PowerEdge R650", None),
        ("Microsoft Corporation Surface", None),
    ],
)
def test_hypervisor_by_dmi(dmi: str, kind: str | None) -> None:
    """Vendor and product name the hypervisor, or nothing."""
    assert kernel.hypervisor_of(dmi) == kind
