"""
What end-to-end tests run against: a lab of this checkout's own, or somebody's cluster.

NETDOCTOR_LAB_NAME names the lab; NETDOCTOR_LAB_KEEP=1 leaves it up for the next session, which
then starts in no time; NETDOCTOR_TEST_KUBECONFIG gives tests that break nothing another cluster.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab import Lab, agent_image, missing
from tests.lab.cluster import Cluster, ExternalCluster
from tests.lab.leftovers import sweep
from tests.lab.process import Process
from tests.lab.spec import CHECKOUT

NODES = 3
RECOVERY = 60  # seconds that a test's lab has to get well again
RUNNING = pytest.StashKey["SessionLab"]()


class SessionLab:
    """The lab of a test session, and whether a test has left it unwell."""

    def __init__(self, lab: Lab, agent: Path) -> None:
        self.lab = lab
        self.agent = agent
        self.unwell = False

    def start(self) -> None:
        """Make the lab run with the agent image of this checkout, well and with all its nodes."""
        lab = self.lab
        reusable = keep() and lab.is_up() and lab.is_current() and len(lab.nodes) == NODES
        if reusable and not settled(lab, RECOVERY):
            lab.load_agent(self.agent)
            return
        self.start_anew()

    def start_anew(self) -> None:
        """Replace what runs by a new lab."""
        self.lab.down()
        owner = None if keep() else Process.of(os.getpid())
        self.lab.up(NODES, agent=self.agent, owner=owner)
        self.unwell = False


def keep() -> bool:
    """Tell whether the lab is to outlive the session."""
    return os.environ.get("NETDOCTOR_LAB_KEEP") == "1"


def in_ci() -> bool:
    """Tell whether this is a run whose tests must not be skipped."""
    return os.environ.get("CI") == "true"


def lab_name() -> str:
    """Return the name of this checkout's lab."""
    own = f"netdoctor-{hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]}"
    return os.environ.get("NETDOCTOR_LAB_NAME") or (f"{own}-ci" if in_ci() else own)


def settled(lab: Lab, seconds: float) -> list[str]:
    """Return what is still not well after the lab had so many seconds to recover."""
    end = time.monotonic() + seconds
    while (sentences := lab.healthy()) and time.monotonic() < end:
        time.sleep(0.5)
    return sentences


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Give a running lab of three nodes that hold this checkout's agent image."""
    lacking = missing()
    if lacking:
        (pytest.fail if in_ci() else pytest.skip)(" ".join(lacking))
    say = aloud(request.config)
    sweep()
    session = SessionLab(Lab(lab_name(), say), agent_image.ensure(say))
    try:
        session.start()
        request.session.stash[RUNNING] = session
        yield session.lab
    finally:
        if not keep():
            session.lab.down()


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Give a cluster to tests that break nothing: NETDOCTOR_TEST_KUBECONFIG's, or the lab."""
    kubeconfig = os.environ.get("NETDOCTOR_TEST_KUBECONFIG")
    if kubeconfig:
        return ExternalCluster(Path(kubeconfig))
    found: Lab = request.getfixturevalue("lab")
    return found


@pytest.fixture(autouse=True)
def lab_stays_well(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves the lab other than it found it, and spare the next one that lab."""
    session = request.session.stash.get(RUNNING, None)
    uses_lab = bool({"lab", "cluster"} & set(request.fixturenames))
    if session is not None and uses_lab and session.unwell:
        session.start_anew()
    yield
    session = request.session.stash.get(RUNNING, None)
    if session is None or not uses_lab:
        return
    sentences = settled(session.lab, RECOVERY)
    if sentences:
        session.unwell = True
        listed = "\n".join(sentences)
        pytest.fail(f"{request.node.nodeid} left the lab unwell:\n{listed}", pytrace=False)


def aloud(config: pytest.Config) -> Callable[[str], None]:
    """Return what tells a person at the terminal why nothing happens for minutes."""
    capture = config.pluginmanager.getplugin("capturemanager")

    def say(sentence: str) -> None:
        shown = capture.global_and_fixture_disabled() if capture else contextlib.nullcontext()
        with shown:
            print(f"\n{sentence}", end="", flush=True)

    return say
