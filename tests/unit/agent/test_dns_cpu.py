"""Throttling counters of CoreDNS, in both forms of the cgroup file system."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubectl_netdoctor.agent.collectors.dns_cpu import dns_cpu, parse, read
from kubectl_netdoctor.agent.run import Run, Window

STAT = "nr_periods {}\nnr_throttled {}\n"
V1 = "proc/7/root/sys/fs/cgroup/cpu,cpuacct/"
V2 = "proc/7/root/sys/fs/cgroup/"
BASE = {"proc/1/comm": "systemd\n", "proc/7/comm": "coredns\n", "proc/8/comm": "kubelet\n"}


def test_the_unified_hierarchy(node: Callable[..., Run]) -> None:
    """Microseconds, and a quota of two numbers in one file."""
    files = {
        **BASE,
        "proc/7/root/etc/hostname": "coredns-1\n",
        f"{V2}cpu.max": "5000 100000\n",
        f"{V2}cpu.stat": f"usage_usec 9\n{STAT.format(100, 10)}throttled_usec 7000\n",
    }
    before = read(node(files))
    run = node({f"{V2}cpu.stat": f"{STAT.format(110, 18)}throttled_usec 647000\n"})
    (found,) = dns_cpu(before, read(run), Window(1.0, run)).items
    assert (found.host_name, found.limit) == ("coredns-1", 0.05)
    assert (found.periods, found.throttled, found.throttled_ms) == (10, 8, 640.0)


@pytest.mark.parametrize(("quota", "limit"), [("-1", None), ("20000", 0.2)])
def test_version_one(node: Callable[..., Run], quota: str, limit: float | None) -> None:
    """Nanoseconds, and a quota of two files."""
    files = {
        **BASE,
        f"{V1}cpu.cfs_quota_us": f"{quota}\n",
        f"{V1}cpu.cfs_period_us": "100000\n",
        f"{V1}cpu.stat": f"{STAT.format(1, 1)}throttled_time 3000000\n",
    }
    run = node(files)
    (found,) = dns_cpu(read(run), read(run), Window(1.0, run)).items
    assert (found.limit, found.periods, found.throttled_ms) == (limit, 0, 0.0)
    assert found.host_name == ""


def test_without_the_controller_there_is_nothing(node: Callable[..., Run]) -> None:
    """The root group has no bandwidth counters; another component is not asked."""
    run = node(
        {**BASE, f"{V2}cpu.stat": "usage_usec 9\n", "proc/8/root/sys/fs/cgroup/cpu.stat": STAT}
    )
    assert read(run) == {}


def test_a_process_that_began_inside_the_window_is_left_out(node: Callable[..., Run]) -> None:
    """There is no delta of one reading."""
    run = node({**BASE, f"{V2}cpu.stat": STAT.format(5, 5)})
    assert dns_cpu({}, read(run), Window(1.0, run)).items == ()


def test_odd_text() -> None:
    """Lines that are none."""
    assert parse("nr_periods x\nnr_throttled 3\n\nfoo\n") == {"nr_throttled": 3}
