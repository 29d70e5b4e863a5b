"""Faults that keep Service changes from a node, each taken back when its `with` block ends."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.e2e.companion_faults import CONFIGURATION
from tests.e2e.dns_faults import file_with
from tests.e2e.faults import NODE, Fault, wait_for
from tests.e2e.service_faults import GONE, HERE, SHOP, _apply, _delete_service, _service, _slice
from tests.e2e.service_faults import frozen as stopped
from tests.lab import Lab

LATE = 20  # seconds: longer than kube-proxy gathers changes for


def proxy_stopped(lab: Lab) -> AbstractContextManager[None]:
    """kube-proxy is stopped on one node, and nothing has changed since."""
    return stopped(lab, "^hyperkube kube-proxy")


@contextmanager
def rules_cannot_be_written(lab: Lab) -> Iterator[None]:
    """Somebody's own rule jumps to a chain of kube-proxy, which cannot delete it any more.

    Every iptables-restore fails as a whole from then on.
    """
    _apply(lab, _service(), _slice(SHOP, SHOP, GONE, 8080))
    try:
        wait_for(lambda: GONE in _rules(lab))
        chain = re.findall(rf"-A (KUBE-SEP-\w+) .*{GONE}:8080", _rules(lab))[0]
        lab.on(NODE, "iptables", "-t", "nat", "-N", "SHOP")
        lab.on(NODE, "iptables", "-t", "nat", "-A", "SHOP", "-j", chain)
        _apply(lab, _slice(SHOP, SHOP, HERE, 8080))
        time.sleep(LATE)
        yield
    finally:
        lab.on(NODE, "iptables", "-t", "nat", "-F", "SHOP", check=False)
        lab.on(NODE, "iptables", "-t", "nat", "-X", "SHOP", check=False)
        _delete_service(lab)
        wait_for(lambda: SHOP not in _rules(lab), 60)


@contextmanager
def pods_without_hairpin(lab: Lab) -> Iterator[None]:
    """The CNI configuration has lost its hairpinMode: pods from now on have none."""
    text = lab.on(NODE, "cat", CONFIGURATION)
    changed = re.sub(r'"hairpinMode": *true', '"hairpinMode": false', text)
    assert changed != text
    with file_with(lab, CONFIGURATION, changed):
        yield


def _rules(lab: Lab) -> str:
    return lab.on(NODE, "iptables-save", "-t", "nat")


FAULTS: dict[str, tuple[str, Fault]] = {
    "proxy_stopped": ("SVC-11", proxy_stopped),
    "rules_cannot_be_written": ("SVC-11", rules_cannot_be_written),
}
"""Each fault with the ID that must be the first row while it lasts."""
