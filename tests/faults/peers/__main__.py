"""The tools that the benchmark can run beside ours.

python -m tests.faults.peers build | list

build   build those whose Go modules the module proxy has, and keep them in the lab's cache
list    each tool, and where its program is
"""

from __future__ import annotations

import argparse
import sys

from tests.faults.peers import PEERS, build


def main() -> int:
    """Build or list."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.peers", usage=__doc__)
    parser.add_argument("command", choices=("build", "list"))
    if parser.parse_args().command == "build":
        print(build.build(lambda sentence: print(sentence, file=sys.stderr, flush=True)))
    for peer in PEERS:
        program = peer.find(build.folder())
        why = peer.lacks(program) if program else f"no {peer.program} on PATH"
        print(f"{peer.name:24}{f'not run: {why}' if why else program}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
