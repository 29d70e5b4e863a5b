"""How much one node may send for the run: bounds, in packets for each second of the window.

A replicated, fixed share for each family of probes, so that none can use up what another needs, and
the whole is known before anything is sent. The window is one second unless --window says otherwise.
"""

from __future__ import annotations

PATHS = 400  # ICMP echo to nodes and tunnels
SIZES = 150  # echoes of varied size, for the path MTU
DNS = 200  # questions to all servers together
PODS = 400  # ICMP and UDP of the pod network, from the companion and from the node
TRANSPORT = 1000  # UDP questions between agents, where several nodes are scanned
UPLOADS = 4 << 20  # bytes of all TCP uploads of one node together
