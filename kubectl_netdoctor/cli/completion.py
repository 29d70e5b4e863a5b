"""`kubectl_complete-netdoctor`: kubectl runs it with the words typed so far, the last may be empty.

It prints a candidate per line, a description after a tab, and a directive in the last line
(`:4`: no file names). Source: kubectl, pkg/cmd/plugin/plugin_completion.go.
"""

from __future__ import annotations

import sys

from click.shell_completion import ShellComplete

from kubectl_netdoctor.cli.app import cli

NO_FILES = ":4"
FILES = ":0"


def candidates(words: list[str]) -> list[str]:
    """Lines for kubectl."""
    *before, last = words or [""]
    found = ShellComplete(cli, {}, "kubectl-netdoctor", "_").get_completions(before, last)
    files = any(item.type in ("file", "dir") for item in found)
    lines = [f"{i.value}\t{i.help}" if i.help else i.value for i in found if i.type == "plain"]
    return [*lines, FILES if files else NO_FILES]


def main() -> None:
    """Print the candidates."""
    print("\n".join(candidates(sys.argv[1:])))  # noqa: T201  # this is its output
