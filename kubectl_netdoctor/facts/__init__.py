"""The wire contract between agent, cluster reader, checks and snapshots: what was seen, no opinion.

Standard library only, because the agent on the node and the command line on the laptop share it.
"""
