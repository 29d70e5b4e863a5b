"""`scan --bundle --pcap`: files that independent readers read, whatever a node hands over."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import CookedLinux
from scapy.utils import PcapNgReader

from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.bundle import SNAPSHOT, snapshot_of, write_bundle
from kubectl_netdoctor.cli.captures import NodeCaptures, file_name
from kubectl_netdoctor.cli.pcapng import Frame, pcapng
from kubectl_netdoctor.facts import captures
from kubectl_netdoctor.facts.plan import Plan
from tests.fixtures.plans import plan
from tests.unit.agent.marked_packets import PACKETS
from tests.unit.cluster.fake_kubelet import Kubelets
from tests.unit.cluster.fake_server import FakeServer
from tests.unit.packets import NOON, SENDER, kept

NODES = ("shop-worker-1", "shop-worker-2", "shop-worker-3")
PLAN = plan(node="shop-worker-1", keep_packets=100)


def frames(data: bytes, folder: Path) -> list[Any]:
    """Packets as scapy reads them."""
    file = folder / "read.pcapng"
    file.write_bytes(data)
    with PcapNgReader(str(file)) as reader:
        return list(reader)


def file_of(beside: str) -> bytes:
    """The file of one node whose log begins so."""
    found = NodeCaptures({PLAN.node: PLAN})
    found.heard(PLAN.node, beside.encode())
    return found.files[PLAN.node]


def test_scapy_reads_every_packet(tmp_path: Path) -> None:
    """In the order of time, to the nanosecond, with its interface and as many bytes as there were."""
    found = frames(file_of(captures.frame(kept(PLAN))), tmp_path)
    assert len(found) == 2 * len(PACKETS)
    times = [packet.time for packet in found]
    assert times == sorted(times)
    assert f"{times[len(PACKETS)]:.9f}" == f"{NOON // 10**9}.{NOON % 10**9:09}"
    assert {packet.sniffed_on for packet in found} == {"eth0"}
    first = found[len(PACKETS)]
    assert isinstance(first, CookedLinux)
    assert first.src[:6] == SENDER
    assert (first[IP].dst, first[ICMP].type) == ("10.9.0.2", 8)
    assert {packet.pkttype for packet in found} == {0, 4}
    assert max(packet.wirelen for packet in found) == 16 + len(PACKETS["large"])


@pytest.mark.skipif(not shutil.which("tcpdump"), reason="needs tcpdump")
def test_tcpdump_reads_it(tmp_path: Path) -> None:
    """Without a complaint."""
    file = tmp_path / "x.pcapng"
    file.write_bytes(file_of(captures.frame(kept(PLAN))))
    command = ["tcpdump", "-Z", "root", "-n", "-e", "-tttt", "-r", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len([line for line in done.stdout.splitlines() if line.startswith("20")]) == 2 * len(
        PACKETS
    )
    assert "ICMP echo request" in done.stdout


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Frame,
            st.tuples(st.text(max_size=15), st.sampled_from(["nic", "pod"])),
            st.integers(0, (1 << 63) - 1),
            st.binary(min_size=17, max_size=176),
            st.integers(176, 70_000),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_packets_make_a_file_of_whole_blocks(some: list[Frame]) -> None:
    """Each block says its length at both ends, all are multiples of four, none is left over."""
    data = pcapng(some, program="x", comment="y\ud800", most=176)
    kinds = []
    while data:
        length = int.from_bytes(data[4:8], "little")
        assert length % 4 == 0
        assert data[length - 4 : length] == data[4:8]
        kinds.append(int.from_bytes(data[:4], "little"))
        data = data[length:]
    interfaces = len({frame.interface for frame in some})
    assert kinds == [0x0A0D0D0A] + [1] * interfaces + [6] * len(some)


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_a_name_of_a_node_stays_in_its_folder(one: str, other: str) -> None:
    """And is no other node's."""
    for node in (one, other, "..", "../../etc/passwd", "a/b", "n1.example.org", "CON\0"):
        name = file_name(node)
        assert re.fullmatch(r"[0-9A-Za-z_-][0-9A-Za-z._-]*\.pcapng", name)
        assert ".." not in name
        assert len(name) < 100  # what an archive's header holds
    assert (file_name(one) == file_name(other)) == (one == other)
    assert file_name("n1.example.org") == "n1.example.org.pcapng"


def test_a_bundle_of_a_large_cluster_is_read(tmp_path: Path) -> None:
    """A file for each node is not too many."""
    file = tmp_path / "b.tar.gz"
    files = {f"captures/{file_name('n' * 200 + str(n))}": b"x" for n in range(5000)}
    write_bundle(str(file), "1", {SNAPSHOT: b"{}", **files})
    assert snapshot_of(gzip.decompress(file.read_bytes())) == b"{}"


def test_the_page_says_the_bounds() -> None:
    """As they are."""
    text = (Path(__file__).parents[3] / "docs" / "sharing.md").read_text()
    for bound in (captures.FLOW_PACKETS, captures.NODE_PACKETS, captures.RUN_PACKETS):
        assert f" {bound:,} " in text
    assert f"{captures.PACKET_BYTES} bytes of each" in text
    assert f"{captures.node_bytes(captures.NODE_PACKETS) // 1000} kB of a node" in text


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    fake.store.add("namespaces", {"metadata": {"name": "netdoctor"}})
    for number, name in enumerate(NODES):
        addresses = [{"type": "InternalIP", "address": f"10.7.3.{number + 4}"}]
        ready = [{"type": "Ready", "status": "True"}]
        fake.store.add(
            "nodes",
            {"metadata": {"name": name}, "status": {"addresses": addresses, "conditions": ready}},
        )
    yield fake
    fake.stop()


def scan(server: FakeServer, bundle: Path, *arguments: str) -> dict[str, bytes]:
    """What the bundle of a scan holds, without its folder."""
    with pytest.raises(SystemExit):
        main(
            [
                "scan", "--all-nodes", "--server", server.url, "--token", "t", "-n", "netdoctor",
                "--no-companion", "--timeout", "20s", "--bundle", str(bundle), "-q", *arguments,
            ]
        )  # fmt: skip
    found = {}
    with tarfile.open(bundle) as tar:
        for member in tar:
            stream = tar.extractfile(member)
            assert stream
            found[member.name.partition("/")[2]] = stream.read()
    return found


def by_node(**fates: Callable[[Plan], str]) -> Callable[[Plan], str]:
    """What a node's log begins with, by the last word of its name."""

    def beside(order: Plan) -> str:
        assert order.keep_packets == captures.NODE_PACKETS
        assert "hops" in order.facts
        usual: Callable[[Plan], str] = lambda plan: captures.frame(kept(plan))  # noqa: E731
        return fates.get("n" + order.node[-1], usual)(order)

    return beside


def test_a_bundle_holds_the_captures_of_each_node(
    server: FakeServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """In the manifest with their checksums; analyze says the same as of the snapshot alone."""
    Kubelets(server).beside = by_node()
    bundle, saved = tmp_path / "b.tar.gz", tmp_path / "s.json"
    found = scan(server, bundle, "--pcap", "--save", str(saved))
    files = {f["name"]: f for f in json.loads(found["manifest.json"])["files"]}
    for node in NODES:
        name = f"captures/{node}.pcapng"
        assert files[name]["bytes"] == len(found[name])
        assert files[name]["sha256"] == hashlib.sha256(found[name]).hexdigest()
        assert len(frames(found[name], tmp_path)) == 2 * len(PACKETS)
        assert node.encode() in found[name]  # the comment says whose it is
    assert f"{NODES[0]}: captures: {2 * len(PACKETS)} packets" in found["netdoctor.log"].decode()
    assert saved.read_bytes() == found["snapshot.json"]
    assert b"0200000000aa" not in found["snapshot.json"]
    capsys.readouterr()
    said = []
    for file in (bundle, saved):
        with pytest.raises(SystemExit):
            main(["analyze", str(file), "-o", "json"])
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


def test_bad_captures_cost_nothing_else(
    server: FakeServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One warning names the nodes; their reports and the captures of others are there."""

    def hostile(order: Plan) -> str:
        packet = captures.Packet("../../up0\x1b[2J", "nic", 1, 60, "00" * 60)
        return captures.frame(captures.Captures(order.run, order.node, (packet,), 0))

    Kubelets(server).beside = by_node(n1=hostile, n2=lambda _plan: "")
    found = scan(server, tmp_path / "b.tar.gz", "--pcap")
    out, err = capsys.readouterr()
    assert [n for n in found if n.startswith("captures")] == [f"captures/{NODES[2]}.pcapng"]
    (line,) = [line for line in err.splitlines() if line.startswith("warning")]
    assert line == (
        f"warning: captures left out: {NODES[0]}: the list of packets has a bad name of an "
        f"interface; {NODES[1]}: the log holds no list of packets of the agent"
    )
    assert line in found["netdoctor.log"].decode()
    assert "3 of 3 nodes answered" in out


def test_redacted_captures_are_left_out_in_words(
    server: FakeServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """They are not even asked for: packets hold addresses."""
    orders: list[Plan] = []
    Kubelets(server).beside = lambda order: orders.append(order) or captures.frame(kept(order))  # type: ignore[func-returns-value]
    found = scan(server, tmp_path / "b.tar.gz", "--pcap", "--redact")
    assert {order.keep_packets for order in orders} == {0}
    assert not [name for name in found if name.startswith("captures")]
    words = "no captures are in the bundle: packets hold addresses, and --redact was given"
    assert words in found["netdoctor.log"].decode()
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("pcap", [False, True])
def test_only_what_is_asked_for_is_kept(server: FakeServer, tmp_path: Path, pcap: bool) -> None:
    """With --pcap nodes listen even where no chosen check needs it; without, nothing is taken."""
    orders: list[Plan] = []
    Kubelets(server).beside = lambda order: orders.append(order) or captures.frame(kept(order))  # type: ignore[func-returns-value]
    more = ["--pcap"] if pcap else []
    found = scan(server, tmp_path / "b.tar.gz", "--select", "RTE", *more)
    asked = {(order.keep_packets, "hops" in order.facts) for order in orders}
    assert asked == {(captures.NODE_PACKETS, True) if pcap else (0, False)}
    assert any(name.startswith("captures") for name in found) == pcap


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--all-nodes", "--pcap"], "--pcap goes with --bundle"),
        (["--all-nodes", "--pcap", "--save", "x.json"], "--pcap goes with --bundle"),
        (["--local", "--pcap", "--bundle", "x.tar.gz"], "--pcap goes without --local"),
    ],
)
def test_misuse_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    """Before anything is measured: exit 2, one sentence."""
    with pytest.raises(SystemExit) as ended:
        main(["scan", *arguments])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert words in err


def test_a_dry_run_says_what_would_be_kept(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bounds, from the place where they stand; nothing without --pcap or with --redact."""
    where = ["scan", "--all-nodes", "--dry-run", "--server", server.url, "--token", "t"]
    words = f"at most {captures.NODE_PACKETS} packets of the run's own marked probes"
    for more, said in ((["--pcap"], True), ([], False), (["--pcap", "--redact"], False)):
        with pytest.raises(SystemExit):
            main([*where, "-n", "netdoctor", *more])
        out, err = capsys.readouterr()
        assert (words in out) == said
        assert ("no captures are in the bundle" in err) == ("--redact" in more)
        assert (f"{captures.PACKET_BYTES} bytes of each: 704 kB at most" in out) == said
