"""The image that Cilium runs from: its programs from their Go modules, and a Debian with its compiler."""

import dataclasses
from pathlib import Path

from tests.lab import images, seed
from tests.lab.build import GO_ENV, Artifacts, debian
from tests.lab.cache import Say, cache_root, files_key, key, made
from tests.lab.commands import run
from tests.lab.machine import go_version
from tests.lab.spec import HERE

NETWORK = "cilium"
IMAGE = "netlab.local/cilium:1"

_MODULE = "github.com/cilium/cilium"
_SOURCES = HERE / "src" / NETWORK
_FLAGS = ("-trimpath", "-ldflags", "-s -w")
# What a program is called in Cilium's own image, by its package.
_PROGRAMS = {
    "daemon": "cilium-agent",
    "operator": "cilium-operator-generic",
    "cilium-dbg": "cilium-dbg",
    "plugins/cilium-cni": "cilium-cni",
}
# The agent compiles its BPF programs on each node; it knows clang by this series at the latest.
_PACKAGES = (
    *("bpftool", "ca-certificates", "clang-16", "iproute2", "ipset", "iptables", "kmod"),
    *("llvm-16", "mount", "procps"),
)
_COMPILER = ("clang", "llc")


def with_image(artifacts: Artifacts, say: Say) -> Artifacts:
    """Return the artifacts with a seed that also holds Cilium's image."""
    programs, tree = _programs(say), debian("cilium", "Debian of Cilium", _PACKAGES, say)
    layers: list[images.Layer] = [
        tree,
        {
            **{f"usr/bin/{name}": programs / name for name in _PROGRAMS.values()},
            **{f"usr/bin/{name}": tree / f"usr/bin/{name}-16" for name in _COMPILER},
            "var/lib/cilium/bpf": programs / "bpf",
        },
    ]
    image_key = key(files_key(HERE, [HERE / "images.py"]), tree.name, programs.name)
    archive = made(
        cache_root() / "images" / f"cilium-{image_key}.tar",
        "Cilium's image",
        lambda target: images.write_archive(target, IMAGE, layers),
        say,
    )
    grown = made(
        cache_root() / f"seed-{key(artifacts.seed.name, archive.name)}",
        "seed with Cilium's image",
        lambda target: seed.grow(target, [archive], artifacts.seed),
        say,
    )
    return dataclasses.replace(artifacts, seed=grown)


def _programs(say: Say) -> Path:
    """Return a folder of the programs, and of the sources that the agent compiles."""
    made_of = key(files_key(_SOURCES, _SOURCES.rglob("*")), go_version(), *_FLAGS, str(GO_ENV))

    def compile_them(target: Path) -> None:
        target.mkdir()
        for package, name in _PROGRAMS.items():
            words = ("go", "build", *_FLAGS, "-o", target / name, f"{_MODULE}/{package}")
            run("nice", *words, cwd=_SOURCES, env=GO_ENV)
        module = run("go", "list", "-m", "-f", "{{.Dir}}", _MODULE, cwd=_SOURCES, env=GO_ENV)
        run("cp", "--recursive", Path(module.stdout.strip()) / "bpf", target / "bpf")

    return made(cache_root() / "bin" / f"cilium-{made_of}", "Cilium", compile_them, say)
