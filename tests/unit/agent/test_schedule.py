"""A fact that hangs, breaks or is unknown costs itself and no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from kubectl_netdoctor.agent import registry, schedule
from kubectl_netdoctor.agent.absence import Denied
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.base import FACTS, Missing, Reason, Scope
from tests.fixtures.plans import NODE_FACTS, plan

FREE = threading.Event()


def hang(_: Run) -> str:
    """Wait for the end of the test."""
    FREE.wait(20)
    return "late"


def bug(_: Run) -> str:
    """Break."""
    return str({}["no such key"])  # type: ignore[index]


def denied(_: Run) -> str:
    """Be refused."""
    raise Denied("needs root: everything")


def no_library(_: Run) -> str:
    """Lack a library of the agent."""
    raise ModuleNotFoundError("No module named 'dns'", name="dns.message")


def no_module(_: Run) -> str:
    """Lack something else, which is a bug."""
    raise ModuleNotFoundError("No module named 'x'", name="kubectl_netdoctor.x")


@pytest.fixture(autouse=True)
def collectors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put stand-ins in the place of real collectors."""
    stand_ins = {
        "kernel": lambda run: f"kernel of {run.plan.node}",
        "sysctls": hang,
        "routes": bug,
        "rules": denied,
        "resolver": no_library,
        "components": no_module,
    }
    made = {key: registry.Collector(key, f, waits=False) for key, f in stand_ins.items()}
    monkeypatch.setattr(schedule, "load", made.__getitem__)
    monkeypatch.setattr(schedule, "FACT_SECONDS", 0.2)
    FREE.clear()
    yield
    FREE.set()


def collect(*keys: str, deadline: float = 10.0) -> tuple[dict[str, object], Run, dict[str, float]]:
    """Facts of a plan, its run, and the seconds of each."""
    run = Run(plan(facts=keys, window_seconds=0.0, deadline_seconds=deadline), Host())
    facts, seconds = schedule.collect(run)
    return facts, run, seconds


def test_one_that_hangs() -> None:
    """It is timed out, and another worker takes those behind it."""
    facts, _, seconds = collect("sysctls", "kernel", "rules")
    assert facts["kernel"] == "kernel of node-1"
    assert isinstance(facts["rules"], Missing)
    missing = facts["sysctls"]
    assert isinstance(missing, Missing)
    assert missing.reason is Reason.TIMED_OUT
    assert "not finished 0." in missing.detail
    assert 0.2 <= seconds["sysctls"] < 2


def test_the_agents_deadline_goes_before_the_facts() -> None:
    """A fifth of a short deadline is left for the report."""
    start = time.monotonic()
    facts, _, _ = collect("sysctls", deadline=0.1)
    assert isinstance(facts["sysctls"], Missing)
    assert time.monotonic() - start < 0.2


def test_one_that_breaks() -> None:
    """The fact says what, the log says where."""
    facts, run, _ = collect("routes", "kernel")
    assert facts["routes"] == Missing(Reason.FAILED, "KeyError: 'no such key'")
    assert facts["kernel"] == "kernel of node-1"
    assert len(run.log) == 1
    assert run.log[0].startswith("routes: KeyError: 'no such key' at test_schedule.py:")


def test_reasons() -> None:
    """Refusal and a library that is not installed have their own reason."""
    facts, run, _ = collect("rules", "resolver", "components")
    assert facts["rules"] == Missing(Reason.DENIED, "needs root: everything")
    assert facts["resolver"] == Missing(
        Reason.NOT_PRESENT,
        "dnspython is not installed: pip install 'kubectl-netdoctor[agent]'",
    )
    assert isinstance(facts["components"], Missing)
    assert facts["components"].reason is Reason.FAILED
    assert len(run.log) == 1


def test_a_fact_that_nobody_collects() -> None:
    """A newer laptop may ask for more: the report has no such key, the log has."""
    facts, run, _ = collect("kernel", "tomorrow", "kernel")
    assert set(facts) == {"kernel"}
    assert run.log == ["'tomorrow': this agent collects no such fact"]


def test_notes_are_kept_once() -> None:
    """Two families that lack the same thing say so once."""
    run = Run(plan(), Host())
    run.note("no ICMP")
    Window(1.0, run).note("no ICMP")
    assert run.log == ["no ICMP"]


@pytest.mark.parametrize("key", NODE_FACTS)
def test_every_fact_has_a_collector(key: str) -> None:
    """The catalogue and the agent agree, fact by fact."""
    assert registry.load(key).key == key


@pytest.mark.parametrize("key", ["nodes", "pods", "../../etc", "collectors.kernel", ""])
def test_other_keys_have_none(key: str) -> None:
    """Neither facts of the cluster nor paths."""
    assert key not in FACTS or FACTS[key].scope is Scope.CLUSTER
    with pytest.raises(KeyError):
        registry.load(key)


def test_windowed_facts_measure_their_window() -> None:
    """The window is as long as it really was, between the starts of both samples."""
    seen: list[Window] = []

    def difference(before: float, after: float, window: Window) -> float:
        seen.append(window)
        return after - before

    registry.windowed("test_only", lambda _: time.monotonic())(difference)
    made = registry._COLLECTORS.pop("test_only")
    run = Run(plan(window_seconds=0.1), Host())
    assert made.waits
    assert made.collect(run) == pytest.approx(0.1, abs=0.05)
    assert seen[0].seconds == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize(("patience", "seen"), [(5.0, ["probed"]), (0.1, [])])
def test_counters_of_what_takes_probes_are_read_when_the_probes_are_over(
    monkeypatch: pytest.MonkeyPatch, patience: float, seen: list[str]
) -> None:
    """Beyond the window, but not for ever; waiting is no time that the fact took."""
    packets: list[str] = []

    def probe(_: Run) -> None:
        time.sleep(0.5)
        packets.append("probed")

    def latest(_: list[str], then: list[str], __: Window) -> list[str]:
        return then

    known = registry._COLLECTORS.get("iptables")
    registry.windowed("iptables", lambda _: list(packets), outlasts=True)(latest)
    counters = registry._COLLECTORS.pop("iptables")
    if known:
        registry._COLLECTORS["iptables"] = known
    made = {"iptables": counters, "dns_probes": registry.Collector("dns_probes", probe, False)}
    monkeypatch.setattr(schedule, "load", made.__getitem__)
    monkeypatch.setattr(schedule, "later", made.__getitem__)
    monkeypatch.setattr(registry, "AFTER_PROBES", patience)
    monkeypatch.setattr(schedule, "AFTER_PROBES", patience)
    facts, _, seconds = collect("dns_probes", "iptables")
    assert facts["iptables"] == seen
    assert seconds["iptables"] < 0.1
