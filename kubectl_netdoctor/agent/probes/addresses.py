"""Which targets can be probed: addresses, and names that DNS can carry."""

from __future__ import annotations

import ipaddress

from kubectl_netdoctor.agent.run import Run


def is_address(text: str, run: Run) -> bool:
    """Whether a target is an IP address, also one with a scope; what is none is noted.

    A name is not looked up: that would measure something else, and could block.
    """
    try:
        ipaddress.ip_address(text)
    except ValueError:
        run.note(f"probes: {text!r:.80} is no IP address: left out")
        return False
    return True
