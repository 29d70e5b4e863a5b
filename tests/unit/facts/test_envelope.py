"""Frames survive their way through a log; damage is detected and never half-read."""

from __future__ import annotations

import base64
import dataclasses
import re
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.facts import envelope
from kubectl_netdoctor.facts.base import SCHEMA_VERSION, Missing, Reason
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.facts.envelope import Envelope
from kubectl_netdoctor.facts.netfilter import Conntrack
from kubectl_netdoctor.facts.system import Sysctls

CONNTRACK = Conntrack(1.0, 12, 262144, 65536, {"drop": 0})
ENVELOPE = Envelope(
    schema=SCHEMA_VERSION,
    run="r1",
    node="n1",
    agent_version="0.1.0",
    started="2026-01-01T00:00:00Z",
    ended="2026-01-01T00:00:02Z",
    facts={"conntrack": CONNTRACK, "kernel": Missing(Reason.FAILED, "no")},
    seconds={"conntrack": 0.1},
    log=("hello",),
)
FRAME = envelope.frame(ENVELOPE)


def test_a_frame_is_read_back() -> None:
    """What the agent prints is what the laptop reads."""
    assert envelope.unframe(FRAME.encode()) == ENVELOPE


def test_noise_around_a_frame_is_skipped() -> None:
    """Lines of somebody else before and after do no harm."""
    assert envelope.unframe(b"warning: x\n" + FRAME.encode() + b"bye\n") == ENVELOPE


def test_the_last_frame_counts() -> None:
    """A container that was restarted may have printed twice."""
    other = envelope.frame(dataclasses.replace(ENVELOPE, run="r0"))
    assert envelope.unframe((other + FRAME).encode()).run == "r1"


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (b"", "holds no report"),
        (FRAME.encode()[: len(FRAME) // 2], "cut off"),
        (FRAME.replace("schema=1", "schema=7").encode(), "speaks schema 7"),
        (FRAME.replace("sha256=", "sha256=0").encode(), "first line is damaged"),
        (re.sub(r"bytes=\d+", "bytes=99999999999", FRAME).encode(), "more than"),
        (re.sub(r"bytes=\d+", "bytes=3", FRAME).encode(), "has more"),
        (re.sub(r"sha256=\w+", "sha256=" + "0" * 64, FRAME).encode(), "checksum"),
    ],
)
def test_damage_is_named(log: bytes, message: str) -> None:
    """Every kind of damage has its own sentence."""
    with pytest.raises(DecodeError, match=message):
        envelope.unframe(log)


def test_a_bomb_is_not_unpacked() -> None:
    """A small body that inflates beyond its claim is refused."""
    bomb = base64.b64encode(zlib.compress(b"0" * 50_000_000)).decode()
    log = f"netdoctor/begin schema=1 bytes=10 sha256={'0' * 64}\n{bomb}\nnetdoctor/end\n"
    with pytest.raises(DecodeError, match="has more"):
        envelope.unframe(log.encode())


@settings(max_examples=200)
@given(st.integers(0, len(FRAME) - 1), st.binary(min_size=1, max_size=3))
def test_a_changed_byte_never_changes_a_fact(at: int, junk: bytes) -> None:
    """Any change of the log gives the same envelope or a DecodeError."""
    raw = FRAME.encode()
    changed = raw[:at] + junk + raw[at + len(junk) :]
    try:
        got = envelope.unframe(changed)
    except DecodeError:
        return
    assert got == ENVELOPE


@given(st.binary(max_size=200))
def test_any_log_is_read_or_refused(junk: bytes) -> None:
    """No log raises anything but a DecodeError."""
    with pytest.raises(DecodeError):
        envelope.unframe(b"netdoctor/begin" + junk)


def test_the_summary_fits_and_says_what_it_left_out() -> None:
    """The termination message holds what fits, in order; the rest is Missing, not healthy."""
    noisy = {f"net.x{i}": f"{i * 7919 % 104729:x}" * 3 for i in range(2000)}
    big = dataclasses.replace(
        ENVELOPE, facts={"sysctls": Sysctls({**noisy}), "conntrack": CONNTRACK}
    )
    text = envelope.summarize(big, ["sysctls", "conntrack"])
    assert len(text) <= envelope.TERMINATION_MESSAGE_BYTES
    read = envelope.unsummarize(text)
    assert read.get("conntrack") == CONNTRACK
    left_out = read.get("sysctls")
    assert isinstance(left_out, Missing)
    assert left_out.reason is Reason.NOT_REPORTED


@given(st.text(max_size=80))
def test_foreign_termination_messages_are_refused(text: str) -> None:
    """Whatever a container wrote there, it is refused by a DecodeError."""
    for message in (text, f"netdoctor/summary:{text}"):
        with pytest.raises(DecodeError):
            envelope.unsummarize(message)


def test_facts_of_the_cluster_do_not_come_from_a_node() -> None:
    """A node cannot speak for the API."""
    data = envelope.to_json(ENVELOPE)
    data["facts"]["nodes"] = {"items": []}
    with pytest.raises(DecodeError, match="unknown fact 'nodes'"):
        envelope.from_json(data)
