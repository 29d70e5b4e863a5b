"""Findings are the same under pseudonyms, and their texts come back with the map."""

from __future__ import annotations

import io
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.analysis.diff import diff
from kubectl_netdoctor.checks.kubelet_port_blocked import TUNNEL_PODS
from kubectl_netdoctor.checks.policy_enforcement import ENFORCERS
from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.saved import load, read, save, to_bytes
from kubectl_netdoctor.errors import BadInput
from kubectl_netdoctor.facts.cluster import NetworkPolicyInfo
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.redaction import mapping, public
from kubectl_netdoctor.redaction.addresses import Addresses
from kubectl_netdoctor.redaction.mapping import Translator
from kubectl_netdoctor.redaction.pseudonyms import Pseudonyms
from kubectl_netdoctor.redaction.redact import Redaction, redact
from kubectl_netdoctor.redaction.text import Words
from kubectl_netdoctor.report.document import document
from tests.e2e.faults import FAULTS
from tests.unit.cilium import on_cilium, with_policies
from tests.unit.recorded import FOLDER, findings, healthy, judged, recorded

NAMES = ["healthy", *FAULTS]


@pytest.mark.parametrize("name", NAMES)
def test_findings_are_the_same_and_come_back_word_by_word(name: str) -> None:
    """The whole report, in the same order, of every recorded fault."""
    for key in (b"a" * 16, b"b" * 16):
        redaction = Redaction(key)
        hidden = redact(recorded(name), redaction)
        before = document(judged(recorded(name)), exit_code=0)
        after = document(judged(hidden), exit_code=0)
        assert [f["id"] for f in before["findings"]] == [f["id"] for f in after["findings"]]
        assert (before["run"].pop("redaction"), after["run"].pop("redaction")) == (
            "none",
            "names and addresses",
        )
        back = Translator(mapping.from_text(mapping.to_text(redaction)))
        assert json.loads(back.translate(json.dumps(after))) == before


@pytest.mark.parametrize("key", [bytes([n]) * 16 for n in range(8)])
def test_addresses_in_a_text_keep_their_order(key: bytes) -> None:
    """POL-01 lists the addresses of cluster DNS, of which texts have another order than numbers."""
    denied = NetworkPolicyInfo("shop", "deny", '{"podSelector": {}, "policyTypes": ["Egress"]}')
    seen = with_policies(on_cilium(), denied)
    redaction = Redaction(key)
    (before,), (after,) = findings("POL-01", seen), findings("POL-01", redact(seen, redaction))
    back = Translator(mapping.from_text(mapping.to_text(redaction)))
    assert back.translate(after.evidence[1].text) == before.evidence[1].text


@pytest.mark.parametrize("name", NAMES)
def test_what_names_the_cluster_is_gone(name: str) -> None:
    """Names of nodes, pods and the context, addresses, cards, the boot ID."""
    data = to_bytes(redact(recorded(name), Redaction())).decode()
    for report in recorded(name).nodes:
        assert f'"{report.name}"' not in data
        assert report.envelope
        kernel = report.envelope.facts["kernel"]
        assert kernel.boot_id not in data
        cards = [i.address for i in report.envelope.facts["interfaces"].items]
        own = {c for c in cards if c and c != "00:00:00:00:00:00"}
        assert len([c for c in own if c in data]) == 0
    assert "ndrecord" not in data
    assert "5876d57d49" not in data
    assert "kube-system" in data  # everybody has it
    assert json.loads(data)["redacted"] is True


def test_one_map_for_two_snapshots_keeps_pseudonyms() -> None:
    """So that before and after can be compared, and more names come behind."""
    redaction = Redaction()
    before = redact(recorded("forward_drop"), redaction)
    again = mapping.from_text(mapping.to_text(redaction))
    after = redact(healthy(), again)
    found = diff(judged(before), judged(after))
    assert [r.finding.id for r in found.fixed if r.caused_by is None] == ["NF-01"]
    assert not found.new
    assert [n.name for n in before.nodes] == [n.name for n in after.nodes]


def test_a_redacted_snapshot_can_be_redacted_again() -> None:
    """By the next hand: pseudonyms are names like others."""
    once = redact(recorded("fdb_entry_deleted"), Redaction(b"a" * 16))
    redaction = Redaction(b"b" * 16)
    twice = redact(once, redaction)
    back = Translator(redaction)
    before = document(judged(once), exit_code=0)
    after = document(judged(twice), exit_code=0)
    assert json.loads(back.translate(json.dumps(after))) == before


def words() -> Words:
    """A fresh table, with some names in it."""
    found = Words(Addresses(b"k" * 16), Pseudonyms())
    found.node("worker-3")
    found.node("ip-10-0-3-7.eu-central-1.compute.internal")
    found.namespace("payments")
    found.namespace("cache")
    found.name("shop-web")
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to worker-3: 0/20", "to nodeq1: 0/20"),
        ("ip-10-0-3-7.eu-central-1.compute.internal is", "nodeq2 is"),
        ("api.payments.svc.cluster.local.", "api.nsq1.svc.cluster.local."),
        ('"cache/shop-web:http cluster IP"', '"nsq2/q1-q2:http cluster IP"'),
        ("cache 30\nforward . /etc/resolv.conf", "cache 30\nforward . /etc/resolv.conf"),
        ("MTU 1450, UDP 8472, vni 1", "MTU 1450, UDP 8472, vni 1"),
        ("2026-11-23T19:09:02.664Z", "2026-11-23T19:09:02.664Z"),
        ("-m mark --mark 0x4000/0x4000 -j KUBE-MARK-MASQ", "-m mark --mark 0x4000/0x4000 -j KUBE-MARK-MASQ"),
        ("net.ipv4.conf.all.rp_filter", "net.ipv4.conf.all.rp_filter"),
        ("FlannelIsUp", "FlannelIsUp"),
        ("timeout 30s, 100ms, v1.34.4, v1alpha1", "timeout 30s, 100ms, v1.34.4, v1alpha1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("", ""),
    ],
)  # fmt: skip
def test_texts_word_by_word(text: str, expected: str) -> None:
    """Public words, numbers and times stay; names have the pseudonyms of their kind."""
    assert words().text(text) == expected


def test_programs_that_checks_look_for_keep_their_names() -> None:
    """As a part of a name or of an image's."""
    wanted = {*ENFORCERS, *TUNNEL_PODS}
    assert wanted <= set(public.PROGRAMS)
    for program in wanted:
        assert program in words().name(f"shop-{program}-x1")
        assert program in words().text(f"registry.example.com/shop-{program}:v1.2")
        assert "shop" not in words().name(f"shop-{program}-x1")


@pytest.mark.parametrize(
    "text", ["v1.34.4+k3s1", "minSyncPeriod: 1m30s", "MAC 36:a3:2a:ed:d5:91: n", "fd00:1::5: no"]
)
def test_forms_of_text_that_checks_read(text: str) -> None:
    """Versions and durations stay; an address before a colon is one."""
    found = words()
    hidden = found.text(text)
    assert (hidden == text) is (":" not in text or "Period" in text)
    assert Translator(Redaction(b"k" * 16, found.table)).translate(hidden) == text


TEXTS = st.text(
    st.sampled_from("abqz019.-_/: \"'{}[]=,\n%@ü") | st.characters(codec="utf-8"), max_size=60
)


@settings(max_examples=300)
@given(st.lists(TEXTS, max_size=4))
def test_any_text_comes_back(texts: list[str]) -> None:
    """Whatever stands there: the map takes it back, but for the spelling of an IPv6 address."""
    table = words()
    redaction = Redaction(b"k" * 16, table.table)
    hidden = [table.text(t) for t in texts]
    back = Translator(redaction)
    for text, other in zip(texts, hidden, strict=True):
        if "::" not in text:
            assert back.translate(other) == text


DATA = json.loads(to_bytes(recorded("forward_drop")))
VALUES: list[Any] = [
    "",
    "\ud800",
    "1.2.3.4/99",
    "::/200",
    "q1",
    "nodeq1",
    "n3",
    "x" * 3000,
    "ip-0-0-0-0",
]


def strings(data: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every string of a JSON document."""
    if isinstance(data, str):
        return [at]
    pairs = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    return [p for key, value in pairs for p in strings(value, (*at, key))]


PLACES = strings(DATA)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(VALUES)), min_size=1, max_size=6)
)
def test_mutated_snapshots_are_redacted(changes: list[tuple[Any, Any]]) -> None:
    """Strange words in any place: no crash, and every check has its say."""
    data = json.loads(json.dumps(DATA))
    for path, value in changes:
        at = data
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
    try:
        snapshot = read(json.dumps(data).encode(), "x")
    except BadInput:
        return
    hidden = redact(snapshot, Redaction(b"k" * 16))
    read(to_bytes(hidden), "x")
    assert len(judged(hidden).coverage) == len(judged(snapshot).coverage)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def test_the_commands_from_end_to_end(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redact, judge elsewhere, translate the answer; the map is its owner's alone."""
    original = str(FOLDER / "vxlan_port_blocked.json.gz")
    hidden, key = str(tmp_path / "hidden.json.gz"), tmp_path / "map.json"
    code, _, err = run(capsys, "redact", original, "-o", hidden, "--map", str(key))
    assert (code, "keep it to yourself" in err) == (0, True)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert load(hidden).redacted
    _, expected, _ = run(capsys, "analyze", original, "-o", "json")
    _, elsewhere, _ = run(capsys, "analyze", hidden, "-o", "json")
    assert "n3" not in elsewhere
    monkeypatch.setattr(sys, "stdin", io.StringIO(elsewhere))
    code, back, _ = run(capsys, "unredact", "--map", str(key))
    assert (code, json.loads(back)["findings"]) == (0, json.loads(expected)["findings"])
    _, at_once, _ = run(capsys, "analyze", original, "-o", "json", "--redact", "--map", str(key))
    assert json.loads(at_once)["findings"] == json.loads(elsewhere)["findings"]


@pytest.mark.parametrize(
    ("arguments", "words_"),
    [
        (("redact", "HEALTHY", "-o", "HEALTHY"), "another file"),
        (("redact", "/nowhere", "-o", "/tmp/not-there.json"), "cannot read"),
        (("unredact", "HEALTHY", "--map", "HEALTHY"), "not JSON"),
        (("unredact", "--map", "/nowhere"), "cannot read"),
        (("analyze", "HEALTHY", "--map", "x"), "--map goes with --redact"),
        (("analyze", "HEALTHY", "--redact", "--map", "/nowhere/m"), "no such folder"),
    ],
)
def test_misuse_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words_: str
) -> None:
    """And exit 2."""
    file = str(FOLDER / "healthy.json.gz")
    code, out, err = run(capsys, *(file if a == "HEALTHY" else a for a in arguments))
    assert (code, out) == (2, "")
    assert words_ in err


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "x"}, {"schemaVersion": 2}, {"key": "zz"}, {"numbered": {}},
        {"widths": {"node": 1, "ns": 1, "": 10**9}}, {"shaped": {"a": 1}}, {"more": 1},
    ],
)  # fmt: skip
def test_a_broken_map_is_refused(change: dict[str, object]) -> None:
    """A map comes from a disk, too."""
    good = json.loads(mapping.to_text(Redaction()))
    mapping.from_text(json.dumps(good))
    with pytest.raises(DecodeError):
        mapping.from_text(json.dumps({**good, **change}))


def test_the_saved_copy_is_the_owners_alone(tmp_path: Path) -> None:
    """A snapshot describes a network."""
    save(healthy(), str(tmp_path / "x.json"))
    assert stat.S_IMODE((tmp_path / "x.json").stat().st_mode) == 0o600
