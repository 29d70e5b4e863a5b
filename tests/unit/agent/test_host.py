"""The door to the node: links stay inside the root, reads are bounded, absence has a reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.agent.absence import Denied, NotPresent, Unreadable
from kubectl_netdoctor.agent.host import Host, need_root, resolve
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.base import Reason


def test_absolute_link_means_the_nodes_root(tmp_path: Path) -> None:
    """resolv.conf of systemd-resolved is an absolute link into /run of the node."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run/real").write_text("nameserver 192.0.2.53\n")
    (tmp_path / "etc/resolv.conf").symlink_to("/run/real")
    assert Host(tmp_path).file("/etc/resolv.conf") == "nameserver 192.0.2.53\n"


def test_link_of_a_directory_on_the_way(tmp_path: Path) -> None:
    """Links count in every component, relative ones too."""
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/os-release").write_text("ID=debian\n")
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").symlink_to("../lib/../../lib/os-release")
    assert Host(tmp_path).file("etc/os-release") == "ID=debian\n"


@pytest.mark.parametrize("target", ["../../../../etc/passwd", "/../../etc/passwd"])
def test_no_link_leaves_the_root(tmp_path: Path, target: str) -> None:
    """`..` stops at the root: the node's file is not there, and ours is not read."""
    (tmp_path / "escape").symlink_to(target)
    assert resolve(tmp_path, "/escape") == tmp_path / "etc/passwd"
    with pytest.raises(NotPresent, match="/escape does not exist"):
        Host(tmp_path).file("/escape")


@settings(deadline=None)
@given(st.lists(st.sampled_from(["..", ".", "a", "b", "/"]), max_size=12))
def test_no_path_leaves_the_root(parts: list[str]) -> None:
    """Whatever a path is made of, it lies under the root."""
    root = Path("/no/such/root")
    assert resolve(root, "/".join(parts)).is_relative_to(root)


def test_loop_of_links(tmp_path: Path) -> None:
    """A loop is an error, not a hang."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(Unreadable, match="too many symbolic links"):
        Host(tmp_path).file("/a")
    assert Host(tmp_path).exists("/a") is False


def test_a_fifo_does_not_hang(tmp_path: Path) -> None:
    """What should be a file and is none is refused at once."""
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(Unreadable, match="is no file"):
        Host(tmp_path).file("/fifo")
    with pytest.raises(Unreadable, match="is no file"):
        Host(tmp_path).file("/")


def test_large_file_is_refused(tmp_path: Path) -> None:
    """The bound holds to the byte."""
    (tmp_path / "big").write_text("x" * 101)
    assert len(Host(tmp_path).file("/big", limit=101)) == 101
    with pytest.raises(Unreadable, match="larger than 100 bytes"):
        Host(tmp_path).file("/big", limit=100)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A file of another encoding is read all the same."""
    (tmp_path / "latin").write_bytes(b"search caf\xe9\n")
    assert Host(tmp_path).file("/latin") == "search caf\ufffd\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_denied_is_not_absent(tmp_path: Path) -> None:
    """A file without permission is there."""
    (tmp_path / "secret").write_text("")
    (tmp_path / "secret").chmod(0)
    with pytest.raises(Denied, match="needs root"):
        Host(tmp_path).file("/secret")


def test_number_of_a_kernel_file(tmp_path: Path) -> None:
    """One number, or an error that shows what was there."""
    (tmp_path / "n").write_text("262144\n")
    (tmp_path / "x").write_text("many\n")
    assert Host().number(tmp_path / "n") == 262144
    with pytest.raises(Unreadable, match="'many' is no number"):
        Host().number(tmp_path / "x")


def test_this_machine(here: Run) -> None:
    """The door opens on the machine that the tests run on."""
    host = here.host
    assert host.kernel(host.proc / "uptime")
    assert "lo" in host.interface_names().values()
    assert any(m["IFLA_IFNAME"] == "lo" for m in host.netlink("links"))
    assert host.route_to("127.0.0.1")["RTA_OIF"] in host.interface_names()
    assert host.http_status(1, "/") is None
    driver, features = host.ethtool("lo")
    assert driver is None
    assert all(isinstance(on, bool) for on in features.values())
    assert host.ethtool("no-such-link") == (None, {})


def test_root_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root the reason says so."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Denied, match="needs root: nft reads rules") as caught:
        need_root(Host(), "nft reads rules")
    assert caught.value.missing().reason is Reason.DENIED
