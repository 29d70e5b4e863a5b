"""The whole agent: plan in, frame out, in time, whatever hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kubectl_netdoctor import __version__
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.envelope import TERMINATION_MESSAGE_BYTES, unframe, unsummarize
from kubectl_netdoctor.facts.plan import DnsTarget, PeerTarget, TcpTarget, pack
from kubectl_netdoctor.facts.system import Kernel, Softnet
from tests.fixtures.plans import NODE_FACTS, plan
from tests.unit.agent.agent_process import COMMAND, environment, run_agent

FULL = plan(
    run="r-1",
    facts=NODE_FACTS,
    sysctls=("net.ipv4.ip_forward", "net.ipv4.conf.*.rp_filter"),
    peers=(PeerTarget("self", "127.0.0.1", None),),
    tcp=(TcpTarget("node", "127.0.0.1", 9),),
    dns=(DnsTarget("service", "127.0.0.1", 9, "example.org.", "A"),),
)
HANGING = """
import sys, time
from kubectl_netdoctor.agent import main, registry
for key in ("kernel", "softnet"):
    registry.load(key)
    hang = lambda run: time.sleep(60)
    registry._COLLECTORS[key] = registry.Collector(key, hang, waits=key == "softnet")
main.main()
"""


def start(*args: str, **variables: str) -> subprocess.Popen[bytes]:
    """The agent, running."""
    return subprocess.Popen(
        [*COMMAND, *args],
        env=environment(**variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def handles_sigterm(pid: int) -> bool:
    """Whether a process has installed its handler, proc(5) SigCgt."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(mask, 16) >> (signal.SIGTERM - 1) & 1)


def test_whole_report(tmp_path: Path) -> None:
    """Every fact of the plan is there, or Missing with a reason; the summary is, too."""
    message = tmp_path / "termination-log"
    home = tmp_path / "home"
    home.mkdir()
    started = time.monotonic()
    report = run_agent(FULL, NETDOCTOR_TERMINATION_LOG=str(message), HOME=str(home))
    took = time.monotonic() - started
    assert (report.run, report.node, report.agent_version) == ("r-1", "node-1", __version__)
    assert set(report.facts) == set(NODE_FACTS)
    assert set(report.seconds) == set(NODE_FACTS)
    assert isinstance(report.get("kernel"), Kernel)
    softnet = report.get("softnet")
    assert isinstance(softnet, Softnet)
    assert FULL.window_seconds <= softnet.window_seconds < FULL.window_seconds + 1
    broken = {
        key: fact
        for key, fact in report.facts.items()
        if isinstance(fact, Missing) and fact.reason in (Reason.FAILED, Reason.TIMED_OUT)
    }
    assert broken == {}
    assert report.started < report.ended
    assert took < 5
    assert list(home.iterdir()) == []  # scapy would keep a cache there
    text = message.read_text()
    assert len(text.encode()) <= TERMINATION_MESSAGE_BYTES
    short = unsummarize(text)
    assert (short.run, short.node) == ("r-1", "node-1")
    assert short.facts["path_probes"] == report.facts["path_probes"]
    assert short.facts["sysctls"] == report.facts["sysctls"]


def test_probe_sums(tmp_path: Path) -> None:
    """Nothing that was sent is unaccounted for."""
    asked = plan(facts=("path_probes", "dns_probes"), peers=FULL.peers, tcp=FULL.tcp, dns=FULL.dns)
    report = run_agent(asked, NETDOCTOR_TERMINATION_LOG=str(tmp_path / "log"))
    paths, names = report.facts["path_probes"], report.facts["dns_probes"]
    assert {(p.protocol, p.role) for p in paths.items} >= {("tcp", "node")}
    for probe in paths.items:
        assert probe.sent == probe.received + sum(probe.errors.values())
        assert len(probe.rtt_ms) == probe.received
    for probe in names.items:
        assert probe.sent == probe.answered + sum(probe.errors.values())
    tcp = next(p for p in paths.items if p.protocol == "tcp")
    assert (tcp.peer, tcp.sent, tcp.errors) == ("self", 5, {"refused": 5})
    assert {p.transport: p.errors for p in names.items} == {
        "udp": {"port-unreachable": 10},
        "tcp": {"refused": 5},
    }


def test_only_what_the_plan_names(tmp_path: Path) -> None:
    """A small plan imports no library, and is fast."""
    code = (
        "import os, sys\n"
        "from kubectl_netdoctor.agent import main\n"
        "end = main._end\n"
        "heavy = {'scapy', 'dns', 'pyroute2', 'asyncio'}\n"
        "main._end = lambda text: os._exit(40) if heavy & set(sys.modules) else end(text)\n"
        "main.main()\n"
    )
    report = run_agent(
        plan(facts=("sysctls", "softnet"), sysctls=("net.ipv4.ip_forward",), window_seconds=0.0),
        command=(sys.executable, "-c", code),
        NETDOCTOR_TERMINATION_LOG=str(tmp_path / "log"),
    )
    assert set(report.facts) == {"sysctls", "softnet"}


def test_hanging_collectors(tmp_path: Path) -> None:
    """What hangs is timed out, the rest arrives, and all of it by the deadline."""
    started = time.monotonic()
    report = run_agent(
        plan(facts=("kernel", "softnet", "sysctls", "softirqs"), deadline_seconds=1.0),
        command=(sys.executable, "-c", HANGING),
        NETDOCTOR_TERMINATION_LOG=str(tmp_path / "log"),
    )
    assert time.monotonic() - started < 3
    for key in ("kernel", "softnet"):
        missing = report.facts[key]
        assert isinstance(missing, Missing)
        assert missing.reason is Reason.TIMED_OUT
    assert not isinstance(report.facts["sysctls"], Missing)
    assert not isinstance(report.facts["softirqs"], Missing)


def test_a_reader_that_hangs() -> None:
    """Even when nobody takes the report, the process is gone after its deadline."""
    many = tuple(f"no.such.parameter.{number}{'x' * 900}" for number in range(900))
    asked = plan(facts=("sysctls",), sysctls=many, deadline_seconds=1.5)
    started = time.monotonic()
    with start("-") as process:
        assert process.stdin
        process.stdin.write(pack(asked).encode())
        process.stdin.close()
        assert process.wait(10) in (0, 1)  # 0: the report was small enough for the pipe
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "NETDOCTOR_PLAN is empty"),
        ("not base64!", "cannot read the plan: plan:"),
        ("QUJD", "cannot read the plan: plan:"),
        (pack(plan(schema=99)), "plan has schema 99, this agent speaks 1"),
    ],
)
def test_unreadable_plan(text: str, sentence: str) -> None:
    """Status 2 and one clear sentence."""
    with start(NETDOCTOR_PLAN=text) as process:
        out, err = process.communicate(timeout=10)
    assert process.returncode == 2
    assert out == b""
    assert err.decode().count("\n") == 1
    assert sentence in err.decode()


def test_plan_from_file_and_standard_input(tmp_path: Path) -> None:
    """Plans too large for a variable come in other ways."""
    asked = plan(facts=("sysctls",), sysctls=("net.ipv4.ip_forward",), window_seconds=0.0)
    path = tmp_path / "plan"
    path.write_text(pack(asked) + "\n")
    for args, data in ((("--plan-file", str(path)), b""), (("-",), pack(asked).encode())):
        with start(*args, NETDOCTOR_TERMINATION_LOG=str(tmp_path / "log")) as process:
            out, err = process.communicate(data, timeout=10)
        assert (process.returncode, err) == (0, b"")
        assert set(unframe(out).facts) == {"sysctls"}
    with start("--plan-file", str(tmp_path / "gone")) as process:
        _, err = process.communicate(timeout=10)
    assert process.returncode == 2
    assert b"No such file" in err


def test_a_reader_that_has_gone() -> None:
    """A closed pipe is an exit status, not a traceback."""
    asked = plan(facts=("kernel",), window_seconds=0.0)
    with start(NETDOCTOR_PLAN=pack(asked)) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(10) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once(number: signal.Signals) -> None:
    """Half a minute of window does not keep it."""
    asked = plan(facts=NODE_FACTS, window_seconds=30.0, deadline_seconds=60.0)
    with start(NETDOCTOR_PLAN=pack(asked)) as process:
        while not handles_sigterm(process.pid):
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(number)
        sent = time.monotonic()
        out, _ = process.communicate(timeout=10)
    assert time.monotonic() - sent < 1
    assert process.returncode == 128 + number
    assert out == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="a process namespace needs root")
def test_a_signal_ends_process_one() -> None:
    """The kernel gives process 1 only the signals that it handles."""
    asked = plan(facts=("softnet",), window_seconds=30.0, deadline_seconds=60.0)
    with subprocess.Popen(
        ["unshare", "--pid", "--fork", "--kill-child", *COMMAND],
        env=environment(NETDOCTOR_PLAN=pack(asked)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not children.read_text() or not handles_sigterm(int(children.read_text())):
            time.sleep(0.01)
        os.kill(int(children.read_text()), signal.SIGTERM)
        sent = time.monotonic()
        assert process.wait(10) == 128 + signal.SIGTERM
    assert time.monotonic() - sent < 2


def test_the_agent_says_what_it_cost() -> None:
    """CPU and memory of the agent and its commands, as a line of its log."""
    report = run_agent(plan(facts=("sysctls",), window_seconds=0.0))
    (line,) = (line for line in report.log if line.startswith("used "))
    seconds, mebibytes = (float(word) for word in line.split() if word[0].isdigit())
    assert 0 < seconds < 30
    assert 5 < mebibytes < 500
