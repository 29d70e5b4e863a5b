"""The command line. Importing it costs click and nothing else: every command imports its own."""

from kubectl_netdoctor.cli.app import main

__all__ = ["main"]
