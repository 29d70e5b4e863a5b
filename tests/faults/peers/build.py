"""Programs of peers whose Go modules the module proxy has, pinned and kept as the lab keeps its own."""

from __future__ import annotations

from pathlib import Path

from tests.lab.build import GO_ENV
from tests.lab.cache import Say, cache_root, files_key, key, made
from tests.lab.commands import run
from tests.lab.machine import go_version

SOURCES = Path(__file__).parent / "src"
_TAGS = (  # those of troubleshoot's own Makefile
    "netgo,containers_image_ostree_stub,containers_image_openpgp,"
    "exclude_graphdriver_devicemapper,exclude_graphdriver_btrfs"
)
# By program: the folder of its go.mod, and its package.
PROGRAMS = {
    "support-bundle": ("troubleshoot", "github.com/replicatedhq/troubleshoot/cmd/troubleshoot")
}
_FLAGS = ("-trimpath", "-ldflags", "-s -w", "-tags", _TAGS)


def folder() -> Path:
    """Where the programs are, or will be: its name changes with what they are made from."""
    made_of = files_key(SOURCES, SOURCES.rglob("go.*"))
    return cache_root() / "bin" / f"peers-{key(made_of, go_version(), *_FLAGS, str(PROGRAMS))}"


def build(say: Say) -> Path:
    """Return the folder of the programs, built with the lowest priority where it is not there."""

    def compile_them(target: Path) -> None:
        target.mkdir(parents=True)
        for program, (source, package) in PROGRAMS.items():
            words = ("go", "build", *_FLAGS, "-o", target / program, package)
            run("nice", "-n", "19", *words, cwd=SOURCES / source, env=GO_ENV)

    folder().parent.mkdir(parents=True, exist_ok=True)
    return made(folder(), "peers", compile_them, say)
