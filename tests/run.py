#!/usr/bin/env python3
"""The one test command: format, lint, types, import contracts, unit tests, and the lab's tests.

    python3 tests/run.py            everything; the lab needs root and builds itself when needed
    python3 tests/run.py --unit     without the lab: no root, under a minute
    python3 tests/run.py --extended all injected faults too: about half an hour more
    python3 tests/run.py -- -k dns  arguments for pytest

Needs Python 3.11 or later with venv and pip. What it installs goes into a virtual environment in
the user's cache, never into the checkout.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kubectl-netdoctor"


def environment() -> Path:
    """Make or reuse the virtual environment for this checkout and its requirements."""
    made_of = f"{HERE} {sys.version} {(HERE / 'pyproject.toml').read_text()}"
    folder = CACHE / f"venv-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        print(f"installing the test environment into {folder}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--editable", f"{HERE}[test]"], check=True)
        done.touch()
    return python


def main() -> int:
    """Run every step and stop at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--unit", action="store_true", help="leave out the lab's tests")
    parser.add_argument("--extended", action="store_true", help="inject every fault there is")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, after --")
    options = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036  # whoever runs this has installed nothing yet
        print("this project needs Python 3.11 or later", file=sys.stderr)
        return 2
    python = environment()
    path = f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    tests = ["tests/unit"] if options.unit else ["tests"]
    if not options.extended:
        tests += ["-m", "not extended"]
    steps = [
        ["ruff", "format", "--check", "--quiet", "."],
        ["ruff", "check", "--quiet", "."],
        ["mypy"],
        ["lint-imports"],
        [str(python), "-m", "pytest", *(options.pytest or tests)],
    ]
    for step in steps:
        print(f"$ {' '.join(step)}", flush=True)
        done = subprocess.run(step, cwd=HERE, env={**os.environ, "PATH": path}, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
