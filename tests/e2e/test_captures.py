"""`scan --bundle --pcap` on a real cluster: what is in the files, and that nothing else is."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path

import pytest
from scapy.utils import PcapNgReader

from kubectl_netdoctor.agent.mark import magic
from kubectl_netdoctor.facts.captures import HEADER_BYTES, NODE_PACKETS, PACKET_BYTES, node_bytes
from tests.e2e.netdoctor import netdoctor
from tests.lab.cluster import Cluster

pytestmark = pytest.mark.lab


def test_each_node_hands_over_its_marked_probes_and_nothing_else(
    cluster: Cluster, tmp_path: Path
) -> None:
    """As many as the hop ledger counted, on the interfaces that it listened on."""
    bundle = tmp_path / "b.tar.gz"
    done = netdoctor(
        cluster, "scan", "--all-nodes", "--bundle", str(bundle), "--pcap", "-o", "short"
    )
    assert done.returncode == 0, done.stderr
    assert "captures" not in done.stderr.replace(str(bundle), "")
    with tarfile.open(bundle) as tar:
        tar.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.glob("netdoctor-*")
    saved = json.loads((folder / "snapshot.json").read_bytes())
    log = (folder / "netdoctor.log").read_text()
    run = saved["run"]["id"]
    for node in saved["nodes"]:
        hops = node["envelope"]["facts"]["hops"]
        file = folder / "captures" / f"{node['name']}.pcapng"
        with PcapNgReader(str(file)) as reader:
            packets = list(reader)
        line = re.search(rf"{node['name']}: captures: (\d+) packets, (\d+) more", log)
        assert line
        assert int(line[1]) == len(packets)
        assert int(line[1]) + int(line[2]) == sum(s["packets"] for s in hops["sightings"])
        assert {p.sniffed_on for p in packets} == {s["interface"] for s in hops["sightings"]}
        assert all(magic(run) in bytes(p) for p in packets)
        assert max(len(bytes(p)) for p in packets) <= HEADER_BYTES + PACKET_BYTES
        assert sum(len(bytes(p)) for p in packets) <= node_bytes(NODE_PACKETS)
        assert all(hops["started"] - 1 < p.time < hops["ended"] + 1 for p in packets)
