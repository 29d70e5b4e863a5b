"""A pod that only is there, for faults that need one on the node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab import Lab

NAME = "netdoctor-resident"
_IMAGE = ("--image=netlab.local/node:1", "--image-pull-policy=Never", "--restart=Never")


@contextmanager
def resident(lab: Lab, node: str) -> Iterator[None]:
    """A sleeping pod on the node; gone afterwards."""
    spec = f'{{"spec": {{"nodeName": "{node}", "terminationGracePeriodSeconds": 0}}}}'
    lab.kubectl("run", NAME, *_IMAGE, f"--overrides={spec}", "--command", "--", "sleep", "3600")
    try:
        lab.kubectl("wait", "--for=condition=Ready", f"pod/{NAME}", "--timeout=60s")
        yield
    finally:
        lab.kubectl("delete", "pod", NAME, "--grace-period=0", "--force", "--wait=true")
