"""Commands end in time, say why they failed, and are not run twice for two collectors."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from kubectl_netdoctor.agent import command
from kubectl_netdoctor.agent.absence import Denied, NotPresent, TooSlow, Unreadable
from kubectl_netdoctor.agent.signals import CHILDREN


def test_output() -> None:
    """Standard output is the answer, standard error is not."""
    assert command.run(["sh", "-c", "echo out; echo err >&2"], 5) == "out\n"


def test_not_installed() -> None:
    """A command that is not there is absent, not broken."""
    with pytest.raises(NotPresent, match="iptables-42-save is not installed"):
        command.run(["iptables-42-save"], 5)


def test_failure_carries_its_first_line() -> None:
    """The message of the command itself is the most useful one."""
    with pytest.raises(Unreadable, match="sh ended with status 3: what a pity"):
        command.run(["sh", "-c", "echo what a pity >&2; exit 3"], 5)


@pytest.mark.parametrize(
    "line",
    [
        "iptables-save: Could not fetch rule set generation id: Permission denied",
        "Error: Operation not permitted",
    ],
)
def test_denial_is_recognised(line: str) -> None:
    """Iptables and nft say in words that they lack rights."""
    with pytest.raises(Denied, match="needs root: sh: "):
        command.run(["sh", "-c", f"echo '{line}' >&2; exit 4"], 5)


@pytest.mark.parametrize("script", ["exec sleep 30", "exec >&- 2>&-; exec sleep 30"])
def test_slow_command_is_killed(script: str) -> None:
    """Silence and a closed output without an end are both too slow."""
    start = time.monotonic()
    with pytest.raises(TooSlow):
        command.run(["sh", "-c", script], 0.2)
    assert time.monotonic() - start < 2
    assert not CHILDREN


def test_output_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that prints for ever costs bounded memory."""
    monkeypatch.setattr(command, "MAX_OUTPUT_BYTES", 1 << 20)
    with pytest.raises(Unreadable, match="more than 1048576 bytes"):
        command.run(["cat", "/dev/zero"], 5)


def test_commands_of_sbin_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's PATH often ends before /usr/sbin."""
    monkeypatch.setattr(command, "_SBIN", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho found\n")
    tool.chmod(0o755)
    assert command.run(["tool"], 5) == "found\n"


class Counting:
    """Stands for run(): counts, and takes a moment."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, argv: Sequence[str], timeout: float) -> str:
        """Count a call."""
        del argv, timeout
        self.calls += 1
        time.sleep(0.05)
        return f"output {self.calls}"


def test_two_collectors_share_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second caller that accepts an older output waits for the one under way."""
    counting = Counting()
    monkeypatch.setattr(command, "run", counting)
    recent = command.Recent()
    first = threading.Thread(target=recent.run, args=(["x"], 1.0, 0.0))
    first.start()
    time.sleep(0.01)
    assert recent.run(["x"], 1.0, 60.0) == "output 1"
    first.join()
    assert counting.calls == 1


def test_a_fresh_output_is_a_new_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who needs the counters of now gets them, and another command is another one."""
    counting = Counting()
    monkeypatch.setattr(command, "run", counting)
    recent = command.Recent()
    assert recent.run(["x"], 1.0, 0.0) == "output 1"
    assert recent.run(["x"], 1.0, 0.0) == "output 2"
    assert recent.run(["y"], 1.0, 60.0) == "output 3"
    assert recent.run(["x"], 1.0, 60.0) == "output 2"
