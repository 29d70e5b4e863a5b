"""The command line, as far as it goes without a lab."""

import pytest

from tests.lab import bringup
from tests.lab.__main__ import main, parser
from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.node import split_daemon


@pytest.mark.parametrize("words", ["--name mine status", "status --name mine"])
def test_name_before_or_after_the_verb(words: str) -> None:
    assert parser().parse_args(words.split()).name == "mine"


def test_up_has_defaults() -> None:
    asked = parser().parse_args(["up"])
    assert (asked.count, asked.cni) == (3, "flannel")


def test_a_command_for_a_node_keeps_its_flags() -> None:
    asked = parser().parse_args(["exec", "n1", "--", "ip", "-br", "--name", "x"])
    assert asked.command[-4:] == ["ip", "-br", "--name", "x"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("exec n1 --", "which command?"),
        ("exec n1 -- true", "no such node"),
        ("stop n7", "no such node"),
        ("stop dockerd@n1", "not a daemon of a node"),
    ],
)
def test_what_cannot_be_done_is_said(
    words: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--name", "unit-absent", *words.split()]) == 1
    assert sentence in capsys.readouterr().err


def test_an_absent_lab(capsys: pytest.CaptureFixture[str]) -> None:
    """Its status can be asked."""
    assert main(["--name", "unit-absent", "status"]) == 0
    assert capsys.readouterr().out.startswith("lab unit-absent: not up\n")
    lab = Lab("unit-absent")
    assert lab.nodes == ()
    assert not lab.is_up()
    assert not lab.is_current()


def test_daemons_of_nodes() -> None:
    assert split_daemon("kubelet@n3") == ("kubelet", "n3")
    assert split_daemon("n3") is None


def test_every_network_has_manifests() -> None:
    assert "flannel" in bringup.cni_choices()
    for name in bringup.cni_choices():
        assert list(bringup.network(name).glob("*.yaml"))
    with pytest.raises(LabError, match="no such network"):
        bringup.network("token-ring")
