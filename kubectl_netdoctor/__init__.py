"""Diagnose Kubernetes node networking: facts from the nodes, judged on the laptop."""

__version__ = "0.1.0"
