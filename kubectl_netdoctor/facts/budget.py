"""How much one node may send for the run: bounds, in packets for each second of the window.

A fixed share for each family of probes, so that none can use up what another needs, and the whole is
known before anything is sent. A window shorter than a second counts as one.
"""

from __future__ import annotations

PATHS = 400  # ICMP echo to nodes and tunnels
SIZES = 150  # echoes of varied size, for the path MTU
DNS_MATRIX = 160  # questions of every form to every DNS server
DNS_RECORDS = 32  # questions about single records, once a window
DNS_SERVERS = 200  # the same question to every DNS server, from one vantage; whatever the window
PODS = 600  # ICMP and UDP of the pod network, from the companion and from the node
TRANSPORT = 1000  # UDP questions between agents, where several nodes are scanned
UPLOADS = 4 << 20  # bytes of all TCP uploads of one node together

DNS = DNS_MATRIX + DNS_RECORDS + DNS_SERVERS
DNS_WITH_COMPANION = DNS + DNS_SERVERS
