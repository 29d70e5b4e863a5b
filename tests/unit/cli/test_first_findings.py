"""A scan on a terminal tells first findings on standard error, and only there."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from typing import Any
from unittest.mock import MagicMock

import pytest

from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cluster.order import Listener, Outcome, Progress
from tests.unit.recorded import recorded

SEEN = recorded("ip_forward_off")
LATER = ("companions", "service_changes")


class Terminal(io.StringIO):
    """A standard error that somebody looks at."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """The terminal of a made-up run in which n3, the broken one, answers first."""
    api = MagicMock(context="lab", server="https://198.18.0.1:6443", written=[])
    cluster = {k: v for k, v in SEEN.cluster.items() if k not in LATER}
    orders = MagicMock(chosen=SEEN.run.nodes, skip={}, cluster=cluster, plans={})

    def run_agents(*_given: Any, progress: Listener, **_more: Any) -> Outcome:
        for number, report in enumerate(reversed(SEEN.nodes), 1):
            progress(Progress(3, 0, 0, 3 - number, number, 0, finished=report))
        return Outcome(SEEN.nodes)

    monkeypatch.setattr("kubectl_netdoctor.cluster.connect.connect", lambda _: api)
    monkeypatch.setattr("kubectl_netdoctor.cli.scan.prepare", lambda *_: orders)
    monkeypatch.setattr("kubectl_netdoctor.cluster.run.run_agents", run_agents)
    monkeypatch.setattr(
        "kubectl_netdoctor.cluster.service_changes.read_service_changes",
        lambda _: {k: SEEN.cluster[k] for k in LATER if k in SEEN.cluster},
    )
    return Terminal()


def scan(screen: Terminal, *arguments: str) -> None:
    """The command, with this standard error."""
    with redirect_stderr(screen), pytest.raises(SystemExit):
        main(["scan", "--all-nodes", *arguments])


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_line_before_the_report(
    screen: Terminal, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """Once, and the report has the finding too."""
    scan(screen, "-o", form)
    out = capsys.readouterr().out
    assert screen.getvalue().count("seen so far: critical RTE-09 on n3") == 1
    assert "seen so far" not in out
    assert "RTE-09" in out


@pytest.mark.parametrize(
    "arguments",
    [("-q",), ("--redact",), ("-o", "jsonl"), ("--select", "CT-01,RTE-09", "--redact", "-q")],
)
def test_where_no_line_is_told(screen: Terminal, arguments: tuple[str, ...]) -> None:
    """Not when silence, pseudonyms or lines of JSON were asked for."""
    scan(screen, *arguments)
    assert "seen so far" not in screen.getvalue()


def test_checks_that_were_not_chosen_tell_nothing(
    screen: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    """--ignore holds before the report as in it."""
    scan(screen, "--ignore", "RTE-09")
    assert "RTE-09" not in screen.getvalue() + capsys.readouterr().out


def test_a_pipe_gets_no_line(screen: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is captured is for programs."""
    monkeypatch.setattr(screen, "isatty", lambda: False)
    scan(screen)
    assert "seen so far" not in screen.getvalue()
